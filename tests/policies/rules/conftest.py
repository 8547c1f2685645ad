"""Compliant stacks, written by hand: each mutation test breaks one thing in one of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from policies.inventory import UNKNOWN, Inventory, Resource

Make = Callable[..., Resource]
Stack = Callable[[Mapping[str, Any], Sequence[Resource]], Inventory]

HERE, AWAY = "europe-west1", "europe-north1"
DIGEST = "registry.example/triton@sha256:" + "a" * 64


@pytest.fixture(scope="session")
def gcp_settings() -> dict[str, Any]:
    """A production stack on Google Cloud, as far as rules look at settings."""
    return {
        "cloud": "gcp",
        "environment": "prod",
        "region": "europe-west1",
        "backup": {"region": "europe-north1", "min_distance_km": 400},
        "opt_outs": {},
    }


@pytest.fixture(scope="session")
def gcp(make: Make, stack: Stack, gcp_settings: dict[str, Any]) -> Inventory:
    """A compliant production stack on Google Cloud."""
    parts: list[Resource] = []
    keys: dict[str, Resource] = {}
    for name, region in (("data", HERE), ("recovery", AWAY)):
        ring = make("gcp:kms/keyRing:KeyRing", name, {"name": name, "location": region}, region=region)
        keys[name] = make(
            "gcp:kms/cryptoKey:CryptoKey",
            name,
            {"name": name, "keyRing": UNKNOWN, "rotationPeriod": "7776000s"},
            region=region,
            links={"keyRing": [ring]},
            unknown=["keyRing"],
        )
        parts += [ring, keys[name]]
    for name, region, key in (("models", HERE, "data"), ("copy", AWAY, "recovery")):
        inputs = {
            "name": name,
            "location": region,
            "publicAccessPrevention": "enforced",
            "uniformBucketLevelAccess": True,
            "versioning": {"enabled": True},
            "encryption": {"defaultKmsKeyName": UNKNOWN},
        }
        unknown = ["encryption.defaultKmsKeyName"]
        links = {"encryption": [keys[key]]}
        parts.append(make("gcp:storage/bucket:Bucket", name, inputs, region=region, links=links, unknown=unknown))
    return stack(gcp_settings, [*parts, *_google_data(make, keys["data"]), *_gke(make, keys["data"])])


def _google_data(make: Make, key: Resource) -> list[Resource]:
    transfer = {"gcsDataSource": {"bucketName": "models"}, "gcsDataSink": {"bucketName": "copy"}}
    network = make("gcp:compute/network:Network", "network")
    redis = make(
        "gcp:redis/instance:Instance",
        "features",
        {
            "name": "features",
            "tier": "STANDARD_HA",
            "transitEncryptionMode": "SERVER_AUTHENTICATION",
            "authEnabled": True,
            "customerManagedKey": UNKNOWN,
            "authorizedNetwork": UNKNOWN,
            "persistenceConfig": {"persistenceMode": "RDB"},
        },
        region=HERE,
        links={"customerManagedKey": [key], "authorizedNetwork": [network]},
        unknown=["customerManagedKey", "authorizedNetwork"],
    )
    body = json.dumps({"outputConfig": {"gcsDestination": {"uri": "gs://copy/features.rdb"}}})
    target = {
        "uri": f"https://redis.googleapis.com/v1/projects/p/locations/{HERE}/instances/features:export",
        "body": base64.b64encode(body.encode()).decode(),
    }
    return [
        make("gcp:storage/transferJob:TransferJob", "models", {"transferSpec": transfer, "status": "ENABLED"}),
        make("gcp:storage/bucketIAMMember:BucketIAMMember", "fleet", {"member": "serviceAccount:fleet@p"}),
        make("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "storage", {"member": "serviceAccount:storage@p"}),
        make("gcp:projects/iAMMember:IAMMember", "node", {"role": "roles/logging.logWriter", "member": "x"}),
        make("gcp:cloudscheduler/job:Job", "export", {"httpTarget": target}, region=HERE),
        network,
        redis,
    ]


def _gke(make: Make, key: Resource) -> list[Resource]:
    cluster = make(
        "gcp:container/cluster:Cluster",
        "cluster",
        {
            "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
            "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "192.0.2.0/24"}]},
            "workloadIdentityConfig": {"workloadPool": "p.svc.id.goog"},
            "databaseEncryption": {"state": "ENCRYPTED", "keyName": UNKNOWN},
            "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
            "monitoringConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]},
            "deletionProtection": True,
            "releaseChannel": {"channel": "REGULAR"},
        },
        links={"databaseEncryption": [key]},
        unknown=["databaseEncryption.keyName"],
    )
    pool = make(
        "gcp:container/nodePool:NodePool",
        "gpu",
        {
            "management": {"autoRepair": True, "autoUpgrade": True},
            "nodeConfig": {
                "serviceAccount": "nodes@p.iam.gserviceaccount.com",
                "bootDiskKmsKey": UNKNOWN,
                "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
                "workloadMetadataConfig": {"mode": "GKE_METADATA"},
                "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
                "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
            },
        },
        links={"nodeConfig": [key]},
        unknown=["nodeConfig.bootDiskKmsKey"],
    )
    repository = make(
        "gcp:artifactregistry/repository:Repository",
        "serving",
        {"kmsKeyName": UNKNOWN, "dockerConfig": {"immutableTags": True}},
        links={"kmsKeyName": [key]},
        unknown=["kmsKeyName"],
    )
    return [cluster, pool, repository]


@pytest.fixture(scope="session")
def kubernetes(make: Make, stack: Stack, aws_settings: dict[str, Any]) -> Inventory:
    """A compliant fleet."""
    labels = {"app.kubernetes.io/name": "triton"}
    container = {
        "name": "triton",
        "image": DIGEST,
        "ports": [{"containerPort": port} for port in (8000, 8001, 8002)],
        "resources": {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"memory": "8Gi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"httpGet": {"path": "/v2/health/ready"}},
        "livenessProbe": {"httpGet": {"path": "/v2/health/live"}},
    }
    pod = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    deployment = make(
        "kubernetes:apps/v1:Deployment",
        "triton",
        {"metadata": {"namespace": "serving"}, "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}}},
    )
    peers = [{"namespaceSelector": {"matchLabels": {"client": "true"}}}]
    allow = {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers, "ports": [{"port": port} for port in (8000, 8001, 8002)]}],
    }
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    rights = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    parts = [
        make("kubernetes:core/v1:Namespace", "serving", {"metadata": {"name": "serving", "labels": level}}),
        deployment,
        make(
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            "triton",
            {"metadata": {"namespace": "serving"}, "spec": allow},
        ),
        make("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "reader", {"rules": [rights]}),
        make("kubernetes:core/v1:Service", "triton", {"spec": {"type": "ClusterIP"}}),
    ]
    return stack(aws_settings, parts)


@pytest.fixture(scope="session")
def baselines(aws: Inventory, gcp: Inventory, kubernetes: Inventory) -> dict[str, Inventory]:
    """The compliant stacks by the first word of a rule's id."""
    return {"aws": aws, "gcp": gcp, "k8s": kubernetes}
