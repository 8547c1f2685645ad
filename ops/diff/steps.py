"""What the engine will do, step by step: in its order, with what it refuses and what cannot be taken back. Pure.

Pulumi makes and changes resources after what they depend on, and deletes at the end, in the reverse order. What is
deleted first goes before its successor is made, and takes along what depends on it and is made anew for it
(pulumi pkg/resource/deploy/step_generator.go; read on 2026-11-22). Steps that do not depend on one
another may run at the same time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ops.diff.knowledge import LOST_WITH, ONE_WAY, ONLY_FOR, TAKES
from ops.diff.model import ResourceChange, Step, Verb
from ops.diff.properties import FROM, is_update
from ops.diff.risks import CARRIERS
from policies.inventory import Inventory, Resource

_PROTECTED: Final = (
    "Pulumi refuses it: the resource is protected, and an update asks the deployed one. If it is meant, take the "
    "protection away in an update of its own"
)


def steps(changes: Iterable[ResourceChange], base: Inventory | None, head: Inventory | None) -> tuple[Step, ...]:
    """The steps of the update, numbered. Components and what only Pulumi's state gets to know are no steps."""
    known = {change.resource.urn: change for change in changes if is_update(change)}
    present = head.by_urn if head else {}
    past = base.by_urn if base else {}
    forward = _in_dependency_order(present, known)
    backward = _in_dependency_order(past, known)[::-1]
    told = [*_forward(forward, backward, known), *_at_the_end(backward, known)]
    return tuple(_step(number, verb, known[urn], known) for number, (verb, urn) in enumerate(told, 1))


def _in_dependency_order(resources: Mapping[str, Resource], known: Mapping[str, ResourceChange]) -> list[str]:
    """The changed ones among `resources`, each after what it depends on, directly or not; else as registered."""
    places = {urn: place for place, urn in enumerate(resources)}
    needs = {
        urn: {n for n in (r.parent or "", *r.dependencies) if n in places and n != urn}
        for urn, r in resources.items()
    }
    users: dict[str, list[str]] = {}
    for urn, needed in needs.items():
        for each in needed:
            users.setdefault(each, []).append(urn)
    ready = [places[urn] for urn, needed in needs.items() if not needed]
    heapq.heapify(ready)
    names, found = list(resources), list[str]()
    while ready:
        urn = names[heapq.heappop(ready)]
        if urn in known:
            found.append(urn)
        for each in users.get(urn, ()):
            needs[each].discard(urn)
            if not needs[each]:
                heapq.heappush(ready, places[each])
    return found


def _forward(
    forward: Iterable[str], backward: Sequence[str], known: Mapping[str, ResourceChange]
) -> Iterator[tuple[Verb, str]]:
    gone: set[str] = set()
    for urn in forward:
        change = known[urn]
        match change.action:
            case "added":
                yield "create", urn
            case "changed":
                yield "update", urn
            case "replaced" if change.order == "deleted first":
                if urn not in gone:
                    taken = {urn, *_taken_along(urn, known)} - gone
                    for each in (each for each in backward if each in taken):
                        yield _gone(known[each], "delete, to be made anew"), each
                    gone |= taken
                yield "make anew", urn
            case "replaced":
                yield "replace", urn
            case "removed":
                pass


def _at_the_end(backward: Iterable[str], known: Mapping[str, ResourceChange]) -> Iterator[tuple[Verb, str]]:
    for urn in backward:
        change = known[urn]
        if change.action == "removed" or (change.action == "replaced" and change.order == "the new one first"):
            yield ("keep" if change.resource.retain_on_delete else "delete"), urn


def _gone(change: ResourceChange, verb: Verb) -> Verb:
    return "keep" if change.resource.retain_on_delete else verb


def _taken_along(urn: str, known: Mapping[str, ResourceChange]) -> set[str]:
    """What is made anew because of `urn`, directly or not."""
    found: set[str] = set()
    pending = [urn]
    while pending:
        cause = pending.pop()
        for each, change in known.items():
            if change.through == cause and each not in found:
                found.add(each)
                pending.append(each)
    return found


def _step(number: int, verb: Verb, change: ResourceChange, known: Mapping[str, ResourceChange]) -> Step:
    resource = change.resource
    return Step(
        number,
        verb,
        resource.urn,
        resource.name,
        resource.type,
        _why(verb, change, known),
        _outage(verb, change),
        _refused(verb, change),
        _irreversible(verb, change),
        _takes(verb, change),
    )


def _why(verb: Verb, change: ResourceChange, known: Mapping[str, ResourceChange]) -> str:
    if change.action != "replaced":
        return ""
    if verb == "delete":
        return "its successor is there"
    paths = ", ".join(f"`{path.removesuffix(FROM)}`" for path in dict.fromkeys(change.replacing))
    through = known.get(change.through or "")
    after = f", which comes from `{through.resource.name}`, made anew too" if through else ""
    return f"{paths} cannot change in place{after}" if paths else "the provider cannot change it in place"


def _outage(verb: Verb, change: ResourceChange) -> str:
    if verb != "delete, to be made anew":
        return ""
    what = CARRIERS.get(change.resource.type)
    if what is None and change.resource.stateful:
        what = change.resource.stateful.holds
    return f"not there until it is made anew: {what or 'what uses it'}"


def _refused(verb: Verb, change: ResourceChange) -> str:
    if change.action not in ("replaced", "removed") or not change.was_protected:
        return ""
    return _PROTECTED if verb != "make anew" else ""


def _irreversible(verb: Verb, change: ResourceChange) -> str:
    token = change.resource.type
    if verb in ("delete", "delete, to be made anew"):
        return "" if change.resource.retain_on_delete else LOST_WITH.get(token, "")
    paths, why = ONE_WAY.get(token, ((), ""))
    if verb == "create":
        asked = [path for path in paths if change.resource.get(path) not in (None, False)]
        return why if asked and token not in ("aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster") else ""
    touched = any(p.path.startswith(path) and p.after is not None for p in change.properties for path in paths)
    return why if touched else ""


def _takes(verb: Verb, change: ResourceChange) -> str:
    kind = {"replace": "create", "make anew": "create", "delete, to be made anew": "delete"}.get(verb, str(verb))
    key = (change.resource.type, kind)
    wanted = ONLY_FOR.get(key)
    if wanted and not any(p.path.startswith(wanted) for p in change.properties):
        return ""
    return TAKES.get(key, "")
