"""Ways in from outside that a change opens: what head lets in and base does not. Pure.

Both sides' whole stacks are compared, and not the resources that change: what a removed denial, a new route or a
longer list of addresses lets in comes by a line that itself is as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce

from ops.diff.compare import moved_by_alias, under_new_names
from ops.diff.doors import doors
from ops.diff.fences import Line, lines, told
from ops.diff.model import Opening
from policies.cluster_objects import Objects, expanded
from policies.inventory import UNKNOWN, Inventory
from policies.reach.traffic import Box, Traffic


def opened(base: Inventory | None, head: Inventory | None) -> tuple[Opening, ...]:
    """The ways in that head has and base has not; what the plan cannot tell may be one, unless it is as it was."""
    if head is None:
        return ()
    after = _objects(head)
    before = _objects(_named_alike(base, head) if base else Inventory(head.stack, {}, ()))
    sides = before.inventory, after.inventory
    found = {*_by_networks(*sides), *_by_doors(*sides)}
    return tuple(sorted({replace(way, urn=after.hosts[way.urn][0].urn) for way in found}))


def _objects(side: Inventory) -> Objects:
    """A side as rules see it: typed, and each object of a cluster by itself, whatever carries it."""
    return side.typed.derived(expanded)


def _named_alike(base: Inventory, head: Inventory) -> Inventory:
    """Base with the names that its resources have in head."""
    moved = moved_by_alias(base, head)
    return replace(base, resources=tuple(under_new_names(base.by_urn, moved).values())) if moved else base


def _by_networks(before: Inventory, after: Inventory) -> Iterator[Opening]:
    had: dict[tuple[str, ...], list[Box]] = {}
    unread: set[tuple[object, ...]] = set()
    for line in lines(before):
        had.setdefault(line.fence, []).extend(line.traffic)
        if line.hidden:
            unread.add((line.urn, line.way))
    for line in lines(after):
        left = _without(line.traffic, had.get(line.fence, ()))
        if line.fence[0] == "border" and line.fence not in had and not _stood_there(line, before):
            continue  # the subnet is new, and its route is told
        if left:
            yield Opening(line.urn, line.way, told(left))
        if line.hidden and not ((line.urn, line.way) in unread and _same(line.urn, before, after)):
            yield Opening(line.urn, line.way, UNKNOWN)


def _stood_there(line: Line, before: Inventory) -> bool:
    return line.fence[1] in before.by_urn


def _by_doors(before: Inventory, after: Inventory) -> Iterator[Opening]:
    had = set(doors(before))
    for door in doors(after):
        if door not in had or (door.to == UNKNOWN and not _same(door.urn, before, after)):
            yield door


def _same(urn: str, before: Inventory, after: Inventory) -> bool:
    """Whether a resource is as it was, with what feeds it."""
    was, now = before.by_urn.get(urn), after.by_urn.get(urn)
    return (
        was is not None
        and now is not None
        and (was.inputs, was.property_dependencies)
        == (
            now.inputs,
            now.property_dependencies,
        )
    )


def _without(traffic: Traffic, had: Iterable[Box]) -> Traffic:
    def cut(boxes: Traffic, known: Box) -> Traffic:
        return tuple(left for box in boxes for left in box.minus(known))

    return reduce(cut, had, traffic)
