"""Words in which changes of the production plan on Google Cloud are told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from policies.inventory import Inventory
from tests.policies.reach.planting import GONE, Change, To, add, several, the

PROJECT = "acme-serving-prod"
POOL = "projects/333344445555/locations/global/workloadIdentityPools/github"
MEMBER = "projects/iAMMember:IAMMember"
CLUSTER = "container/cluster:Cluster"
NODES = "container/nodePool:NodePool"
BUCKET = "storage/bucket:Bucket"
KEY = "kms/cryptoKey:CryptoKey"
REDIS = "redis/instance:Instance"
REGISTRY = "artifactregistry/repository:Repository"
ALERT = "monitoring/alertPolicy:AlertPolicy"
FLEET = f"serviceAccount:seawall-prod-fleet@{PROJECT}.iam.gserviceaccount.com"
STRANGER = "serviceAccount:x@elsewhere.iam.gserviceaccount.com"
NETWORK = To("compute/network:Network", "network")
DATA_KEY = To("kms/cryptoKey:CryptoKey", "data")


def gcp(kind: str, **inputs: Any) -> Change:
    """Add a resource of Google Cloud: `kms/cryptoKey` is its type in short."""
    last = kind.rsplit("/", 1)[-1]
    return add(f"gcp:{kind}:{last[0].upper()}{last[1:]}", inputs)


def unprotected(kind: str, name: str) -> Change:
    def change(before: Inventory) -> Inventory:
        target = the(before, kind, name)
        made = replace(target, protect=False)
        return replace(before, resources=tuple(made if r is target else r for r in before.resources))

    return change


def ignoring(kind: str, name: str, *paths: str) -> Change:
    def change(before: Inventory) -> Inventory:
        target = the(before, kind, name)
        made = replace(target, ignore_changes=paths)
        return replace(before, resources=tuple(made if r is target else r for r in before.resources))

    return change


def when(expression: str) -> dict[str, str]:
    return {"title": "t", "expression": expression}


def policy(*bindings: dict[str, Any]) -> str:
    return json.dumps({"bindings": list(bindings)})


def grant(role: str, member: str = FLEET, expression: str = "", **more: Any) -> Change:
    told = {"project": PROJECT, "role": role, "member": member, **more}
    return add(
        "gcp:projects/iAMMember:IAMMember", {**told, **({"condition": when(expression)} if expression else {})}
    )


def custom(*permissions: str, member: str = FLEET) -> Change:
    """A role of the project's own with these permissions, granted on the project."""
    role = {"roleId": "planted", "title": "planted", "permissions": list(permissions), "project": PROJECT}
    return several(
        add("gcp:projects/iAMCustomRole:IAMCustomRole", role, "planted-role"),
        grant(f"projects/{PROJECT}/roles/planted", member),
    )


def provider(**inputs: Any) -> Change:
    told = {
        "workloadIdentityPoolId": "github",
        "workloadIdentityPoolProviderId": "github",
        "attributeMapping": {"google.subject": "assertion.sub", "attribute.repository": "assertion.repository"},
        "attributeCondition": "assertion.repository == 'acme/serving'",
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        **inputs,
    }
    pool = add("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", {"workloadIdentityPoolId": "github"}, "pool")
    token = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
    return several(pool, add(token, {k: v for k, v in told.items() if v is not GONE}))


def instance(**inputs: Any) -> Change:
    told = {
        "name": "planted",
        "machineType": "e2-small",
        "networkInterfaces": [{"network": NETWORK}],
        "bootDisk": {"kmsKeySelfLink": DATA_KEY},
        "shieldedInstanceConfig": {"enableSecureBoot": True, "enableVtpm": True, "enableIntegrityMonitoring": True},
        "serviceAccount": {"email": FLEET.removeprefix("serviceAccount:"), "scopes": ["cloud-platform"]},
        "metadata": {"block-project-ssh-keys": "true", "enable-oslogin": "true"},
        **inputs,
    }
    return add("gcp:compute/instance:Instance", told)


ACCOUNT = To("serviceaccount/account:Account", "fleet")
MODELS = "seawall-prod-models-acme-serving-prod-europe-west4"
