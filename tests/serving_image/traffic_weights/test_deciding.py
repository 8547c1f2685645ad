"""The decision of a bandit's weights: floors, ceilings and steps hold exactly, and evidence alone moves them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving_image.traffic_weights.deciding import (
    TOTAL,
    Bounds,
    Decision,
    Earned,
    Posterior,
    apportion,
    best_probabilities,
    decide,
    discounted,
    fault,
    first_weights,
)

BOUNDS = Bounds(floor=5, ceiling=90, step=20)


def ask(earned: dict[str, list[Earned]], old: dict[str, int], bounds: Bounds = BOUNDS, seed: int = 1) -> Decision:
    return decide(earned, old, bounds, half_life=5, minimum_trials=100, seed=seed, draws=2000)


def steady(rate: float, trials: float = 1000, intervals: int = 5) -> list[Earned]:
    return [Earned(rate * trials, trials)] * intervals


@st.composite
def bandits(draw: st.DrawFn) -> tuple[dict[str, list[Earned]], dict[str, int], Bounds]:
    """Any sound evidence, bounds and weights, the weights within the bounds or not."""
    arms = [f"arm{i}" for i in range(draw(st.integers(2, 5)))]
    floor = draw(st.integers(1, TOTAL // len(arms)))
    ceiling = draw(st.integers(math.ceil(TOTAL / len(arms)), TOTAL))
    cuts = sorted(draw(st.lists(st.integers(0, TOTAL), min_size=len(arms) - 1, max_size=len(arms) - 1)))
    old = dict(zip(arms, (b - a for a, b in zip([0, *cuts], [*cuts, TOTAL], strict=True)), strict=True))
    interval = st.tuples(st.floats(0, 1), st.floats(0, 5000)).map(lambda pair: Earned(pair[0] * pair[1], pair[1]))
    earned = {arm: draw(st.lists(interval, min_size=3, max_size=3)) for arm in arms}
    return earned, old, Bounds(floor, ceiling, draw(st.integers(1, TOTAL)))


@given(bandits(), st.integers(0, 2**32))
def test_weights_sum_to_all_and_keep_to_floor_and_ceiling_after_every_decision(
    bandit: tuple[dict[str, list[Earned]], dict[str, int], Bounds], seed: int
) -> None:
    earned, old, bounds = bandit
    decision = decide(earned, old, bounds, half_life=3, minimum_trials=10, seed=seed, draws=50)
    if decision.frozen:
        assert decision.weights == old
        return
    assert sum(decision.weights.values()) == TOTAL
    assert all(bounds.floor <= weight <= bounds.ceiling for weight in decision.weights.values())
    if all(bounds.floor <= weight <= bounds.ceiling for weight in old.values()):
        assert all(abs(decision.weights[arm] - old[arm]) <= bounds.step for arm in old)


def test_the_better_arm_gains_one_step() -> None:
    decision = ask({"stable": steady(0.10), "b": steady(0.15)}, {"stable": 50, "b": 50})
    assert decision.weights == {"stable": 30, "b": 70}


def test_the_worse_arm_keeps_its_floor() -> None:
    weights = {"stable": 50, "b": 50}
    for _ in range(10):
        weights = dict(ask({"stable": steady(0.10), "b": steady(0.30)}, weights, Bounds(7, 93, 20)).weights)
    assert weights == {"stable": 7, "b": 93}


def test_too_few_trials_change_nothing() -> None:
    decision = ask({"stable": steady(0.1, 5), "b": steady(0.9, 5)}, {"stable": 90, "b": 10})
    assert decision.weights == {"stable": 90, "b": 10} and not decision.frozen
    assert "trials" in decision.why


def test_an_arm_with_few_trials_does_not_rise_above_an_equal_share() -> None:
    weights = {"stable": 60, "b": 40}
    for _ in range(5):
        weights = dict(ask({"stable": steady(0.1), "b": steady(1.0, 4)}, weights).weights)
    assert weights == {"stable": 50, "b": 50}


def test_an_arm_that_is_asked_too_seldom_is_tried_again() -> None:
    """At its floor it gathers little; what is not known of it must bring it back, not bury it."""
    decision = ask({"stable": steady(0.5), "b": steady(0.5, 1)}, {"stable": 90, "b": 10})
    assert decision.weights["b"] > 10


def test_weights_outside_their_bounds_are_put_right_beyond_the_step() -> None:
    decision = ask({"stable": steady(0.1), "b": steady(0.1)}, {"stable": 100, "b": 0}, Bounds(30, 70, 1))
    assert 30 <= decision.weights["b"] <= 70


def test_noise_writes_nothing() -> None:
    even = {"stable": steady(0.1), "b": steady(0.1)}
    settled = dict(ask(even, {"stable": 50, "b": 50}).weights)
    assert ask(even, settled, seed=2).weights == settled


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0])
def test_a_number_that_is_no_count_freezes(number: float) -> None:
    for earned in (Earned(number, 100.0), Earned(1.0, number)):
        decision = ask({"stable": steady(0.1), "b": [earned]}, {"stable": 60, "b": 40})
        assert decision.frozen and decision.weights == {"stable": 60, "b": 40}


def test_more_successes_than_trials_freeze() -> None:
    decision = ask({"stable": steady(0.1), "b": steady(1.2)}, {"stable": 60, "b": 40})
    assert decision.frozen and "do not belong together" in decision.why


def test_the_skew_of_two_scrapes_does_not_freeze() -> None:
    assert fault({"stable": steady(1.03)}) is None


def test_a_dead_source_of_successes_freezes() -> None:
    dead = [*steady(0.1), Earned(0.0, 1000)]
    decision = ask({"stable": dead, "b": dead}, {"stable": 60, "b": 40})
    assert decision.frozen and "dead" in decision.why


def test_one_arm_without_successes_is_no_dead_source() -> None:
    assert fault({"stable": [*steady(0.1), Earned(0.0, 1000)], "b": steady(0.1)}) is None


def test_evidence_of_one_half_life_ago_counts_half() -> None:
    assert discounted([Earned(10, 100), Earned(0, 0), Earned(0, 0)], half_life=2) == Earned(5, 50)


def test_the_probability_of_being_best_agrees_with_its_closed_form() -> None:
    """For two Beta distributions with whole parameters (Evan Miller, "Formulas for Bayesian A/B testing")."""
    one, two = Posterior(21, 181), Posterior(31, 171)

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    exact = sum(
        math.exp(
            log_beta(one.alpha + i, one.beta + two.beta)
            - math.log(two.beta + i)
            - log_beta(1 + i, two.beta)
            - log_beta(one.alpha, one.beta)
        )
        for i in range(int(two.alpha))
    )
    drawn = best_probabilities({"one": one, "two": two}, seed=3, draws=40_000)
    assert drawn["two"] == pytest.approx(exact, abs=0.01)


def test_the_same_seed_gives_the_same_probabilities() -> None:
    posteriors = {"a": Posterior(5, 5), "b": Posterior(6, 5)}
    assert best_probabilities(posteriors, 7, 500) == best_probabilities(posteriors, 7, 500)


def test_a_bandit_starts_with_its_default_arm() -> None:
    assert first_weights(["stable", "b", "c"], "stable", BOUNDS) == {"stable": 90, "b": 5, "c": 5}


def test_bounds_that_no_weights_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to 100"):
        apportion({"a": 1.0, "b": 1.0}, {"a": 60, "b": 60}, {"a": 90, "b": 90})
