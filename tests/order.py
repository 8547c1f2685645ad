"""In which order several workers take tests, so that none waits for another, in the middle or at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

TAKES_TURNS: Final = "gateway"
"""One test of this tier at a time on a machine: one group, which one worker begins with, as it is the longest."""
WAITS: Final = "cluster"
"""For controllers with clocks of their own, beside what it computes."""
COMPUTES: Final = ("engine", "triton")
LONG_TIERS: Final = (TAKES_TURNS, WAITS, *COMPUTES)
Item = TypeVar("Item")


def in_order(items: Sequence[Item], tiers_of: Callable[[Item], Collection[str]]) -> list[Item]:
    """First what takes turns; then what waits, spread among what computes; what is short comes at the end."""
    kinds: tuple[list[Item], ...] = ([], [], [], [])
    for item in items:
        kinds[_kind(tiers_of(item))].append(item)
    first, waiting, computing, short = kinds
    spread = sorted([*_placed(waiting), *_placed(computing)], key=lambda placed: placed[0])
    return [*first, *(item for _, item in spread), *short]


def _kind(tiers: Collection[str]) -> int:
    if TAKES_TURNS in tiers:
        return 0
    if WAITS in tiers:
        return 1
    return 2 if any(tier in tiers for tier in COMPUTES) else 3


def _placed(items: Sequence[Item]) -> Iterable[tuple[float, Item]]:
    return ((number / len(items), item) for number, item in enumerate(items))
