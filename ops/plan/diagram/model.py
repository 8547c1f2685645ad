"""What a stack's diagram shows: one box per component and region, and the arrows between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from common.sdk.schema import PROVIDER_PREFIX, package_of
from policies.inventory import UNKNOWN, Inventory, Resource


class Band(IntEnum):
    """The parts of the drawing, top to bottom; all but the primary region stand to its right."""

    PRIMARY = 0
    CLUSTER = 1
    GLOBAL = 2
    FAR = 3


BoxKey: TypeAlias = "tuple[str, Band]"
"""The URN of the outermost component (empty: none), and the band."""


@dataclass(frozen=True)
class Kind:
    """Resources of one type in a box."""

    label: str
    count: int
    protected: bool


@dataclass(frozen=True)
class Box:
    """A component's resources in one band."""

    key: BoxKey
    title: str
    band: Band
    count: int
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Drawing:
    """Boxes by key, arrows from what is made first to what needs it, and the bands' captions."""

    boxes: Mapping[BoxKey, Box]
    arrows: tuple[tuple[BoxKey, BoxKey], ...]
    captions: Mapping[Band, str]


HEADLINERS: Final = frozenset(
    {"Deployment", "HorizontalPodAutoscaler", "NodeGroup", "NodePool", "Plan", "Vpc", "Network", "Role", "Topic"}
)
"""Kinds that say most about a component, shown before more numerous ones."""

LOOSE: Final = "outside components"
"""Title of the box for resources that belong to no component, which everything needs: it has no arrows."""


def drawing(inventory: Inventory) -> Drawing:
    """The boxes and arrows of one stack; providers and components themselves are not drawn."""
    primary, far = regions(inventory)
    members = [r for r in inventory.resources if r.custom and not r.type.startswith(PROVIDER_PREFIX)]
    bands = {r.urn: _band(r, primary) for r in members}
    tops = {r.urn: outermost(r, inventory.by_urn) for r in members}
    _fold_global_parts(members, bands, tops)
    grouped: dict[BoxKey, list[Resource]] = {}
    for resource in members:
        grouped.setdefault((tops[resource.urn], bands[resource.urn]), []).append(resource)
    boxes = {key: _box(key, parts, inventory.by_urn) for key, parts in grouped.items()}
    keys = {r.urn: (tops[r.urn], bands[r.urn]) for r in members}
    pairs = {pair for r in members for pair in _pairs(r, keys)} | set(_provider_pairs(inventory, keys))
    arrows = _reduced({(start, end) for start, end in pairs if start[0] and end[0]})
    return Drawing(boxes, tuple(sorted(arrows)), _captions(boxes, primary, far))


def regions(inventory: Inventory) -> tuple[str | None, tuple[str, ...]]:
    """The primary region (as the settings say, else the one with most resources), and the others."""
    counts = Counter(r.region for r in inventory.resources if r.custom and r.region not in (None, UNKNOWN, "global"))
    stated = inventory.settings.get("region")
    primary = stated if isinstance(stated, str) else next((name for name, _ in counts.most_common(1)), None)
    return primary, tuple(sorted(name for name in counts if name is not None and name != primary))


def _band(resource: Resource, primary: str | None) -> Band:
    if package_of(resource.type) == "kubernetes":
        return Band.CLUSTER
    if resource.region in (None, "global", UNKNOWN):
        return Band.GLOBAL
    return Band.PRIMARY if resource.region == primary else Band.FAR


def outermost(resource: Resource, by_urn: Mapping[str, Resource]) -> str:
    """The URN of the outermost component around `resource`; empty if it has none."""
    top, parent = "", resource.parent
    while parent is not None and parent in by_urn:
        top, parent = parent, by_urn[parent].parent
    return top


def _fold_global_parts(members: list[Resource], bands: dict[str, Band], tops: Mapping[str, str]) -> None:
    """Roles and bindings of a component that has a box elsewhere are drawn in that box."""
    homes: dict[str, Band] = {}
    for resource in members:
        band = bands[resource.urn]
        if band is not Band.GLOBAL and tops[resource.urn]:
            homes[tops[resource.urn]] = min(band, homes.get(tops[resource.urn], band))
    for resource in members:
        if bands[resource.urn] is Band.GLOBAL and tops[resource.urn] in homes:
            bands[resource.urn] = homes[tops[resource.urn]]


def _box(key: BoxKey, parts: list[Resource], by_urn: Mapping[str, Resource]) -> Box:
    counts = Counter(_short(r.type) for r in parts)
    protected = {_short(r.type) for r in parts if r.protect}
    kinds = sorted(
        (Kind(label, count, label in protected) for label, count in counts.items()),
        key=lambda k: (not k.protected, k.label not in HEADLINERS, -k.count, k.label),
    )
    title = by_urn[key[0]].name if key[0] else LOOSE
    return Box(key, title, key[1], len(parts), tuple(kinds))


def _short(token: str) -> str:
    return token.rpartition(":")[2]


def _pairs(resource: Resource, keys: Mapping[str, BoxKey]) -> Iterator[tuple[BoxKey, BoxKey]]:
    for urn in resource.dependencies:
        if urn in keys and keys[urn] != keys[resource.urn]:
            yield keys[urn], keys[resource.urn]


def _provider_pairs(inventory: Inventory, keys: Mapping[str, BoxKey]) -> Iterator[tuple[BoxKey, BoxKey]]:
    """Everything that a provider manages needs what the provider itself is configured from."""
    for provider in inventory.resources:
        if not provider.type.startswith(PROVIDER_PREFIX):
            continue
        managed = {keys[r.urn] for r in inventory.resources if r.urn in keys and _same_package(r, provider)}
        sources = {keys[urn] for urn in provider.dependencies if urn in keys}
        yield from ((source, key) for source in sources for key in managed if source != key)


def _same_package(resource: Resource, provider: Resource) -> bool:
    return package_of(resource.type) == package_of(provider.type)


def _reduced(pairs: set[tuple[BoxKey, BoxKey]]) -> set[tuple[BoxKey, BoxKey]]:
    """Without arrows that a longer way already tells, and without those that would close a circle."""
    after: dict[BoxKey, set[BoxKey]] = {}
    for start, end in sorted(pairs):
        if not _reaches(end, start, after):
            after.setdefault(start, set()).add(end)
    return {
        (start, end)
        for start, ends in after.items()
        for end in ends
        if not any(_reaches(other, end, after) for other in ends - {end})
    }


def _reaches(start: BoxKey, end: BoxKey, after: Mapping[BoxKey, set[BoxKey]]) -> bool:
    seen, open_ends = {start}, [start]
    while open_ends:
        here = open_ends.pop()
        if here == end:
            return True
        fresh = after.get(here, set()) - seen
        seen |= fresh
        open_ends.extend(fresh)
    return False


def _captions(boxes: Mapping[BoxKey, Box], primary: str | None, far: tuple[str, ...]) -> dict[Band, str]:
    texts = {
        Band.PRIMARY: f"Primary region: {primary}",
        Band.CLUSTER: "In the cluster",
        Band.FAR: ("Backup region: " if len(far) == 1 else "Other regions: ") + ", ".join(far),
        Band.GLOBAL: "Global",
    }
    return {band: texts[band] for band in sorted({key[1] for key in boxes})}
