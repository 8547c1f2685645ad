"""What tests of the policies share: a way to write small inventories, and a compliant stack on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from policies.inventory import UNKNOWN, Inventory, Resource

Make = Callable[..., Resource]
Stack = Callable[[Mapping[str, Any], Sequence[Resource]], Inventory]

HERE, AWAY = "eu-west-1", "eu-central-1"


@pytest.fixture(scope="session")
def make() -> Make:
    """A resource from its type, name and inputs; `links` names the URNs behind inputs, `unknown` their paths."""

    def build(
        token: str,
        name: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        region: str | None = None,
        links: Mapping[str, Sequence[Resource]] | None = None,
        unknown: Sequence[str] = (),
    ) -> Resource:
        linked = {prop: tuple(r.urn for r in targets) for prop, targets in (links or {}).items()}
        return Resource(
            urn=f"urn:pulumi:test::seawall::{token}::{name}",
            type=token,
            name=name,
            custom=True,
            inputs=inputs or {},
            unknown_paths=tuple(unknown),
            property_dependencies=linked,
            dependencies=tuple(urn for urns in linked.values() for urn in urns),
            region=region,
        )

    return build


@pytest.fixture(scope="session")
def aws_settings() -> dict[str, Any]:
    """A production stack on AWS, as far as rules look at settings."""
    return {
        "cloud": "aws",
        "environment": "prod",
        "region": "eu-west-1",
        "backup": {"region": "eu-central-1", "min_distance_km": 400},
        "opt_outs": {},
    }


@pytest.fixture(scope="session")
def stack() -> Stack:
    """An inventory named `test`."""
    return lambda settings, resources: Inventory("test", settings, tuple(resources))


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement that refuses plain HTTP."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@pytest.fixture(scope="session")
def aws_keys(make: Make) -> dict[str, Resource]:
    """A key here and one away, whose ids only the provider knows."""
    policy = document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )
    inputs = {"enableKeyRotation": True, "deletionWindowInDays": 30, "policy": policy}
    return {
        name: make("aws:kms/key:Key", name, dict(inputs), region=region)
        for name, region in (("data", HERE), ("recovery", AWAY))
    }


@pytest.fixture(scope="session")
def aws(make: Make, stack: Stack, aws_settings: dict[str, Any], aws_keys: dict[str, Resource]) -> Inventory:
    """A compliant production stack on AWS."""
    data, recovery = aws_keys["data"], aws_keys["recovery"]
    parts = [
        data,
        recovery,
        *_buckets(make, data, recovery),
        *_tables(make, data, recovery),
        *_identity(make),
        *_eks(make, data),
    ]
    return stack(aws_settings, parts)


def _buckets(make: Make, data: Resource, recovery: Resource) -> list[Resource]:
    found: list[Resource] = []
    for name, region, key in (("models", HERE, data), ("replica", AWAY, recovery), ("logs", HERE, None)):
        bucket = make("aws:s3/bucket:Bucket", name, {"bucket": name, "forceDestroy": False}, region=region)
        default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": UNKNOWN} if key else {"sseAlgorithm": "AES256"}
        companions: dict[str, dict[str, Any]] = {
            "bucketPublicAccessBlock:BucketPublicAccessBlock": {
                "blockPublicAcls": True,
                "blockPublicPolicy": True,
                "ignorePublicAcls": True,
                "restrictPublicBuckets": True,
            },
            "bucketPolicy:BucketPolicy": {"policy": document(tls_only(name))},
            "bucketVersioning:BucketVersioning": {"versioningConfiguration": {"status": "Enabled"}},
            "bucketOwnershipControls:BucketOwnershipControls": {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
            "bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
                "rules": [{"status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}]
            },
            "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
                "rules": [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": True}]
            },
        }
        if key:
            companions["bucketLogging:BucketLogging"] = {"targetBucket": "logs"}
        found.append(bucket)
        for token, inputs in companions.items():
            encryption = key and token.startswith("bucketServerSide")
            found.append(
                make(
                    f"aws:s3/{token}",
                    name,
                    {"bucket": name, **inputs},
                    region=region,
                    links={"rules": [key]} if encryption and key else None,
                    unknown=["rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"] if encryption else (),
                )
            )
    rule = {
        "status": "Enabled",
        "filter": {"prefix": ""},
        "destination": {
            "bucket": "arn:aws:s3:::replica",
            "encryptionConfiguration": {"replicaKmsKeyId": UNKNOWN},
        },
        "sourceSelectionCriteria": {"sseKmsEncryptedObjects": {"status": "Enabled"}},
    }
    unknown = ["rules.0.destination.encryptionConfiguration.replicaKmsKeyId"]
    replication = make(
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "models",
        {"bucket": "models", "rules": [rule]},
        region=HERE,
        links={"rules": [recovery]},
        unknown=unknown,
    )
    return [*found, replication]


def _tables(make: Make, data: Resource, recovery: Resource) -> list[Resource]:
    table = make(
        "aws:dynamodb/table:Table",
        "features",
        {
            "name": "features",
            "billingMode": "PAY_PER_REQUEST",
            "pointInTimeRecovery": {"enabled": True},
            "deletionProtectionEnabled": True,
            "serverSideEncryption": {"enabled": True, "kmsKeyArn": UNKNOWN},
        },
        region=HERE,
        links={"serverSideEncryption": [data]},
        unknown=["serverSideEncryption.kmsKeyArn"],
    )
    vaults = [
        make(
            "aws:backup/vault:Vault",
            name,
            {"name": name, "kmsKeyArn": UNKNOWN},
            region=region,
            links={"kmsKeyArn": [key]},
            unknown=["kmsKeyArn"],
        )
        for name, region, key in (("primary", HERE, data), ("away", AWAY, recovery))
    ]
    locks = [
        make(
            "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
            vault.name,
            {"backupVaultName": vault.name, "minRetentionDays": 7},
        )
        for vault in vaults
    ]
    destination = f"arn:aws:backup:{AWAY}:111122223333:backup-vault:away"
    plan = make(
        "aws:backup/plan:Plan",
        "features",
        {"rules": [{"ruleName": "hourly", "copyActions": [{"destinationVaultArn": destination}]}]},
        region=HERE,
    )
    arn = f"arn:aws:dynamodb:{HERE}:111122223333:table/features"
    selection = make("aws:backup/selection:Selection", "features", {"resources": [arn]}, region=HERE)
    return [table, *vaults, *locks, plan, selection]


def _identity(make: Make) -> list[Resource]:
    read = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::models/*"}
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/issuer"},
        "Condition": {"StringEquals": {"issuer:sub": "system:serviceaccount:serving:triton"}},
    }
    return [
        make("aws:iam/role:Role", "fleet", {"assumeRolePolicy": document(trust)}),
        make("aws:iam/rolePolicy:RolePolicy", "fleet", {"policy": document(read)}),
        make(
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "node",
            {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"},
        ),
    ]


def _eks(make: Make, key: Resource) -> list[Resource]:
    cluster = make(
        "aws:eks/cluster:Cluster",
        "cluster",
        {
            "vpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]},
            "encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": UNKNOWN}},
            "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
            "deletionProtection": True,
        },
        links={"encryptionConfig": [key]},
        unknown=["encryptionConfig.provider.keyArn"],
    )
    template = make(
        "aws:ec2/launchTemplate:LaunchTemplate",
        "gpu",
        {
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "blockDeviceMappings": [{"ebs": {"encrypted": "true"}}],
        },
    )
    subnet = make("aws:ec2/subnet:Subnet", "a", {"mapPublicIpOnLaunch": False})
    gateway = make("aws:ec2/internetGateway:InternetGateway", "gateway")
    table = make("aws:ec2/routeTable:RouteTable", "private")
    route = make("aws:ec2/route:Route", "out", {"routeTableId": UNKNOWN}, links={"routeTableId": [table]})
    association = make(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "a",
        {"subnetId": UNKNOWN, "routeTableId": UNKNOWN},
        links={"subnetId": [subnet], "routeTableId": [table]},
        unknown=["subnetId", "routeTableId"],
    )
    group = make(
        "aws:eks/nodeGroup:NodeGroup",
        "gpu",
        {
            "instanceTypes": ["g6.xlarge"],
            "subnetIds": [UNKNOWN],
            "launchTemplate": {"id": UNKNOWN, "version": "1"},
            "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        },
        links={"subnetIds": [subnet], "launchTemplate": [template]},
        unknown=["subnetIds.0", "launchTemplate.id"],
    )
    repository = make(
        "aws:ecr/repository:Repository",
        "serving",
        {
            "imageTagMutability": "IMMUTABLE",
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": UNKNOWN}],
        },
        links={"encryptionConfigurations": [key]},
        unknown=["encryptionConfigurations.0.kmsKey"],
    )
    logs = make(
        "aws:cloudwatch/logGroup:LogGroup",
        "control-plane",
        {"retentionInDays": 90, "kmsKeyId": UNKNOWN},
        links={"kmsKeyId": [key]},
        unknown=["kmsKeyId"],
    )
    return [cluster, template, subnet, gateway, table, route, association, group, repository, logs]
