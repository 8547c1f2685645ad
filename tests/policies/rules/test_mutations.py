"""Each rule passes on a compliant stack, and breaking one thing makes exactly that rule fail on that resource."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Verdict
from policies.rules import RULES

Change = Callable[[Inventory], Inventory]

S3 = "aws:s3/bucket"
MODELS = "aws:s3/bucket:Bucket::models"
TABLE = "aws:dynamodb/table:Table::features"
EKS = "aws:eks/cluster:Cluster::cluster"
GROUP = "aws:eks/nodeGroup:NodeGroup::gpu"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate::gpu"
ECR = "aws:ecr/repository:Repository::serving"
LOGS = "aws:cloudwatch/logGroup:LogGroup::control-plane"
KEY = "aws:kms/key:Key::data"
ROLE = "aws:iam/role:Role::fleet"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy::fleet"
GCS = "gcp:storage/bucket:Bucket::models"
REDIS = "gcp:redis/instance:Instance::features"
CRYPTO_KEY = "gcp:kms/cryptoKey:CryptoKey::data"
GKE = "gcp:container/cluster:Cluster::cluster"
POOL = "gcp:container/nodePool:NodePool::gpu"
DEPLOYMENT = "kubernetes:apps/v1:Deployment::triton"
NETWORK = "kubernetes:networking.k8s.io/v1:NetworkPolicy::triton"
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
_GONE = object()


def _changed(inventory: Inventory, tail: str, change: Callable[[Resource], Resource]) -> Inventory:
    assert sum(r.urn.endswith(f"::{tail}") for r in inventory.resources) == 1, f"the baseline has one {tail}"
    resources = tuple(change(r) if r.urn.endswith(f"::{tail}") else r for r in inventory.resources)
    return Inventory(inventory.stack, inventory.settings, resources)


@dataclass(frozen=True)
class Put:
    """Set one input, or leave it out."""

    tail: str
    path: str
    value: object

    def __call__(self, inventory: Inventory) -> Inventory:
        return _changed(inventory, self.tail, self._change)

    def _change(self, resource: Resource) -> Resource:
        inputs = copy.deepcopy(dict(resource.inputs))
        node: Any = inputs
        *parents, last = [int(part) if part.isdigit() else part for part in self.path.split(".")]
        for part in parents:
            node = node[part]
        if self.value is _GONE:
            del node[last]
        else:
            node[last] = self.value
        unknown = tuple(p for p in resource.unknown_paths if not f"{p}.".startswith(f"{self.path}."))
        return replace(resource, inputs=inputs, unknown_paths=unknown)

    def hidden(self, inventory: Inventory) -> Inventory:
        """The same input, known only to the provider, and linked to nothing."""
        put = Put(self.tail, self.path, UNKNOWN)

        def change(resource: Resource) -> Resource:
            changed = put._change(resource)
            unknown = (*changed.unknown_paths, self.path)
            return replace(changed, unknown_paths=unknown, property_dependencies={})

        return _changed(inventory, self.tail, change)


put = Put


def drop(tail: str, path: str) -> Change:
    """Leave one input out."""
    return put(tail, path, _GONE)


def without(tail: str) -> Change:
    """Leave one resource out."""

    def change(inventory: Inventory) -> Inventory:
        kept = tuple(r for r in inventory.resources if not r.urn.endswith(f"::{tail}"))
        assert len(kept) == len(inventory.resources) - 1, f"the baseline has one {tail}"
        return Inventory(inventory.stack, inventory.settings, kept)

    return change


def link(tail: str, prop: str, target: str) -> Change:
    """Let one input come from another resource."""

    def change(inventory: Inventory) -> Inventory:
        urn = next(r.urn for r in inventory.resources if r.urn.endswith(f"::{target}"))
        return _changed(
            inventory,
            tail,
            lambda r: replace(r, property_dependencies={**r.property_dependencies, prop: (urn,)}),
        )

    return change


def statement(**fields: object) -> str:
    """A policy document with one statement that allows."""
    return json.dumps({"Statement": [{"Effect": "Allow", **fields}]})


_REPLICATION = f"{S3}ReplicationConfig:BucketReplicationConfig::models"
_ENCRYPTION = f"{S3}ServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration::models"

MUTATIONS: Mapping[str, list[tuple[str, Change]]] = {
    "aws-s3-public-access-blocked": [
        (MODELS, put(f"{S3}PublicAccessBlock:BucketPublicAccessBlock::models", "restrictPublicBuckets", False)),
        (MODELS, without(f"{S3}PublicAccessBlock:BucketPublicAccessBlock::models")),
    ],
    "aws-s3-no-public-policy": [
        (
            MODELS,
            lambda i: put(
                f"{S3}Policy:BucketPolicy::models",
                "policy",
                _with_statement(i, {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}),
            )(i),
        )
    ],
    "aws-s3-tls-only": [
        (MODELS, put(f"{S3}Policy:BucketPolicy::models", "policy", json.dumps({"Statement": []}))),
        (MODELS, without(f"{S3}Policy:BucketPolicy::models")),
    ],
    "aws-s3-customer-key": [
        (MODELS, put(_ENCRYPTION, "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256")),
        (MODELS, put(_ENCRYPTION, "rules.0.bucketKeyEnabled", False)),
        (
            MODELS,
            put(_ENCRYPTION, "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", "alias/aws/s3"),
        ),
    ],
    "aws-s3-versioned": [
        (
            MODELS,
            put(f"{S3}Versioning:BucketVersioning::models", "versioningConfiguration.status", "Suspended"),
        )
    ],
    "aws-s3-acls-disabled": [
        (
            MODELS,
            put(f"{S3}OwnershipControls:BucketOwnershipControls::models", "rule.objectOwnership", "ObjectWriter"),
        )
    ],
    "aws-s3-access-logged": [(MODELS, without(f"{S3}Logging:BucketLogging::models"))],
    "aws-s3-lifecycle": [
        (
            MODELS,
            put(f"{S3}LifecycleConfiguration:BucketLifecycleConfiguration::models", "rules.0.status", "Disabled"),
        )
    ],
    "aws-s3-replicated-far": [
        (MODELS, put(_REPLICATION, "rules.0.status", "Disabled")),
        (MODELS, put(_REPLICATION, "rules.0.filter.prefix", "releases/")),
        (MODELS, without(_REPLICATION)),
    ],
    "aws-s3-replica-own-key": [
        (MODELS, link(_REPLICATION, "rules", KEY)),
        (MODELS, drop(_REPLICATION, "rules.0.destination.encryptionConfiguration")),
        (MODELS, put(_REPLICATION, "rules.0.sourceSelectionCriteria.sseKmsEncryptedObjects.status", "Disabled")),
    ],
    "aws-dynamodb-point-in-time-recovery": [
        (TABLE, put(TABLE, "pointInTimeRecovery.enabled", False)),
        (TABLE, drop(TABLE, "pointInTimeRecovery")),
    ],
    "aws-dynamodb-customer-key": [(TABLE, put(TABLE, "serverSideEncryption.kmsKeyArn", "alias/aws/dynamodb"))],
    "aws-dynamodb-deletion-protection": [(TABLE, put(TABLE, "deletionProtectionEnabled", False))],
    "aws-dynamodb-scales": [(TABLE, put(TABLE, "billingMode", "PROVISIONED"))],
    "aws-dynamodb-in-backup-plan": [
        (TABLE, put("aws:backup/selection:Selection::features", "resources", [])),
        (TABLE, put("aws:backup/selection:Selection::features", "resources.0", "arn:aws:s3:::models")),
    ],
    "aws-backup-copied-far": [
        ("aws:backup/plan:Plan::features", drop("aws:backup/plan:Plan::features", "rules.0.copyActions")),
        (
            "aws:backup/plan:Plan::features",
            put(
                "aws:backup/plan:Plan::features",
                "rules.0.copyActions.0.destinationVaultArn",
                "arn:aws:backup:eu-west-1:111122223333:backup-vault:primary",
            ),
        ),
    ],
    "aws-backup-vault-customer-key": [
        ("aws:backup/vault:Vault::away", drop("aws:backup/vault:Vault::away", "kmsKeyArn"))
    ],
    "aws-backup-vault-locked": [
        (
            "aws:backup/vault:Vault::away",
            without("aws:backup/vaultLockConfiguration:VaultLockConfiguration::away"),
        )
    ],
    "aws-kms-rotated": [(KEY, put(KEY, "enableKeyRotation", False)), (KEY, drop(KEY, "enableKeyRotation"))],
    "aws-kms-no-public-principal": [
        (KEY, put(KEY, "policy", statement(Principal={"AWS": "*"}, Action="kms:*", Resource="*")))
    ],
    "aws-kms-slow-deletion": [(KEY, put(KEY, "deletionWindowInDays", 7))],
    "aws-iam-no-full-admin": [
        (ROLE_POLICY, put(ROLE_POLICY, "policy", statement(Action="*", Resource="arn:aws:s3:::models/*")))
    ],
    "aws-iam-no-wildcard-data": [
        (ROLE_POLICY, put(ROLE_POLICY, "policy", statement(Action="s3:Get*", Resource="*"))),
        (ROLE_POLICY, put(ROLE_POLICY, "policy", statement(Action=["kms:Decrypt"], Resource=["*"]))),
    ],
    "aws-iam-no-admin-attached": [
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment::node",
            put(
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment::node",
                "policyArn",
                "arn:aws:iam::aws:policy/AdministratorAccess",
            ),
        )
    ],
    "aws-iam-trust-scoped": [
        (ROLE, put(ROLE, "assumeRolePolicy", statement(Principal="*", Action="sts:AssumeRole"))),
        (
            ROLE,
            put(
                ROLE,
                "assumeRolePolicy",
                statement(
                    Principal={"Federated": "issuer"},
                    Action="sts:AssumeRoleWithWebIdentity",
                    Condition={"StringLike": {"issuer:sub": "system:serviceaccount:*:*"}},
                ),
            ),
        ),
    ],
    "aws-eks-endpoint-closed": [
        (EKS, put(EKS, "vpcConfig.publicAccessCidrs", ["0.0.0.0/0"])),
        (EKS, drop(EKS, "vpcConfig.publicAccessCidrs")),
    ],
    "aws-eks-secrets-encrypted": [(EKS, drop(EKS, "encryptionConfig"))],
    "aws-eks-control-plane-logs": [(EKS, put(EKS, "enabledClusterLogTypes", ["api"]))],
    "aws-eks-deletion-protection": [(EKS, put(EKS, "deletionProtection", False))],
    "aws-eks-node-metadata-v2": [
        (TEMPLATE, put(TEMPLATE, "metadataOptions.httpTokens", "optional")),
        (TEMPLATE, put(TEMPLATE, "metadataOptions.httpPutResponseHopLimit", 2)),
    ],
    "aws-eks-node-volumes-encrypted": [(TEMPLATE, put(TEMPLATE, "blockDeviceMappings.0.ebs.encrypted", "false"))],
    "aws-eks-nodes-from-template": [(GROUP, drop(GROUP, "launchTemplate"))],
    "aws-eks-nodes-private": [
        (GROUP, put("aws:ec2/subnet:Subnet::a", "mapPublicIpOnLaunch", True)),
        (GROUP, link("aws:ec2/route:Route::out", "gatewayId", "aws:ec2/internetGateway:InternetGateway::gateway")),
    ],
    "aws-eks-no-open-ssh": [(GROUP, put(GROUP, "remoteAccess", {"ec2SshKey": "key"}))],
    "aws-eks-gpu-pool-tainted": [(GROUP, put(GROUP, "taints.0.effect", "PREFER_NO_SCHEDULE"))],
    "aws-ecr-immutable-tags": [(ECR, put(ECR, "imageTagMutability", "MUTABLE"))],
    "aws-ecr-customer-key": [(ECR, put(ECR, "encryptionConfigurations.0.encryptionType", "AES256"))],
    "aws-logs-retained": [(LOGS, drop(LOGS, "retentionInDays"))],
    "aws-logs-customer-key": [(LOGS, drop(LOGS, "kmsKeyId"))],
    "gcp-gcs-public-access-prevented": [(GCS, put(GCS, "publicAccessPrevention", "inherited"))],
    "gcp-gcs-no-public-grant": [
        (
            "gcp:storage/bucketIAMMember:BucketIAMMember::fleet",
            put("gcp:storage/bucketIAMMember:BucketIAMMember::fleet", "member", "allUsers"),
        )
    ],
    "gcp-gcs-uniform-access": [(GCS, put(GCS, "uniformBucketLevelAccess", False))],
    "gcp-gcs-versioned": [(GCS, put(GCS, "versioning.enabled", False))],
    "gcp-gcs-customer-key": [(GCS, drop(GCS, "encryption"))],
    "gcp-gcs-soft-delete": [(GCS, put(GCS, "softDeletePolicy", {"retentionDurationSeconds": 0}))],
    "gcp-gcs-copied-far": [
        (GCS, put("gcp:storage/transferJob:TransferJob::models", "status", "DISABLED")),
        (GCS, without("gcp:storage/transferJob:TransferJob::models")),
    ],
    "gcp-gcs-copy-own-key": [
        (GCS, link("gcp:storage/bucket:Bucket::copy", "encryption", CRYPTO_KEY)),
        (GCS, put("gcp:kms/keyRing:KeyRing::recovery", "location", "us-central1")),
    ],
    "gcp-redis-tls": [(REDIS, put(REDIS, "transitEncryptionMode", "DISABLED"))],
    "gcp-redis-auth": [(REDIS, put(REDIS, "authEnabled", False)), (REDIS, drop(REDIS, "authEnabled"))],
    "gcp-redis-customer-key": [(REDIS, drop(REDIS, "customerManagedKey"))],
    "gcp-redis-persistent": [(REDIS, put(REDIS, "persistenceConfig.persistenceMode", "DISABLED"))],
    "gcp-redis-private": [
        (REDIS, drop(REDIS, "authorizedNetwork")),
        (REDIS, put(REDIS, "authorizedNetwork", "projects/p/global/networks/default")),
    ],
    "gcp-redis-failover": [(REDIS, put(REDIS, "tier", "BASIC"))],
    "gcp-redis-exported-far": [
        (REDIS, put("gcp:cloudscheduler/job:Job::export", "paused", True)),
        (REDIS, put("gcp:cloudscheduler/job:Job::export", "httpTarget.uri", "https://example.com/other")),
    ],
    "gcp-kms-rotated": [
        (CRYPTO_KEY, put(CRYPTO_KEY, "rotationPeriod", "31536000s")),
        (CRYPTO_KEY, drop(CRYPTO_KEY, "rotationPeriod")),
    ],
    "gcp-kms-slow-destruction": [(CRYPTO_KEY, put(CRYPTO_KEY, "destroyScheduledDuration", "86400s"))],
    "gcp-kms-no-public-grant": [
        (
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember::storage",
            put("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember::storage", "member", "allAuthenticatedUsers"),
        )
    ],
    "gcp-iam-no-broad-role": [
        (
            "gcp:projects/iAMMember:IAMMember::node",
            put("gcp:projects/iAMMember:IAMMember::node", "role", "roles/editor"),
        )
    ],
    "gcp-gke-endpoint-closed": [
        (GKE, put(GKE, "masterAuthorizedNetworksConfig.cidrBlocks.0.cidrBlock", "0.0.0.0/0")),
        (GKE, drop(GKE, "masterAuthorizedNetworksConfig")),
    ],
    "gcp-gke-private-nodes": [(GKE, put(GKE, "privateClusterConfig.enablePrivateNodes", False))],
    "gcp-gke-workload-identity": [(GKE, drop(GKE, "workloadIdentityConfig"))],
    "gcp-gke-secrets-encrypted": [(GKE, put(GKE, "databaseEncryption.state", "DECRYPTED"))],
    "gcp-gke-observed": [(GKE, put(GKE, "loggingConfig.enableComponents", ["SYSTEM_COMPONENTS"]))],
    "gcp-gke-deletion-protection": [(GKE, put(GKE, "deletionProtection", False))],
    "gcp-gke-release-channel": [(GKE, put(GKE, "releaseChannel.channel", "UNSPECIFIED"))],
    "gcp-gke-shielded-nodes": [(POOL, put(POOL, "nodeConfig.shieldedInstanceConfig.enableSecureBoot", False))],
    "gcp-gke-node-own-account": [
        (POOL, drop(POOL, "nodeConfig.serviceAccount")),
        (POOL, put(POOL, "nodeConfig.serviceAccount", "1-compute@developer.gserviceaccount.com")),
    ],
    "gcp-gke-node-metadata-hidden": [(POOL, put(POOL, "nodeConfig.workloadMetadataConfig.mode", "GCE_METADATA"))],
    "gcp-gke-node-disk-customer-key": [(POOL, drop(POOL, "nodeConfig.bootDiskKmsKey"))],
    "gcp-gke-node-upkeep": [(POOL, put(POOL, "management.autoRepair", False))],
    "gcp-gke-gpu-pool-tainted": [(POOL, drop(POOL, "nodeConfig.taints"))],
    "gcp-registry-customer-key": [
        (
            "gcp:artifactregistry/repository:Repository::serving",
            drop("gcp:artifactregistry/repository:Repository::serving", "kmsKeyName"),
        )
    ],
    "gcp-registry-immutable-tags": [
        (
            "gcp:artifactregistry/repository:Repository::serving",
            put("gcp:artifactregistry/repository:Repository::serving", "dockerConfig.immutableTags", False),
        )
    ],
    "k8s-pods-restricted": [
        (DEPLOYMENT, put(DEPLOYMENT, f"{POD}.securityContext.runAsNonRoot", False)),
        (DEPLOYMENT, drop(DEPLOYMENT, f"{POD}.securityContext.seccompProfile")),
        (DEPLOYMENT, put(DEPLOYMENT, f"{CONTAINER}.securityContext.capabilities.drop", [])),
        (DEPLOYMENT, put(DEPLOYMENT, f"{CONTAINER}.securityContext.allowPrivilegeEscalation", True)),
        (DEPLOYMENT, put(DEPLOYMENT, f"{CONTAINER}.securityContext.runAsNonRoot", False)),
        (DEPLOYMENT, put(DEPLOYMENT, f"{POD}.hostNetwork", True)),
        (DEPLOYMENT, put(DEPLOYMENT, f"{POD}.volumes.0", {"name": "x", "hostPath": {"path": "/"}})),
    ],
    "k8s-images-by-digest": [(DEPLOYMENT, put(DEPLOYMENT, f"{CONTAINER}.image", "registry.example/triton:26.01"))],
    "k8s-probes": [(DEPLOYMENT, drop(DEPLOYMENT, f"{CONTAINER}.readinessProbe"))],
    "k8s-resources-sized": [(DEPLOYMENT, drop(DEPLOYMENT, f"{CONTAINER}.resources.limits"))],
    "k8s-network-fenced": [
        (DEPLOYMENT, without(NETWORK)),
        (DEPLOYMENT, put(NETWORK, "spec.policyTypes", ["Ingress"])),
        (DEPLOYMENT, put(NETWORK, "metadata.namespace", "elsewhere")),
        (DEPLOYMENT, put(NETWORK, "spec.podSelector.matchLabels", {"app.kubernetes.io/name": "other"})),
    ],
    "k8s-network-ports-named": [
        (DEPLOYMENT, put(NETWORK, "spec.ingress.0.ports", [{"port": 8000}, {"port": 8001}])),
        (DEPLOYMENT, drop(NETWORK, "spec.ingress.0.from")),
        (DEPLOYMENT, put(NETWORK, "spec.ingress", [])),
    ],
    "k8s-namespace-restricted": [
        (
            "kubernetes:core/v1:Namespace::serving",
            put(
                "kubernetes:core/v1:Namespace::serving",
                "metadata.labels",
                {"pod-security.kubernetes.io/enforce": "baseline"},
            ),
        )
    ],
    "k8s-rbac-no-wildcards": [
        (
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole::reader",
            put("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole::reader", "rules.0.verbs", ["*"]),
        )
    ],
    "k8s-service-inside-only": [
        (
            "kubernetes:core/v1:Service::triton",
            put("kubernetes:core/v1:Service::triton", "spec.type", "LoadBalancer"),
        )
    ],
}


def _with_statement(inventory: Inventory, added: Mapping[str, object]) -> str:
    policy = next(r for r in inventory.resources if r.urn.endswith(f"::{S3}Policy:BucketPolicy::models"))
    document = json.loads(policy.inputs["policy"])
    return json.dumps({**document, "Statement": [*document["Statement"], added]})


_CASES = [
    pytest.param(rule, subject, change, id=f"{rule}-{index}")
    for rule, changes in MUTATIONS.items()
    for index, (subject, change) in enumerate(changes)
]


def _failing(inventory: Inventory) -> set[tuple[str, str]]:
    return {
        (finding.rule.id, finding.urn.partition("::seawall::")[2])
        for finding in evaluate(inventory)
        if finding.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    }


@pytest.mark.parametrize(("rule", "subject", "change"), _CASES)
def test_breaking_one_thing_fails_exactly_its_rule_on_its_resource(
    baselines: dict[str, Inventory], rule: str, subject: str, change: Change
) -> None:
    broken = change(baselines[rule.split("-")[0]])
    assert _failing(broken) == {(rule, subject)}, "one broken thing is one finding"


@pytest.mark.parametrize(("rule", "subject", "change"), [case for case in _CASES if isinstance(case.values[2], Put)])
def test_hiding_what_a_rule_looks_at_is_never_a_pass(
    baselines: dict[str, Inventory], rule: str, subject: str, change: Put
) -> None:
    hidden = change.hidden(baselines[rule.split("-")[0]])
    verdict = next(f.verdict for f in evaluate(hidden) if f.rule.id == rule and f.urn.endswith(f"::{subject}"))
    assert verdict in (Verdict.UNKNOWN, Verdict.FAIL), "an unknown value proves nothing"


@pytest.mark.parametrize("cloud", ["aws", "gcp", "k8s"])
def test_a_compliant_stack_has_nothing_failing_or_unknown(baselines: dict[str, Inventory], cloud: str) -> None:
    assert _failing(baselines[cloud]) == set()


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_each_rule_says_pass_on_its_baseline(baselines: dict[str, Inventory], rule: str) -> None:
    verdicts = {f.verdict for f in evaluate(baselines[rule.split("-")[0]]) if f.rule.id == rule}
    assert Verdict.PASS in verdicts, "a rule that never applies would never be tested"


def test_every_rule_has_a_mutation() -> None:
    assert {rule for rule, changes in MUTATIONS.items() if changes} == {rule.id for rule in RULES}


@pytest.mark.parametrize("cloud", ["aws", "gcp", "k8s"])
def test_hiding_any_one_input_never_turns_a_verdict_into_another_pass_or_a_crash(
    baselines: dict[str, Inventory], cloud: str
) -> None:
    inventory = baselines[cloud]
    before = {f.key: f.verdict for f in evaluate(inventory)}
    for resource in inventory.resources:
        for prop in resource.inputs:
            hidden = replace(
                resource,
                inputs={**resource.inputs, prop: UNKNOWN},
                unknown_paths=(prop,),
                property_dependencies={},
            )
            resources = tuple(hidden if r is resource else r for r in inventory.resources)
            after = evaluate(Inventory(inventory.stack, inventory.settings, resources))
            newly = [f.key for f in after if f.verdict is Verdict.PASS and before.get(f.key) is not Verdict.PASS]
            assert newly == [], f"{resource.name}.{prop} became unknown, which proves nothing"
