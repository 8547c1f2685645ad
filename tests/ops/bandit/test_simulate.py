"""The simulated bandit: less is lost than with equal shares, by a margin, and its bounds hold in every step."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from components.contracts.bandit_specs import Bandit, RewardSpec
from ops.bandit.picture import picture
from ops.bandit.simulate import Course, World, constant, simulate, uniform

SPEC = Bandit(
    reward=RewardSpec(successes="good_total", trials="asked_total"),
    floor_percent=4,
    ceiling_percent=92,
    step_percent=15,
    interval_seconds=60,
    window_minutes=60,
    half_life_minutes=30,
)
SEEDS = range(20)
WORLDS = {
    "far apart": World({"stable": (0.10,), "b": (0.20,)}, 600, 120),
    "close": World({"stable": (0.10,), "b": (0.12,)}, 1200, 150),
    "default best": World({"stable": (0.20,), "b": (0.10,)}, 600, 120),
    "three arms": World({"stable": (0.10,), "b": (0.08,), "c": (0.15,)}, 900, 120),
    "changes sides": World({"stable": (0.20, 0.10), "b": (0.10, 0.20)}, 900, 240),
}


@cache
def courses(name: str) -> Sequence[Course]:
    """The course of every seed in one of the worlds."""
    return [simulate(SPEC, WORLDS[name], seed, draws=100) for seed in SEEDS]


@pytest.mark.parametrize("name", WORLDS)
def test_a_bandit_loses_less_than_equal_shares_by_a_margin(name: str) -> None:
    """Its mean over the seeds is at most 70 % of theirs, and no single seed is worse than they are."""
    ends = [course.regret[-1] for course in courses(name)]
    equal = uniform(WORLDS[name])[-1]
    assert statistics.fmean(ends) < 0.7 * equal
    assert max(ends) < equal


def test_a_bandit_that_cannot_learn_loses_as_much_as_equal_shares_here() -> None:
    """What the margin above is worth: the same bandit, blind, does not pass."""
    world = WORLDS["three arms"]
    blind = SPEC.model_copy(update={"minimum_trials": 10**6, "default": "stable"})
    assert simulate(blind, world, 1, draws=150).regret[-1] > 0.7 * uniform(world)[-1]


@pytest.mark.parametrize("name", WORLDS)
def test_floor_ceiling_and_step_hold_in_every_interval(name: str) -> None:
    for course in courses(name):
        before: Mapping[str, int] | None = None
        for weights in course.weights:
            assert sum(weights.values()) == 100
            assert all(4 <= weight <= 92 for weight in weights.values())
            if before is not None:
                assert all(abs(weights[arm] - before[arm]) <= 15 for arm in weights)
            before = weights


def test_the_weights_follow_a_world_that_changes_sides() -> None:
    weights = courses("changes sides")[3].weights
    assert weights[110]["stable"] > 80 and weights[-1]["b"] > 80


def test_a_seed_gives_the_same_course() -> None:
    world = World({"stable": (0.1,), "b": (0.12,)}, 100, 20)
    assert simulate(SPEC, world, 5, draws=60) == simulate(SPEC, world, 5, draws=60)
    assert simulate(SPEC, world, 5, draws=60) != simulate(SPEC, world, 6, draws=60)


def test_all_to_the_best_arm_loses_nothing() -> None:
    assert constant(WORLDS["far apart"], {"stable": 0.0, "b": 1.0})[-1] == 0


def test_the_picture_names_every_arm() -> None:
    world = World({"stable": (0.1,), "b<": (0.2,)}, 100, 20)
    drawn = picture("a & b", [simulate(SPEC, world, seed, draws=60) for seed in range(3)], uniform(world), 0.33)
    assert drawn.startswith("<svg") and "b&lt;" in drawn and "a &amp; b" in drawn
