"""Custom roles of Google Cloud that are known: those that bootstrap makes, and what their permissions are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.permissions import needed
from common.permissions.gcp import GCP
from components.contracts import gcp_roles
from policies.inventory import Inventory

_DEPLOYS: Final = needed(GCP, GCP) | {
    "iam.serviceAccounts.setIamPolicy",
    "container.clusterRoleBindings.create",
    "container.clusters.getCredentials",
    "container.clusterRoles.bind",
    "container.clusterRoles.escalate",
    "container.roles.bind",
    "container.roles.escalate",
    "container.secrets.get",
    "container.thirdPartyObjects.create",
}
"""What the stack's own resources need of who deploys them; in a custom role it is there on purpose."""
_OWN: Final = (
    frozenset(p for listed in (*gcp_roles.WRITES.values(), *gcp_roles.DRILLS.values()) for p in listed)
    | frozenset(gcp_roles.EXPORTS.values())
    | frozenset(gcp_roles.DRILL)
)


def bootstrap_roles(inventory: Inventory) -> Mapping[str, frozenset[str]]:
    """Id → permissions of the roles that bootstrap makes for the stack's environment, and for its kind of store."""
    settings = inventory.settings
    store = settings.get("feature_store")
    kind = store.get("kind") if isinstance(store, Mapping) else None
    environment = settings.get("environment")
    if isinstance(environment, str) and isinstance(kind, str):
        try:
            return {k: frozenset(v) for k, v in gcp_roles.own_roles(environment, kind).items()}
        except (KeyError, ValueError):
            return {}
    return {}


def meant_by(inventory: Inventory, role: str) -> frozenset[str]:
    """What a custom role of this name is for; a role of a bootstrap stack may be the deployers'."""
    if "environments" in inventory.settings:
        return _DEPLOYS | _OWN
    return bootstrap_roles(inventory).get(role.rsplit("/", 1)[-1], frozenset()) & _OWN
