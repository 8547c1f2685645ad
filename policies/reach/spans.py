"""Sets of whole numbers as intervals: addresses, ports and protocols are such sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

Interval = tuple[int, int]
"""The first and the last number."""


@dataclass(frozen=True)
class Spans:
    """A set of whole numbers. Two that hold the same numbers are equal, however they were put together."""

    parts: tuple[Interval, ...] = ()
    """In order, neither overlapping nor touching; make it with `spans`."""

    def __or__(self, other: Spans) -> Spans:
        return spans((*self.parts, *other.parts))

    def __and__(self, other: Spans) -> Spans:
        found: list[Interval] = []
        mine, theirs = 0, 0
        while mine < len(self.parts) and theirs < len(other.parts):
            (a, b), (c, d) = self.parts[mine], other.parts[theirs]
            if max(a, c) <= min(b, d):
                found.append((max(a, c), min(b, d)))
            if b < d:
                mine += 1
            else:
                theirs += 1
        return Spans(tuple(found))

    def __sub__(self, other: Spans) -> Spans:
        left: list[Interval] = []
        for first, last in self.parts:
            start = first
            for a, b in other.parts:
                if b < start or a > last:
                    continue
                if a > start:
                    left.append((start, a - 1))
                start = b + 1
            if start <= last:
                left.append((start, last))
        return Spans(tuple(left))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.parts)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(last - first + 1 for first, last in self.parts)


NONE: Final = Spans()


def spans(intervals: Iterable[Interval]) -> Spans:
    """The numbers of all intervals together; one whose last is before its first holds none."""
    merged: list[Interval] = []
    for first, last in sorted(i for i in intervals if i[0] <= i[1]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return Spans(tuple(merged))
