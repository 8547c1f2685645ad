"""Every small change of a rule's compliant example that changes its meaning: pure generators, each change labelled.

A change has a kind (what a developer did), a place (resource and dotted path), and the scene that it makes. Kinds:

    removed    an input, an entry or an element is not there         hidden     only the provider knows the value
    emptied    "", [], {} or 0 instead of the value                  marked     the text of the mark for unknowns
    negated    a boolean is the other one                            swapped    a text is another text
    everything `*`, the whole internet, everyone                     widened    a whole service, half the internet
    less, more, negative    a number is much smaller or larger, or -1
    allowed    a policy says Allow * to * as well                    elsewhere  a link leads to a sibling
    region     a text names, or a resource lies in, the other region gone       a part of the example is missing
    second     a sibling without parts of its own
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from policies.examples import EXAMPLE, Change, Given, Hidden, Output, Scene, Text, plus, without
from policies.inventory import UNKNOWN
from tests.policies.property.grants import narrows

Path = tuple[str | int, ...]

GONE: Final = object()
ELSEWHERE: Final = "elsewhere"
REGIONS: Final = {
    "eu-west-1": "eu-central-1",
    "eu-central-1": "eu-west-1",
    "europe-west1": "europe-north1",
    "europe-north1": "europe-west1",
}
OWN_NAMES: Final = ("name", "bucket", "replicationGroupId", "metadata.name", "accountId", "repositoryId")
"""Inputs by which other resources name one."""

_ADDRESSES: Final = re.compile(r"\d+\.\d+\.\d+\.\d+(/\d+)?")
_MEMBER: Final = re.compile(r"(serviceAccount|user|group|domain|principal(Set)?):.+")
_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z*]+")

_NAMING: Final = ("Resource", "AWS", "Federated", "Principal", "verbs", "resources", "apiGroups", "resourceNames")
"""Inputs that name what a grant is about, where `*` names everything."""


@dataclass(frozen=True)
class Mutation:
    """One labelled change of a scene."""

    kind: str
    token: str
    """Type of the resource that is changed."""
    where: str
    """The resource and the path in it, as `type.path`, or `type#name.path` where the resource has an own name."""
    change: Change
    """Makes it: of the example, or of a larger stack that holds the example."""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}"


def meaning(before: Scene) -> Iterator[Mutation]:
    """Every change of the inputs of a scene's resources, and of which resources there are."""
    for resource in before.resources:
        for path, value in nodes(resource.inputs):
            for kind, new in _values(path, value):
                if narrows(resource.inputs, path, kind) or (type(new), new) == (type(value), value):
                    continue
                yield Mutation(kind, resource.type, where(resource, path), partial(put_at, resource.key, path, new))
    yield from _companions(before)


