"""Examples of a rule: resources that it passes, and small changes of them, each with the finding that it must give.

They stand beside the rule, in a function that only tests and the catalogue call. The tests build inventories from
them, alone and all together: one change must give that finding and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final

from policies.inventory import UNKNOWN, Inventory, Resource
from policies.regions import region_at

EXAMPLE: Final = "example"
"""The stack's name, and that of a resource that needs none of its own: all examples then speak of the same one."""

_REGIONS: Final = {"aws": ("eu-west-1", "eu-central-1"), "gcp": ("europe-west1", "europe-north1")}
_PLATFORM: Final = {"aws": "arn:aws:iam::111122223333:role/platform/admin", "gcp": "group:platform@example.com"}
_RPO_MINUTES: Final = {"aws": 300, "gcp": 120}
_GONE: Final = object()


_PLACES: Final = ("location", "region", "locationId", "zone")
"""Inputs of Google Cloud that say where a resource stands."""


@dataclass(frozen=True)
class Output:
    """An input that comes from another resource of the example, which the plan knows as a link."""

    type: str
    name: str = EXAMPLE
    value: str = ""
    """The input's value once the other resource is deployed; empty while only the provider knows it."""


@dataclass(frozen=True)
class Hidden:
    """An input that only the provider knows, and that comes from no resource of the example."""


@dataclass(frozen=True)
class Text:
    """A structure that the input holds as text, so that a change can reach into it."""

    content: Any
    encode: Callable[[Any], str] = json.dumps


@dataclass(frozen=True)
class Given:
    """One resource of an example; leaves of `inputs` may be `Output`, `Hidden` or `Text`."""

    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    name: str = EXAMPLE
    away: bool = False
    """Whether it stands in the backup region."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `Resource` that are no inputs, as `protect`."""

    @property
    def key(self) -> tuple[str, str]:
        """What a change names the resource by."""
        return (self.type, self.name)

    @property
    def urn(self) -> str:
        """Its URN in the inventory."""
        return _urn(self.type, self.name)

    def at(self, path: str) -> Any:
        """The input at a dotted path, as it is written; None where there is none."""
        node: Any = self.inputs
        for part in path.split("."):
            if isinstance(node, list):
                node = node[int(part)] if int(part) < len(node) else None
            else:
                node = node.get(part) if isinstance(node, Mapping) else None
        return node

    def recorded(self) -> Resource:
        """The resource as a plan or the engine would record it."""
        leaves = list(_leaves(self.inputs))
        links: dict[str, tuple[str, ...]] = {}
        for path, leaf in leaves:
            if isinstance(leaf, Output):
                prop = path.split(".", 1)[0]
                links[prop] = tuple(dict.fromkeys((*links.get(prop, ()), _urn(leaf.type, leaf.name))))
        made = Resource(
            urn=self.urn,
            type=self.type,
            name=self.name,
            custom=True,
            inputs=_plain(self.inputs),
            unknown_paths=tuple(path for path, leaf in leaves if _is_unknown(leaf)),
            property_dependencies=links,
            dependencies=tuple(dict.fromkeys(urn for urns in links.values() for urn in urns)),
            region=self._region(),
        )
        return replace(made, **self.options)

    def _region(self) -> str | None:
        """Where it stands: by its own input, else as the example says."""
        cloud = self.type.split(":", 1)[0]
        asked = {"gcp": _PLACES, "aws": ("region",)}.get(cloud, ())
        places = [self.inputs[name] for name in asked if name in self.inputs]
        stated = _plain(places[0]) if places else ""
        if isinstance(stated, str) and stated:
            return stated if stated == UNKNOWN else region_at(stated)
        return _REGIONS[cloud][self.away] if cloud in _REGIONS else None


def given(
    token: str,
    inputs: Mapping[str, Any] | None = None,
    name: str = EXAMPLE,
    *,
    away: bool = False,
    options: Mapping[str, Any] | None = None,
) -> Given:
    """One resource of an example; the keys of `inputs` are dotted paths, as `rules.0.status`."""
    nested: dict[str, Any] = {}
    for path, value in (inputs or {}).items():
        nested = _put(nested, path.split("."), value)
    return Given(token, nested, name, away, options or {})


