"""Pulumi's state of a stack as an inventory, so that what is deployed is read like a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policies.inventory import Inventory
from policies.registration import STACK_TYPE, Registration, inventory_of


def deployed_inventory(stack: str, exported: Mapping[str, Any]) -> Inventory:
    """The inventory of what `pulumi stack export` tells; secrets are masked, whatever form they are in.

    A stack that was never brought up has no resources.
    """
    found: Sequence[Mapping[str, Any]] = (exported.get("deployment") or {}).get("resources") or ()
    live = [resource for resource in found if not resource.get("delete")]
    outputs = next((r.get("outputs") or {} for r in live if r["type"] == STACK_TYPE), {})
    registrations = {r["urn"]: _registration(r) for r in live if r["type"] != STACK_TYPE}
    return inventory_of(stack, None, registrations, outputs)


def _registration(resource: Mapping[str, Any]) -> Registration:
    return Registration(
        urn=resource["urn"],
        type=resource["type"],
        name=resource["urn"].rpartition("::")[2],
        custom=bool(resource.get("custom")),
        parent=resource.get("parent") or None,
        inputs=resource.get("inputs") or {},
        provider=str(resource.get("provider") or "").rpartition("::")[0] or None,
        dependencies=tuple(sorted(resource.get("dependencies") or ())),
        property_dependencies={
            name: tuple(sorted(urns)) for name, urns in (resource.get("propertyDependencies") or {}).items() if urns
        },
        protect=bool(resource.get("protect")),
        retain_on_delete=bool(resource.get("retainOnDelete")),
        aliases=tuple(resource.get("aliases") or ()),
        outputs=resource.get("outputs") or {} if not resource.get("custom") else {},
    )
