"""Whether a fleet followed its load: the replicas' course, judged phase by phase. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ops.capacity.course import Sample, course
from ops.capacity.load import Phase, Profile, Server, needed

SWING_REPLICAS: Final = 1
"""By how much a fleet may move at a steady load: one replica, as the noise of the load has it."""
REVERSALS_MAX: Final = 1
SPARE_PART: Final = 0.34
"""How many more than needed count as following: a step of the autoscaler and its tolerance."""


@dataclass(frozen=True)
class Finding:
    """One judgement of the course, with what was seen."""

    name: str
    ok: bool
    seen: str


def longest_gap(samples: Sequence[Sample]) -> float:
    """The longest while between two looks, of the load's time: a long one means a machine too busy for the tempo."""
    return max((after.at - before.at for before, after in pairwise(samples)), default=0.0)


@dataclass(frozen=True)
class Bounds:
    """What the fleet is asked: its own bounds and aims, and how long it may take."""

    low: int
    high: int
    busy_percent: int
    pending_requests: int
    follow_seconds: float
    """After a change of the load: measure, autoscaler, machine and start, of one replica after another."""
    shrink_seconds: float
    """After which less load lets replicas go."""


def findings(samples: Sequence[Sample], profile: Profile, server: Server, bounds: Bounds) -> list[Finding]:
    """Each phase's judgement."""
    found: list[Finding] = []
    for phase, begin in profile.begins():
        inside = [s for s in samples if begin <= s.at < begin + phase.seconds]
        found += _phase(phase, begin, inside, server, bounds)
    return found


def _phase(phase: Phase, begin: float, inside: Sequence[Sample], server: Server, bounds: Bounds) -> list[Finding]:
    want = min(bounds.high, max(bounds.low, needed(phase.last_rps, server, bounds.busy_percent)))
    settled = [s for s in inside if s.at >= begin + bounds.follow_seconds]
    if not settled:
        return [Finding(phase.name, False, f"no sample after {bounds.follow_seconds:.0f} s: the phase is too short")]
    last = settled[-1]
    if phase.name == "quiet":
        return [_shrinks(phase, begin, inside, want, bounds)]
    if not phase.steady:
        went = course([s.wanted for s in inside])
        seen = f"{inside[0].wanted} to {inside[-1].wanted} replicas wanted, {went.reversals} changes of direction"
        return [Finding(f"{phase.name}: follows without turning back", went.reversals <= REVERSALS_MAX, seen)]
    waits = last.pending / max(last.ready, 1)
    reached = [
        Finding(
            f"{phase.name}: reaches what the load needs",
            last.ready >= want and waits <= bounds.pending_requests,
            f"{last.ready} replicas ready where {want} are needed, {waits:.1f} requests waiting at each",
        )
    ]
    if phase.name == "steady":
        reached += _calm(phase, settled, want)
    return reached


def _calm(phase: Phase, settled: Sequence[Sample], want: int) -> list[Finding]:
    went = course([s.wanted for s in settled])
    seen = f"{went.least} to {went.most} replicas wanted, {went.reversals} changes of direction"
    calm = went.amplitude <= SWING_REPLICAS and went.reversals <= REVERSALS_MAX
    most = want + max(1, round(want * SPARE_PART))
    return [
        Finding(f"{phase.name}: does not swing", calm, seen),
        Finding(f"{phase.name}: no more than it needs", went.most <= most, f"{went.most} wanted, {want} needed"),
    ]


def _shrinks(phase: Phase, begin: float, inside: Sequence[Sample], want: int, bounds: Bounds) -> Finding:
    first, last = inside[0], inside[-1]
    # Inside the window nothing may go; the measure itself lags a little behind the load.
    held = [s.wanted for s in inside if s.at < begin + 0.8 * bounds.shrink_seconds]
    kept = min(held, default=first.wanted) >= min(first.wanted, bounds.high) - SWING_REPLICAS
    seen = f"{first.wanted} to {last.wanted} replicas wanted where {want} are needed"
    return Finding(
        f"{phase.name}: shrinks, and no sooner than replicas could be had back",
        kept and last.wanted < first.wanted,
        seen if kept else f"{seen}; {min(held)} within {bounds.shrink_seconds:.0f} s",
    )
