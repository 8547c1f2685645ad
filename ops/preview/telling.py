"""Tells what the engine would do as a diff does: the same model, from its steps. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ops.diff.compare import Evaluate
from ops.diff.hazards import hazard
from ops.diff.model import Cause, Effect, Order, PropertyChange, ResourceChange, StackDiff
from ops.diff.properties import options
from ops.diff.risks import protection_risk, removal_risk, replacement_risk
from ops.diff.verdicts import verdict_changes
from ops.preview.events import Seen
from policies.inventory import Inventory, Resource
from policies.wire import mask

_INDEX: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]')
_UNTRACED: Final = "name the commit that is deployed with --base, and each change is traced to its cause"
STATE: Final = "what is deployed is not what the base asked for: a change by hand, or an update that did not finish"


def engine_diff(
    stack: str,
    seen: Iterable[Seen],
    deployed: Inventory,
    head: Inventory,
    evaluate: Evaluate,
    offline: Mapping[str, ResourceChange],
) -> StackDiff:
    """What the engine would do to what is deployed.

    Args:
        head: the program's plan, which knows what the engine's events do not: dependencies, and what holds state.
        offline: what the comparison of plans says of these resources; for those that the engine did not come to.
    """
    told = {step.urn: step for step in seen}
    changes = [_change(step, told, deployed, head) for step in told.values()]
    changes += [change for urn, change in offline.items() if urn not in told]
    changes += _unguarded(deployed, head, {change.resource.urn for change in changes})
    verdicts = tuple(verdict_changes(evaluate(deployed), evaluate(head), {})) if deployed.resources else ()
    fate = "both" if deployed.resources else "new"
    return StackDiff(stack, fate, tuple(changes), verdicts=tuple(v for v in verdicts if v.worse))


def traced(
    changes: Iterable[ResourceChange], offline: Mapping[str, ResourceChange], causes: Iterable[Cause]
) -> tuple[Cause, ...]:
    """The causes of the engine's changes: those of the same resource offline, and the state where there is none.

    Args:
        causes: of the comparison of plans.
    """
    real = {change.resource.urn for change in changes if change.resource.custom}
    found = [replace(cause, effects=tuple(Effect(e.urn) for e in cause.effects if e.urn in real)) for cause in causes]
    drifted = tuple(Effect(urn) for urn in sorted(real - offline.keys()))
    if drifted:
        found.append(Cause("state", "the state", note=STATE, effects=drifted))
    return tuple(cause for cause in found if cause.effects)


def untraced(changes: Iterable[ResourceChange]) -> tuple[Cause, ...]:
    """One cause for all, where nobody knows which commit is deployed."""
    effects = tuple(Effect(change.resource.urn) for change in changes)
    return (Cause("unknown", "not traced", note=_UNTRACED, effects=effects),) if effects else ()


def _unguarded(deployed: Inventory, head: Inventory, known: Container[str]) -> Iterator[ResourceChange]:
    """What only the state notes, and the engine counts as no step: the protection from a deletion."""
    for after in head.resources:
        before = deployed.by_urn.get(after.urn)
        if before is None or after.urn in known or not after.custom:
            continue
        flags = tuple(_flags(before, after))
        if flags:
            risk = protection_risk(before, after, flags, None)
            yield ResourceChange("changed", after, flags, risk, was_protected=before.protect)


def _flags(before: Resource, after: Resource) -> Iterator[PropertyChange]:
    return (change for change in options(before, after) if change.path in ("protect", "retainOnDelete"))


def _change(step: Seen, told: Mapping[str, Seen], deployed: Inventory, head: Inventory) -> ResourceChange:
    before, after = deployed.by_urn.get(step.urn), head.by_urn.get(step.urn)
    resource = after or before or _unknown(step)
    past = before or resource
    properties = (*_properties(step), *(_flags(before, after) if before and after else ()))
    match step.action:
        case "removed":
            return ResourceChange("removed", past, risk=removal_risk(past), was_protected=step.was_protected)
        case "replaced":
            order: Order = "deleted first" if step.deleted_first else "the new one first"
            return ResourceChange(
                "replaced",
                resource,
                properties,
                replacement_risk(past, resource, first=step.deleted_first),
                order,
                _through(step, told, resource),
                step.was_protected,
            )
        case "changed":
            risk = protection_risk(past, resource, properties, hazard(past, resource, properties))
            return ResourceChange("changed", resource, properties, risk, was_protected=step.was_protected)
        case "added":
            return ResourceChange("added", resource)


def _properties(step: Seen) -> Iterator[PropertyChange]:
    before, after = mask(dict(step.before)).value, mask(dict(step.after)).value
    roots = {dotted(key).partition(".")[0] for key in step.replacing}
    for path in dict.fromkeys(dotted(path) for path in (*step.paths, *step.replacing)):
        old, new = _at(before, path), _at(after, path)
        yield PropertyChange(path, old, new, path.partition(".")[0] in roots)


def dotted(path: str) -> str:
    """A path of the engine's, as `rules[0]["a.b"].c`, in the inventory's notation."""
    return _INDEX.sub(lambda found: f".{found[1] if found[1] is not None else found[2]}", path).lstrip(".")


def _at(inputs: Any, path: str) -> Any:
    node = inputs
    for part in path.split("."):
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node


def _through(step: Seen, told: Mapping[str, Seen], resource: Resource) -> str | None:
    """The replaced resource whose new value replaces this one."""
    for key in step.replacing:
        for urn in resource.property_dependencies.get(dotted(key).partition(".")[0], ()):
            if urn in told and told[urn].action == "replaced":
                return urn
    return None


def _unknown(step: Seen) -> Resource:
    """A resource that neither the state nor the plan has, as one that a refresh found."""
    inputs = mask(dict(step.after or step.before)).value
    return Resource(step.urn, step.type, step.urn.rpartition("::")[2], True, inputs=inputs)
