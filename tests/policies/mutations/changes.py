"""Small changes of a planned stack: an input set or left out, a resource added or gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from policies.inventory import UNKNOWN, Inventory, Resource

Change = Callable[[Inventory], Inventory]
GONE = object()
HIDDEN = object()
NEW = "new"


@dataclass(frozen=True)
class Mutation:
    """One change of one cloud's production stack, and the rule that must find it (empty: it is harmless)."""

    name: str
    change: Change
    rule: str = ""
    clouds: tuple[str, ...] = ("aws", "gcp")


def find(stack: Inventory, kind: str, name: str, namespace: str = "") -> Resource:
    """The object of a kind and name; of a namespace, where the name alone is not enough."""
    found = [
        each
        for each in stack.resources
        if each.type.endswith(f":{kind}")
        and each.name == name
        and namespace in ("", each.inputs.get("metadata", {}).get("namespace"))
    ]
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]


def put(kind: str, name: str, *edits: tuple[str, Any], namespace: str = "") -> Change:
    """Set inputs of one object, by dotted paths; `GONE` leaves one out, `HIDDEN` makes it unknown, `+` appends."""

    def change(stack: Inventory) -> Inventory:
        before = find(stack, kind, name, namespace)
        inputs, unknown = deepcopy(dict(before.inputs)), list(before.unknown_paths)
        for path, value in edits:
            _set(
                inputs,
                path.replace("\\.", "\0").split("."),
                UNKNOWN if value is HIDDEN else value if value is GONE else deepcopy(value),
            )
            if value is HIDDEN:
                unknown.append(path)
        after = replace(before, inputs=inputs, unknown_paths=tuple(unknown))
        return replace(stack, resources=tuple(after if each is before else each for each in stack.resources))

    return change


def _set(node: Any, parts: list[str], value: Any) -> None:
    head, *rest = (part.replace("\0", ".") for part in parts)
    if isinstance(node, list):
        if head == "+":
            node.append(value)
        elif rest:
            _set(node[int(head)], [part.replace(".", "\0") for part in rest], value)
        elif value is GONE:
            del node[int(head)]
        else:
            node[int(head)] = value
    elif rest:
        missing: Any = [] if rest[0] in ("+", "0") else {}
        _set(node.setdefault(head, missing), [part.replace(".", "\0") for part in rest], value)
    elif value is GONE:
        node.pop(head, None)
    else:
        node[head] = value


def add(token: str, inputs: Mapping[str, Any], *, custom: bool = True) -> Change:
    """One more resource."""

    def change(stack: Inventory) -> Inventory:
        new = Resource(NEW, token, NEW, custom, inputs=deepcopy(dict(inputs)))
        return replace(stack, resources=(*stack.resources, new))

    return change


def drop(kind: str, name: str, namespace: str = "") -> Change:
    """One resource less."""

    def change(stack: Inventory) -> Inventory:
        gone = find(stack, kind, name, namespace)
        return replace(stack, resources=tuple(each for each in stack.resources if each is not gone))

    return change


def option(kind: str, name: str, **told: Any) -> Change:
    """Change one object's options, as `ignore_changes`."""

    def change(stack: Inventory) -> Inventory:
        before = find(stack, kind, name)
        after = replace(before, **told)
        return replace(stack, resources=tuple(after if each is before else each for each in stack.resources))

    return change


def both(*changes: Change) -> Change:
    """Several changes at once."""

    def change(stack: Inventory) -> Inventory:
        for each in changes:
            stack = each(stack)
        return stack

    return change