def where(resource: Given, path: Path = ()) -> str:
    """A place as the exceptions name it."""
    name = "" if resource.name == EXAMPLE else f"#{resource.name}"
    return ".".join([resource.type + name, *map(str, path)])


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything below the top, with its path; a text that holds a structure, and then what is in it."""
    if path:
        yield path, value
    inner = value.content if isinstance(value, Text) else value
    if isinstance(inner, Mapping):
        for key, item in inner.items():
            yield from nodes(item, (*path, str(key)))
    elif isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from nodes(item, (*path, index))


def _values(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """Kind and new value of every change of one value."""
    yield "removed", GONE
    yield "hidden", Hidden()
    if isinstance(value, Text):
        yield "emptied", Text({}, value.encode)
        yield "allowed", _allowing_all(value)
    elif isinstance(value, Mapping):
        yield "emptied", {}
    elif isinstance(value, list):
        yield "emptied", []
        yield from ((kind, [*value, wide]) for item in value[:1] for kind, wide in _wider(path, item))
    elif isinstance(value, Output):
        yield "elsewhere", replace(value, name=ELSEWHERE, value=value.value and ELSEWHERE)
        yield "swapped", ELSEWHERE
        yield "marked", UNKNOWN
        yield "emptied", ""
    elif isinstance(value, bool):
        yield "negated", not value
    elif isinstance(value, int | float):
        yield "emptied", 0
        yield "less", value // 100
        yield "more", (value + 1) * 100
        yield "negative", -1
    elif isinstance(value, str):
        yield from _texts(path, value)


def _texts(path: Path, value: str) -> Iterator[tuple[str, Any]]:
    yield "marked", UNKNOWN
    yield "emptied", ""
    if value in ("true", "false"):
        yield "negated", "false" if value == "true" else "true"
    elif value in ("Allow", "Deny"):
        yield "negated", "Deny" if value == "Allow" else "Allow"
    elif value.isdigit():
        yield "less", str(int(value) // 100)
        yield "more", str((int(value) + 1) * 100)
    else:
        yield "swapped", f"{ELSEWHERE}-{value}"
    yield from _wider(path, value)
    for here, there in REGIONS.items():
        if here in value:
            yield "region", value.replace(here, there)


def _wider(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """Kind and value of what takes in more than `value`, as a developer would write it."""
    if not isinstance(value, str):
        return
    parent = next((part for part in reversed(path) if isinstance(part, str)), "")
    if _ADDRESSES.fullmatch(value):
        yield "everything", "0.0.0.0/0"
        yield "widened", "0.0.0.0/1"
    elif value.startswith("arn:"):
        yield "everything", "*"
        yield "widened", f"{value.rpartition(':')[0]}:*"
    elif _MEMBER.fullmatch(value):
        yield "everything", "allUsers"
        yield "widened", "allAuthenticatedUsers"
    elif parent in ("Action", "NotAction") and _ACTION.fullmatch(value):
        yield "everything", "*"
        yield "widened", f"{value.split(':')[0]}:*"
    elif parent in _NAMING or "Condition" in path:
        yield "everything", "*"


def _allowing_all(text: Text) -> Text:
    """A policy that also allows everyone everything; another text with one more entry."""
    content = text.content
    if not isinstance(content, Mapping) or "Statement" not in content:
        return Text({}, text.encode)
    principal = {"Principal": "*"} if any("Principal" in entry for entry in content["Statement"]) else {}
    everything = {"Effect": "Allow", **principal, "Action": "*", "Resource": "*"}
    return Text({**content, "Statement": [*content["Statement"], everything]}, text.encode)


def _companions(before: Scene) -> Iterator[Mutation]:
    """Which resources there are, and where: parts that are missing or lie elsewhere, and a second subject."""
    first, *others = before.resources
    if not others:
        return
    for part in others:
        left = replace(before, resources=tuple(r for r in before.resources if r is not part))
        if not any(isinstance(v, Output) and (v.type, v.name) == part.key for v in _leaves(left)):
            yield Mutation("gone", part.type, where(part), without(*part.key))
    for resource in before.resources:
        if resource.recorded().region != replace(resource, away=not resource.away).recorded().region:
            yield Mutation("region", resource.type, where(resource), partial(_move, resource.key))
    second = replace(first, name="second", inputs=_renamed(first.inputs))
    if second.inputs != first.inputs or any(_links_to(part, first) for part in others):
        yield Mutation("second", first.type, where(first), plus(second))


def put_at(key: tuple[str, str], path: Path, new: Any, before: Scene) -> Scene:
    """The scene with a new value at a path of one resource."""
    resource = before.find(key)
    return before.with_resource(replace(resource, inputs=set_at(resource.inputs, path, new)))


def _move(key: tuple[str, str], before: Scene) -> Scene:
    resource = before.find(key)
    return before.with_resource(replace(resource, away=not resource.away))


def _links_to(part: Given, target: Given) -> bool:
    return any(isinstance(v, Output) and (v.type, v.name) == target.key for _, v in nodes(part.inputs))


def _leaves(scene: Scene) -> Iterator[Any]:
    for resource in scene.resources:
        yield from (value for _, value in nodes(resource.inputs))


def _renamed(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs with another name in each that others would name it by."""
    for dotted in OWN_NAMES:
        path = tuple(dotted.split("."))
        if isinstance(value_at(inputs, path), str):
            inputs = set_at(inputs, path, "second")
    return inputs


def value_at(value: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for part in path:
        inner = value.content if isinstance(value, Text) else value
        if isinstance(inner, Mapping):
            value = inner.get(part)
        else:
            value = inner[part] if isinstance(inner, list) and isinstance(part, int) else None
    return value


def set_at(value: Any, path: Path, new: Any) -> Any:
    """A copy of `value` with `new` at `path`; what lies in a text that is hidden hides the text."""
    if not path:
        return new
    head, *rest = path
    if isinstance(value, Text):
        return new if isinstance(new, Hidden) else replace(value, content=set_at(value.content, path, new))
    if isinstance(value, list):
        changed = [set_at(item, tuple(rest), new) if i == head else item for i, item in enumerate(value)]
        return [item for item in changed if item is not GONE]
    made = {key: set_at(item, tuple(rest), new) if key == head else item for key, item in value.items()}
    return {key: item for key, item in made.items() if item is not GONE}
