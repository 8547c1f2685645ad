"""Small changes of a planned stack: an input set or left out, a resource added or gone."""

from __future__ import annotations

import json
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
        if each.type.endswith(kind if ":" in kind else f":{kind}")
        and each.name == name
        and namespace in ("", each.inputs.get("metadata", {}).get("namespace"))
    ]
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]


def _instead(stack: Inventory, before: Resource, after: Resource) -> Inventory:
    return replace(stack, resources=tuple(after if each is before else each for each in stack.resources))


def put(kind: str, name: str, *edits: tuple[str, Any], namespace: str = "") -> Change:
    """Set inputs of one object, by dotted paths; `GONE` leaves one out, `HIDDEN` makes it unknown, `+` appends."""

    def change(stack: Inventory) -> Inventory:
        before = find(stack, kind, name, namespace)
        told = [path for path, value in edits if value is not HIDDEN]
        inputs = deepcopy(dict(before.inputs))
        unknown = [u for u in before.unknown_paths if not any(u == t or u.startswith(f"{t}.") for t in told)]
        for path, value in edits:
            _set(
                inputs,
                path.replace("\\.", "\0").split("."),
                UNKNOWN if value is HIDDEN else value if value is GONE else deepcopy(value),
            )
            if value is HIDDEN:
                unknown.append(path)
        after = replace(before, inputs=inputs, unknown_paths=tuple(unknown))
        return _instead(stack, before, after)

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


def inside(kind: str, name: str, text: str, *edits: tuple[str, Any]) -> Change:
    """Edit a document that one input of an object holds as JSON."""

    def change(stack: Inventory) -> Inventory:
        document = json.loads(find(stack, kind, name).inputs[text])
        for path, value in edits:
            _set(document, path.split("."), value if value is GONE else deepcopy(value))
        return put(kind, name, (text, json.dumps(document)))(stack)

    return change


def link(kind: str, name: str, prop: str, *targets: tuple[str, str]) -> Change:
    """Let an input come from other resources than it does; from none, where none are named."""

    def change(stack: Inventory) -> Inventory:
        before = find(stack, kind, name)
        urns = tuple(find(stack, *target).urn for target in targets)
        after = replace(before, property_dependencies={**before.property_dependencies, prop: urns})
        return _instead(stack, before, after)

    return change


def options(kind: str, name: str, **changes: Any) -> Change:
    """Change what the program asks of the engine, as `protect` or `ignore_changes`, and not of the cloud."""

    def change(stack: Inventory) -> Inventory:
        before = find(stack, kind, name)
        after = replace(before, **changes)
        return _instead(stack, before, after)

    return change


def moved(kind: str, name: str, region: str) -> Change:
    """Put a resource of AWS into another region."""
    return both(put(kind, name, ("region", region)), options(kind, name, region=region))


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


def both(*changes: Change) -> Change:
    """Several changes at once."""

    def change(stack: Inventory) -> Inventory:
        for each in changes:
            stack = each(stack)
        return stack

    return change
