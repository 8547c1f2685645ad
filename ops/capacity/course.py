"""The course of a fleet under load, moment by moment: what simulations make, and rehearsals see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Sample:
    """A moment of a load."""

    at: float
    """Seconds of the load's own time since it began."""
    rps: float
    wanted: int
    """What the autoscaler asks for."""
    ready: int
    nodes: int
    """GPU machines."""
    pending: float
    """Requests that wait, in the whole fleet."""


@dataclass(frozen=True)
class Course:
    """How the replicas moved in a while."""

    least: int
    most: int
    reversals: int

    @property
    def amplitude(self) -> int:
        """From the fewest to the most."""
        return self.most - self.least


def course(replicas: Sequence[int]) -> Course:
    """Amplitude, and how often the direction changed; of no sample, a fleet that did not move."""
    if not replicas:
        return Course(0, 0, 0)
    steps = [after - before for before, after in pairwise(replicas) if after != before]
    reversals = sum((a > 0) != (b > 0) for a, b in pairwise(steps))
    return Course(min(replicas), max(replicas), reversals)
