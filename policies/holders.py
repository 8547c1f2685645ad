"""Who holds a role of the cluster, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.checks import is_hidden, read
from policies.declared_rights import accounts_in
from policies.inventory import Inventory, Resource
from policies.tokens import CLUSTER_ROLE_BINDING, KUBE_ROLE, ROLE_BINDING

CLUSTER_ROLE: Final = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
EVERYWHERE: Final = "*"


@dataclass(frozen=True)
class Holder:
    """A subject of a binding, and the namespace in which it holds the role; `*` is the whole cluster."""

    kind: str
    namespace: str
    name: str
    scope: str


def scope_of(binding: Resource) -> str:
    """Where a binding gives its role."""
    return EVERYWHERE if binding.type == CLUSTER_ROLE_BINDING else str(read(binding, "metadata.namespace"))


def role_of(binding: Resource, inventory: Inventory) -> Resource | None:
    """The role of the stack that a binding gives."""
    return next((role for role in inventory.of_type(KUBE_ROLE, CLUSTER_ROLE) if gives(binding, role)), None)


def gives(binding: Resource, role: Resource) -> bool:
    """Whether a binding gives this role: by kind and name, and a Role only in its own namespace."""
    kind, name = read(binding, "roleRef.kind"), read(binding, "roleRef.name")
    if is_hidden(name) or name != read(role, "metadata.name"):
        return False
    if role.type == CLUSTER_ROLE:
        return kind == "ClusterRole"
    return kind == "Role" and read(binding, "metadata.namespace") == read(role, "metadata.namespace")


def holders_of(role: Resource, inventory: Inventory) -> Iterator[Holder]:
    """Everyone whom the stack gives a role."""
    for binding in inventory.of_type(ROLE_BINDING, CLUSTER_ROLE_BINDING):
        if gives(binding, role):
            place = read(binding, "metadata.namespace")
            for kind, namespace, name in accounts_in(binding.get("subjects"), place):
                yield Holder(kind, namespace, name, scope_of(binding))
