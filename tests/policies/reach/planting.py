"""Faults planted in a plan: whole resources, and single inputs of those that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policies.inventory import UNKNOWN, Inventory, Resource

Change = Callable[[Inventory], Inventory]

GONE = object()
"""Stands for an input that is left out."""


@dataclass(frozen=True)
class To:
    """An input that comes from a resource of the plan, named by the end of its type and its name."""

    type: str
    name: str


def the(inventory: Inventory, kind: str, name: str = "") -> Resource:
    """The resource of a kind, as `ec2/vpc:Vpc`, with this name."""
    found = [r for r in inventory.resources if r.type.endswith(kind) and name in ("", r.name)]
    assert found, f"the plan has no {kind} {name}"
    return found[0]


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping | list):
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        return [leaf for key, item in entries for leaf in _leaves(item, f"{path}.{key}" if path else str(key))]
    return [(path, value)]


def _plain(value: Any) -> Any:
    if isinstance(value, To):
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not GONE}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def add(token: str, inputs: Mapping[str, Any] | None = None, name: str = "planted") -> Change:
    """Add one resource; leaves of its inputs may be `To`, or `UNKNOWN`."""

    def change(before: Inventory) -> Inventory:
        leaves = _leaves(inputs or {})
        links: dict[str, tuple[str, ...]] = {}
        for path, leaf in leaves:
            if isinstance(leaf, To):
                prop = path.split(".", 1)[0]
                links[prop] = (*links.get(prop, ()), the(before, leaf.type, leaf.name).urn)
        region = before.settings.get("region")
        added = Resource(
            urn=f"urn:pulumi:planted::seawall::{token}::{name}",
            type=token,
            name=name,
            custom=True,
            inputs=_plain(inputs or {}),
            unknown_paths=tuple(path for path, leaf in leaves if isinstance(leaf, To) or leaf == UNKNOWN),
            property_dependencies=links,
            region=str(region) if token.startswith("aws:") else None,
        )
        return replace(before, resources=(*before.resources, added))

    return change


def _put(value: Any, path: list[str], new: Any) -> Any:
    if not path:
        return new
    head, *rest = path
    if isinstance(value, list):
        index = int(head)
        items = [*value, *([{}] * (index + 1 - len(value)))]
        return [_put(item, rest, new) if i == index else item for i, item in enumerate(items)]
    entries = dict(value) if isinstance(value, Mapping) else {}
    if not rest and new is GONE:
        return {key: item for key, item in entries.items() if key != head}
    missing: Any = [] if rest and rest[0].isdigit() else {}
    return {**entries, head: _put(entries.get(head, missing), rest, new)}


def edit(kind: str, path: str, value: Any, name: str = "") -> Change:
    """Set one input of a resource of the plan; `GONE` leaves it out. What is written in feeds on no resource."""

    def change(before: Inventory) -> Inventory:
        target = the(before, kind, name)
        hidden = [u for u in target.unknown_paths if u != path and not u.startswith(f"{path}.")]
        prop = path.split(".", 1)[0]
        fed = value == UNKNOWN or any(u == prop or u.startswith(f"{prop}.") for u in hidden)
        links = {p: urns for p, urns in target.property_dependencies.items() if fed or p != prop}
        made = replace(
            target,
            inputs=_put(target.inputs, path.split("."), value),
            unknown_paths=(*hidden, *((path,) if value == UNKNOWN else ())),
            property_dependencies=links,
        )
        return replace(before, resources=tuple(made if r is target else r for r in before.resources))

    return change


def remove(kind: str, name: str = "") -> Change:
    """Leave one resource out."""

    def change(before: Inventory) -> Inventory:
        target = the(before, kind, name)
        return replace(before, resources=tuple(r for r in before.resources if r is not target))

    return change


def several(*changes: Change) -> Change:
    """Several changes at once."""

    def change(before: Inventory) -> Inventory:
        for each in changes:
            before = each(before)
        return before

    return change
