"""Simulates a bandit with the very code that decides its weights in the cluster, against simpler ways of sharing.

Regret is what was not earned: for each request, the best arm's rate less the rate of the arm that got it. It is
counted in expectation, so that luck of single rewards is not in it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.contracts.bandit_specs import Bandit
from serving_image.traffic_weights.deciding import TOTAL, Bounds, Earned, decide, first_weights

DRAWS: Final = 400
"""Fewer than the controller's, for speed: two times of three a probability is off by 2.5 points at most."""


@dataclass(frozen=True)
class World:
    """What the arms are worth, and how many requests there are."""

    rates: Mapping[str, tuple[float, ...]]
    """Arm → the share of its trials that is rewarded, in each of equally long parts of the time."""
    requests: int
    """In each interval."""
    intervals: int

    def rate(self, arm: str, interval: int) -> float:
        parts = self.rates[arm]
        return parts[min(interval * len(parts) // self.intervals, len(parts) - 1)]


@dataclass(frozen=True)
class Course:
    """What one seed gave: weights and regret so far after each interval."""

    weights: Sequence[Mapping[str, int]]
    regret: Sequence[float]
    """In rewards."""


def bounds_of(spec: Bandit) -> Bounds:
    return Bounds(spec.floor_percent, spec.ceiling_percent, spec.step_percent)


def simulate(spec: Bandit, world: World, seed: int, draws: int = DRAWS) -> Course:
    """The bandit of `spec` in `world`; a seed always gives the same course."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    arms, bounds = list(world.rates), bounds_of(spec)
    count = spec.window_minutes * 60 // spec.interval_seconds
    seen: dict[str, deque[Earned]] = {arm: deque(maxlen=count) for arm in arms}
    weights: Mapping[str, int] = first_weights(arms, spec.default, bounds)
    course: list[Mapping[str, int]] = []
    lost: list[float] = []
    for interval in range(world.intervals):
        trials = _shared(chance, world.requests, weights)
        for arm in arms:
            rewarded = _binomial(chance, trials[arm], world.rate(arm, interval))
            seen[arm].append(Earned(float(rewarded), float(trials[arm])))
        best = max(world.rate(arm, interval) for arm in arms)
        step = sum(world.requests * weights[arm] / TOTAL * (best - world.rate(arm, interval)) for arm in arms)
        lost.append((lost[-1] if lost else 0.0) + step)
        course.append(weights)
        weights = decide(
            {arm: tuple(earned) for arm, earned in seen.items()},
            weights,
            bounds,
            half_life=spec.half_life_minutes * 60 / spec.interval_seconds,
            minimum_trials=spec.minimum_trials,
            seed=chance.getrandbits(48),
            draws=draws,
        ).weights
    return Course(course, lost)


def constant(world: World, weights: Mapping[str, float]) -> list[float]:
    """Regret so far after each interval when the shares, which sum to 1, never change."""
    lost: list[float] = []
    for interval in range(world.intervals):
        best = max(world.rate(arm, interval) for arm in world.rates)
        step = sum(world.requests * weights[arm] * (best - world.rate(arm, interval)) for arm in world.rates)
        lost.append((lost[-1] if lost else 0.0) + step)
    return lost


def uniform(world: World) -> list[float]:
    """Regret so far of equal shares, as an A/B test has them."""
    return constant(world, dict.fromkeys(world.rates, 1 / len(world.rates)))


def _shared(chance: random.Random, requests: int, weights: Mapping[str, int]) -> dict[str, int]:
    """How many requests each arm gets: the gateway draws by weight."""
    left, share, found = requests, TOTAL, {}
    for arm, weight in weights.items():
        found[arm] = left if weight == share else _binomial(chance, left, weight / share)
        left, share = left - found[arm], share - weight
    return found


def _binomial(chance: random.Random, count: int, rate: float) -> int:
    variance = count * rate * (1 - rate)
    if variance > 25:  # the normal distribution is close from here on
        return min(count, max(0, round(chance.gauss(count * rate, variance**0.5))))
    return sum(chance.random() < rate for _ in range(count))
