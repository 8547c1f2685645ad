"""Every way to write a rule's compliant example otherwise that changes none of its meaning: pure generators.

Kinds:

    order     a list the other way round        order of resources    the whole stack registered the other way round
    text      a boolean or a number as text     renamed               every resource with another logical name
    one       the one element of a list alone   tagged                one more tag or label
    list      an object in a list of one        null                  inputs that are not given, given as null
    json      other white space and key order   stranger              a resource that has nothing to do with it
    case      an action in other letters        typed                 `false` for the text "false" in a condition
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from common.sdk.schema import Fields, ResourceSchema, WireType
from common.sdk.types import schema_of
from policies.examples import Given, Output, Scene, Text, given, plus
from tests.policies.property.mutations import Mutation, Path, nodes, put_at, where

_STRANGER: Final = {"aws": "aws:ssm/parameter:Parameter", "gcp": "gcp:pubsub/topic:Topic"}
_ONE_OR_MANY: Final = ("Action", "NotAction", "Resource", "NotResource")
_ORDERED: Final = ("args", "command")


def rewritings(before: Scene) -> Iterator[Mutation]:
    """Every change of a scene that means the same."""
    for resource in before.resources:
        for path, value in nodes(resource.inputs):
            for kind, new in (*_anywhere(path, value), *_declared(resource, path, value), *_documents(path, value)):
                yield Mutation(kind, resource.type, where(resource, path), partial(put_at, resource.key, path, new))
        yield from _whole_resource(resource)
    yield Mutation("order", "", "resources", lambda scene: replace(scene, resources=scene.resources[::-1]))
    yield Mutation("renamed", "", "resources", _renamed)
    yield Mutation(
        "stranger",
        _STRANGER[before.cloud],
        _STRANGER[before.cloud],
        plus(given(_STRANGER[before.cloud], {}, "stranger")),
    )


def _anywhere(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and len(value) > 1 and path[-1] not in _ORDERED:
        yield "order", value[::-1]
    if isinstance(value, Text):
        yield (
            "json",
            Text(
                _turned(value.content), partial(json.dumps, indent=4) if value.encode is json.dumps else value.encode
            ),
        )


def _turned(value: Any) -> Any:
    """The same structure with the keys of each object the other way round."""
    if isinstance(value, Mapping):
        return {key: _turned(item) for key, item in reversed(list(value.items()))}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def _declared(resource: Given, path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """Other types, where the provider declares which one is meant."""
    schema = schema_of(resource.type)
    kind = _kind(schema, schema.inputs, path) if schema and not schema.is_provider else None
    name = kind if isinstance(kind, str) or kind is None else kind[0]
    if name in ("bool", "int", "number") and isinstance(value, bool | int | float):
        yield "text", str(value).lower()
    elif name == "str" and value in ("true", "false"):
        yield "text", value == "true"
    elif name == "str" and isinstance(value, str) and value.isdigit():
        yield "text", int(value)
    elif name == "list" and isinstance(value, list) and len(value) == 1:
        yield "one", value[0]
    elif name == "object" and isinstance(value, Mapping):
        yield "list", [value]


def _kind(schema: ResourceSchema, fields: Fields, path: Path) -> WireType | None:
    """The declared type of the input at a path; None where none is declared."""
    head, *rest = path
    if head not in fields:
        return None
    kind: WireType | None = fields[str(head)][0]
    while rest and kind is not None and not isinstance(kind, str):
        part = rest.pop(0)
        if kind[0] == "object":
            return _kind(schema, schema.objects[kind[1]], (part, *rest))
        kind = kind[1] if kind[0] in ("list", "map") else None
    return None if rest else kind


def _documents(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """What AWS' policies take for the same; only they have these fields."""
    if "Statement" not in path:
        return
    last = path[-1]
    if last in _ONE_OR_MANY or "Condition" in path[:-2] or "Principal" in path[:-1]:
        if isinstance(value, str):
            yield "list", [value]
        elif isinstance(value, list) and len(value) == 1:
            yield "one", value[0]
    if last == "Statement" and isinstance(value, list) and len(value) == 1:
        yield "one", value[0]
    if "Action" in path and isinstance(value, str) and ":" in value:
        service, _, name = value.partition(":")
        yield "case", f"{service}:{name.upper()}"
    if "Condition" in path and value in ("true", "false"):
        yield "typed", value == "true"
    if len(path) >= 2 and path[-2] == "Condition" and isinstance(value, Mapping):
        yield "case", {str(key).upper(): item for key, item in value.items()}


def _whole_resource(resource: Given) -> Iterator[Mutation]:
    schema = schema_of(resource.type)
    for name, path in (("tags", ("tags",)), ("labels", ("labels",)), ("metadata", ("metadata", "labels"))):
        top = schema.inputs.get(name) if schema else None
        if top is not None and _is_map(resource, path):
            yield Mutation("tagged", resource.type, where(resource, path), partial(_tagged, resource.key, path))
    absent = (
        [name for name in schema.inputs if name not in resource.inputs] if schema and not schema.is_provider else []
    )
    if absent:
        yield Mutation("null", resource.type, where(resource), partial(_nulls, resource.key, tuple(absent)))


def _is_map(resource: Given, path: Path) -> bool:
    value: Any = resource.inputs
    for part in path:
        value = value.get(part, {}) if isinstance(value, Mapping) else None
    return isinstance(value, Mapping)


def _tagged(key: tuple[str, str], path: Path, before: Scene) -> Scene:
    resource = before.find(key)
    inputs: Any = dict(resource.inputs)
    for part in path[:-1]:
        inputs = {**inputs, part: dict(inputs.get(part, {}))}
    holder = inputs if len(path) == 1 else inputs[path[0]]
    holder[path[-1]] = {**holder.get(path[-1], {}), "example.com/cost-centre": "42"}
    return before.with_resource(replace(resource, inputs=inputs))


def _nulls(key: tuple[str, str], names: tuple[str, ...], before: Scene) -> Scene:
    resource = before.find(key)
    return before.with_resource(replace(resource, inputs={**resource.inputs, **dict.fromkeys(names)}))


def _renamed(before: Scene) -> Scene:
    """Every resource, and what leads to it, under another logical name; nothing that a provider is told changes."""

    def renamed(value: Any) -> Any:
        if isinstance(value, Output):
            return replace(value, name=f"{value.name}-2")
        if isinstance(value, Text):
            return replace(value, content=renamed(value.content))
        if isinstance(value, Mapping):
            return {key: renamed(item) for key, item in value.items()}
        return [renamed(item) for item in value] if isinstance(value, list) else value

    again = (replace(r, name=f"{r.name}-2", inputs=renamed(r.inputs)) for r in before.resources)
    return replace(before, resources=tuple(again))