def document(*statements: Mapping[str, Any]) -> Text:
    """An AWS policy document."""
    return Text({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**fields: Any) -> dict[str, Any]:
    """A statement of a policy document that allows."""
    return {"Effect": "Allow", **fields}


@dataclass(frozen=True)
class Scene:
    """A stack made of examples; what an `Output` names and nobody gave is there without inputs."""

    cloud: str
    resources: tuple[Given, ...]
    settings: Mapping[str, Any]

    def find(self, key: tuple[str, str]) -> Given:
        """The resource of that type and name."""
        return next(r for r in self.resources if r.key == key)

    def with_resource(self, changed: Given) -> Scene:
        """The scene with one resource instead of the one of its type and name."""
        return replace(self, resources=tuple(changed if r.key == changed.key else r for r in self.resources))

    def inventory(self) -> Inventory:
        """The scene as a plan or the engine would record it."""
        known = {r.key for r in self.resources}
        leaves = (leaf for r in self.resources for _, leaf in _leaves(r.inputs))
        named = {(leaf.type, leaf.name) for leaf in leaves if isinstance(leaf, Output)}
        bare = tuple(Given(token, name=name) for token, name in sorted(named - known))
        return Inventory(EXAMPLE, self.settings, tuple(r.recorded() for r in (*bare, *self.resources)))


def scene(*resources: Given) -> Scene:
    """A production stack that holds these resources; Kubernetes' stand on AWS."""
    cloud = "gcp" if any(r.type.startswith("gcp:") for r in resources) else "aws"
    here, away = _REGIONS[cloud]
    settings = {
        "cloud": cloud,
        "account": "111122223333",
        "environment": "prod",
        "region": here,
        "backup": {"region": away, "min_distance_km": 400, "rpo_minutes": _RPO_MINUTES[cloud]},
        "opt_outs": {},
        "cluster": {"access": {"administrators": {"platform": _PLATFORM[cloud]}}},
    }
    return Scene(cloud, resources, settings)


Change = Callable[[Scene], Scene]


@dataclass(frozen=True)
class Put:
    """Set the input at a dotted path, or remove it; paths go into lists (by number) and into `Text`."""

    path: str
    value: Any
    on: tuple[str, str] | None = None
    """The resource's type and name; the first of the scene where none is named."""

    def __call__(self, before: Scene) -> Scene:
        target = before.find(self.on) if self.on else before.resources[0]
        return before.with_resource(replace(target, inputs=_put(target.inputs, self.path.split("."), self.value)))


def put(path: str, value: Any, on: str = "", name: str = EXAMPLE) -> Put:
    """Set one input of the resource of type `on`, by default of the one that the rule judges."""
    return Put(path, value, (on, name) if on else None)


def option(name: str, value: Any) -> Change:
    """Change one of the options of the resource that the rule judges."""

    def change(before: Scene) -> Scene:
        first = before.resources[0]
        return before.with_resource(replace(first, options={**first.options, name: value}))

    return change


def drop(path: str, on: str = "", name: str = EXAMPLE) -> Put:
    """Leave one input out."""
    return put(path, _GONE, on, name)


def without(token: str, name: str = EXAMPLE) -> Change:
    """Leave one resource out."""

    def change(before: Scene) -> Scene:
        gone = before.find((token, name))
        return replace(before, resources=tuple(r for r in before.resources if r is not gone))

    return change


def plus(added: Given) -> Change:
    """Add one resource."""
    return lambda before: replace(before, resources=(*before.resources, added))


@dataclass(frozen=True)
class Setting:
    """Change one of the stack's settings."""

    path: str
    value: Any

    def __call__(self, before: Scene) -> Scene:
        return replace(before, settings=_put(before.settings, self.path.split("."), self.value))


def setting(path: str, value: Any) -> Setting:
    """Change one of the stack's settings."""
    return Setting(path, value)


@dataclass(frozen=True)
class Both:
    """Several changes at once."""

    changes: tuple[Change, ...]

    def __call__(self, before: Scene) -> Scene:
        return reduce(lambda scene, change: change(scene), self.changes, before)


def both(*changes: Change) -> Both:
    """Several changes at once."""
    return Both(changes)


Cases = Mapping[str, Change | tuple[Change, ...]]
"""What the finding says (`Problem.subject`, or the note where there is no problem) → what causes it, each alone."""


@dataclass(frozen=True)
class Examples:
    """What a rule says about `compliant`, whose first resource is the one that it judges, and about changes of it."""

    compliant: tuple[Given, ...]
    broken: Cases
    """Changes that the rule fails."""
    undecided: Cases = field(default_factory=dict)
    """Changes that leave the rule without the value it needs."""
    accepted: Cases = field(default_factory=dict)
    """Changes that the rule passes, or does not apply to."""

    def scene(self) -> Scene:
        """The compliant example by itself."""
        return scene(*self.compliant)


def examples(
    *compliant: Given, broken: Cases, undecided: Cases | None = None, accepted: Cases | None = None
) -> Examples:
    """The examples of a rule."""
    return Examples(compliant, broken, undecided or {}, accepted or {})


def _urn(token: str, name: str) -> str:
    return f"urn:pulumi:{EXAMPLE}::seawall::{token}::{name}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that holds no others, with its dotted path."""
    if isinstance(value, Mapping | list):
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in entries:
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _is_unknown(leaf: object) -> bool:
    return isinstance(leaf, Hidden) or (isinstance(leaf, Output) and not leaf.value)


def _plain(value: Any) -> Any:
    if _is_unknown(value):
        return UNKNOWN
    if isinstance(value, Output):
        return value.value
    if isinstance(value, Text):
        return value.encode(value.content)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _put(value: Any, path: list[str], new: Any) -> Any:
    """A copy of `value` with `new` at `path`; what lies on the way and is not there is made."""
    if not path:
        return new
    head, *rest = path
    if isinstance(value, Text):
        return replace(value, content=_put(value.content, path, new))
    missing: Any = [] if rest and rest[0].isdigit() else {}
    if isinstance(value, list):
        index = int(head)
        listed = value if index < len(value) else [*value, missing]
        changed = [_put(item, rest, new) if i == index else item for i, item in enumerate(listed)]
        return [item for item in changed if item is not _GONE]
    entries = {**value, head: _put(value.get(head, missing), rest, new)}
    return {key: item for key, item in entries.items() if item is not _GONE}
