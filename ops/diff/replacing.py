"""Which resources are made anew, in which order, and what other replacements that brings: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.diff.model import Order, PropertyChange, ResourceChange
from ops.diff.properties import ignored, replaces
from ops.diff.risks import replacement_risk
from policies.inventory import Resource


@dataclass(frozen=True)
class Providers:
    """What the real providers do with a change."""

    replace_on: Callable[[str], Iterable[str]]
    """Type token → input paths (without list positions) whose change replaces the resource."""
    takes_list: Callable[[str, str], bool]
    """Type token, input path → whether a list is expected there."""
    deletes_first: Callable[[str, Mapping[str, Any], Mapping[str, Any]], bool]
    """Type token, inputs before and after → whether a replacement deletes first where the program does not say."""


def replaced(
    before: Resource,
    after: Resource,
    properties: Iterable[PropertyChange],
    providers: Providers,
    through: ResourceChange | None = None,
) -> ResourceChange:
    """The change of a resource that is made anew, by its own inputs or `through` another's replacement.

    What depends on a resource that is deleted first, and is replaced for it, has to be gone before (pulumi
    pkg/resource/deploy/step_generator.go, calculateDependentReplacements; read on 2026-11-22).
    """
    asked = after.delete_before_replace
    first = providers.deletes_first(after.type, before.inputs, after.inputs) if asked is None else asked
    if through is not None and through.order == "deleted first":
        first = True
    order: Order = "deleted first" if first else "the new one first"
    return ResourceChange(
        "replaced",
        after,
        tuple(properties),
        replacement_risk(before, after, first=first),
        order,
        through.resource.urn if through else None,
        before.protect,
    )


def with_followers(
    changes: Iterable[ResourceChange],
    before: Mapping[str, Resource],
    after: Mapping[str, Resource],
    providers: Providers,
) -> Iterator[ResourceChange]:
    """Add what replacements bring: a new resource has a new id, which some inputs cannot take without a replacement.

    The others are sent once it is known, so an update is seen, though their value may turn out to be the old one.
    """
    by_urn = {change.resource.urn: change for change in changes}
    users = _users(after)
    pending = [urn for urn, change in by_urn.items() if change.action == "replaced"]
    while pending:
        cause = pending.pop()
        for urn in users.get(cause, ()):
            resource, known = after[urn], by_urn.get(urn)
            if urn not in before or (known and known.action == "replaced"):
                continue
            followed = _followed(resource, cause, tuple(providers.replace_on(resource.type)))
            own = known.properties if known else ()
            if any(change.replaces for change in followed):
                by_urn[urn] = replaced(before[urn], resource, (*own, *followed), providers, by_urn[cause])
                pending.append(urn)
            elif followed:
                new = [change for change in followed if change.path not in {p.path for p in own}]
                risk = known.risk if known else None
                kept = before[urn].protect
                by_urn[urn] = ResourceChange(
                    "changed", resource, (*own, *new), risk, through=None if own else cause, was_protected=kept
                )
    yield from by_urn.values()


def _users(resources: Mapping[str, Resource]) -> Mapping[str, list[str]]:
    """URN → those whose inputs take something from it."""
    users: dict[str, list[str]] = {}
    for urn, resource in resources.items():
        for source in sorted({source for urns in resource.property_dependencies.values() for source in urns}):
            users.setdefault(source, []).append(urn)
    return users


def _followed(resource: Resource, cause: str, replacing: tuple[str, ...]) -> list[PropertyChange]:
    """The inputs of `resource` that take a value which only `cause` can give."""
    name = cause.rsplit("::", 1)[-1]
    found: list[PropertyChange] = []
    for prop, sources in resource.property_dependencies.items():
        unknown = [path for path in resource.unknown_paths if path.split(".")[0] == prop]
        if cause in sources and unknown and not ignored(prop, resource.ignore_changes):
            renewed = any(replaces(path, replacing) for path in unknown)
            found.append(PropertyChange(prop, f"from {name}", f"from the new {name}", renewed))
    return found
