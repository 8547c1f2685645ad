"""What lies in a namespace of the stack is made after it, and goes before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from policies.inventory import Inventory, Resource
from stacks.files import platform_names

NAMESPACE = "kubernetes:core/v1:Namespace"


def waited_for(inventory: Inventory, resource: Resource) -> set[str]:
    """The URNs of all that is there before a resource; of a component, all that it holds."""
    children: dict[str | None, list[str]] = {}
    for each in inventory.resources:
        children.setdefault(each.parent, []).append(each.urn)
    found: set[str] = set()
    ahead = [resource.urn]
    while ahead:
        this = inventory.by_urn[ahead.pop()]
        before = [*this.dependencies, *(urn for urns in this.property_dependencies.values() for urn in urns)]
        inside = [] if this.custom else children.get(this.urn, [])
        ahead += [urn for urn in (*before, *inside) if urn in inventory.by_urn and urn not in found]
        found |= set(ahead)
    return found


def too_early(inventory: Inventory) -> list[str]:
    """Objects that may be asked for before the stack's own namespace that they are in."""
    made: Mapping[str, str] = {r.get("metadata.name"): r.urn for r in inventory.of_type(NAMESPACE)}
    return [
        f"{resource.type} {resource.name}"
        for resource in inventory.resources
        if resource.type.startswith("kubernetes:")
        and (own := made.get(str(resource.get("metadata.namespace") or resource.get("namespace")))) is not None
        and own not in waited_for(inventory, resource)
    ]


@pytest.mark.parametrize("stack", platform_names())
def test_every_object_waits_for_its_namespace(stack: str, plans: dict[str, Inventory]) -> None:
    assert too_early(plans[stack]) == []


def test_an_object_that_does_not_wait_is_found(plans: dict[str, Inventory]) -> None:
    inventory = plans["dev-aws"]
    loose = tuple(
        replace(r, dependencies=(), property_dependencies={}) if r.name == "gateway-door" else r
        for r in inventory.resources
    )
    assert [each.rpartition(" ")[2] for each in too_early(replace(inventory, resources=loose))] == ["gateway-door"]
