"""The recorded resource model: what a stack's program asked for, as every reader of a plan sees it.

It lives with the policies because they are its first reader; plans, diffs, diagrams and golden files read the
same shape. It holds no behaviour of Pulumi's: `policies.registration` fills it from what `ops.plan` recorded
offline, or the policy pack inside the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from common.marks import SECRET, UNKNOWN
from common.sdk.coercion import coerced
from components.contracts.stateful import Stateful

__all__ = ["SECRET", "UNKNOWN", "Inventory", "Resource"]

T = TypeVar("T")


@dataclass(frozen=True)
class Resource:
    """One resource as the provider receives it: camelCase inputs, Pulumi's type token, and its links.

    Paths are dotted, list positions as numbers: `rules.0.destination.bucket`. A path that names a whole input
    means all of it is secret or unknown.
    """

    urn: str
    type: str
    name: str
    custom: bool
    parent: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    secret_paths: tuple[str, ...] = ()
    unknown_paths: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    region: str | None = None
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    """As the program asks; None leaves the order of a replacement to the provider."""
    ignore_changes: tuple[str, ...] = ()
    """Inputs whose changes are not sent, as dotted paths."""
    aliases: tuple[str, ...] = ()
    """URNs under which the state of a stack may have it from before."""
    stateful: Stateful | None = None
    """What its component declares that it holds; None: nothing that the program cannot make again."""
    made_at: str = field(default="", compare=False)
    """`file:line` of the constructor call that made it, relative to the checkout; empty where nobody saw it.

    No part of what the resource is: a line that moves changes nothing.
    """

    @cached_property
    def typed(self) -> Resource:
        """The same resource with its inputs in the types that its provider declares, whatever types were written.

        Rules read this one, so that a text `"true"` is judged as the boolean which the provider makes of it.
        """
        made = coerced(self.type, self.inputs)
        if made.inputs is self.inputs:
            return self
        unknown, secret = (tuple(map(made.path, paths)) for paths in (self.unknown_paths, self.secret_paths))
        return replace(self, inputs=made.inputs, unknown_paths=unknown, secret_paths=secret)

    def is_unknown(self, path: str) -> bool:
        """Whether the value at `path`, or one above it, is unknown."""
        return any(path == u or path.startswith(f"{u}.") for u in self.unknown_paths)

    def get(self, path: str, default: object = None) -> Any:
        """The value at a dotted `path`; `UNKNOWN` if it or one above it is unknown, `default` if it is absent.

        What lies below a secret is unknown too: a plan shows a secret as a whole, whatever it holds.
        """
        if self.is_unknown(path):
            return UNKNOWN
        node: Any = self.inputs
        for part in path.split("."):
            if isinstance(node, Mapping) and part in node:
                node = node[part]
            elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
                node = node[int(part)]
            else:
                return UNKNOWN if node == SECRET else default
        return node

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, keys as `seawall plan --json` prints them."""
        return {
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "custom": self.custom,
            "parent": self.parent,
            "inputs": dict(self.inputs),
            "secret_paths": list(self.secret_paths),
            "unknown_paths": list(self.unknown_paths),
            "dependencies": list(self.dependencies),
            "property_dependencies": {k: list(v) for k, v in sorted(self.property_dependencies.items())},
            "region": self.region,
            "protect": self.protect,
            "retain_on_delete": self.retain_on_delete,
            "delete_before_replace": self.delete_before_replace,
            "ignore_changes": list(self.ignore_changes),
            "aliases": list(self.aliases),
            "stateful": self.stateful.to_json() if self.stateful else None,
            "made_at": self.made_at,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Resource:
        """The inverse of `to_json`."""
        return Resource(
            urn=data["urn"],
            type=data["type"],
            name=data["name"],
            custom=data["custom"],
            parent=data["parent"],
            inputs=data["inputs"],
            secret_paths=tuple(data["secret_paths"]),
            unknown_paths=tuple(data["unknown_paths"]),
            dependencies=tuple(data["dependencies"]),
            property_dependencies={k: tuple(v) for k, v in data["property_dependencies"].items()},
            region=data["region"],
            protect=data["protect"],
            retain_on_delete=data["retain_on_delete"],
            delete_before_replace=data.get("delete_before_replace"),
            ignore_changes=tuple(data.get("ignore_changes", ())),
            aliases=tuple(data.get("aliases", ())),
            stateful=Stateful.from_json(data["stateful"]) if data.get("stateful") else None,
            made_at=str(data.get("made_at") or ""),
        )


@dataclass(frozen=True)
class Inventory:
    """All resources of one stack in registration order, with its settings and outputs (secrets masked)."""

    stack: str
    settings: Mapping[str, Any]
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    on: str = field(default="", compare=False)
    """The day as of which it is judged, as ISO 8601 writes it; empty: that of the tables that rules read."""

    @cached_property
    def typed(self) -> Inventory:
        """The same stack with every resource `typed`."""
        made = tuple(resource.typed for resource in self.resources)
        same = all(a is b for a, b in zip(self.resources, made, strict=True))
        return self if same else replace(self, resources=made)

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Resources by URN."""
        return {r.urn: r for r in self.resources}

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Resource, ...]]:
        groups: dict[str, list[Resource]] = {}
        for resource in self.resources:
            groups.setdefault(resource.type, []).append(resource)
        return {token: tuple(members) for token, members in groups.items()}

    @cached_property
    def _derived(self) -> dict[Callable[..., Any], Any]:
        return {}

    def derived(self, make: Callable[[Inventory], T]) -> T:
        """What a pure function of the whole stack finds out, worked out once however many rules ask."""
        if make not in self._derived:
            self._derived[make] = make(self)
        return self._derived[make]

    def of_type(self, *tokens: str) -> Iterator[Resource]:
        """Resources of these types, type by type, in registration order; `kubernetes:*` names all of a provider's."""
        for token in tokens:
            if token.endswith("*"):
                yield from (each for each in self.resources if each.type.startswith(token[:-1]))
            else:
                yield from self._by_type.get(token, ())

    def linked(self, resource: Resource, prop: str, *tokens: str) -> tuple[Resource, ...]:
        """The resources (of these types, if any are named) whose outputs feed the input `prop` of `resource`."""
        targets = (self.by_urn[u] for u in resource.property_dependencies.get(prop, ()) if u in self.by_urn)
        return tuple(t for t in targets if not tokens or t.type in tokens)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `seawall plan --json` prints it."""
        return {
            "stack": self.stack,
            "settings": dict(self.settings),
            "resources": [r.to_json() for r in self.resources],
            "outputs": dict(self.outputs),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Inventory:
        """The inverse of `to_json`."""
        return Inventory(
            stack=data["stack"],
            settings=data["settings"],
            resources=tuple(Resource.from_json(r) for r in data["resources"]),
            outputs=data["outputs"],
        )
