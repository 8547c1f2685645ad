"""Decides the weights of a bandit's arms from what each has earned; pure, so that the simulation runs the same code.

Thompson sampling in batches: the share of requests that an arm gets is the probability that it is the best one, under
posteriors that are Beta distributions (a reward is there or not). One request at a time the sampling would send the
same shares (Chapelle and Li, "An Empirical Evaluation of Thompson Sampling", 2011); a route wants them as weights.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TOTAL = 100
"""What the weights of a route sum to, so that each reads as a percentage."""
DRAWS = 10_000
"""Draws behind a probability: it is off by half a percentage point at most, two times of three."""
LEAST_CHANGE = 2
"""Percentage points; less is the noise of the draws, and writes nothing."""
SKEW_SHARE = 0.05
"""By how much successes may exceed trials: the counters are scraped at different moments, and extrapolated."""
DRY_EXPECTED = 20.0
"""Successes that must have been due in the newest interval before none at all means that their source is dead: by
chance that happens once in e^20 times."""


@dataclass(frozen=True)
class Bounds:
    """What no weight may leave, in percent, and how far one goes at once."""

    floor: int
    ceiling: int
    step: int
    """Percentage points that a weight moves in one interval at most."""


@dataclass(frozen=True)
class Earned:
    """What one arm earned in one interval; fractions come from extrapolation and discounting."""

    successes: float
    trials: float


@dataclass(frozen=True)
class Posterior:
    """A Beta distribution of an arm's rate of reward, over a flat prior."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)


@dataclass(frozen=True)
class Decision:
    """New weights, or the old ones, and why."""

    weights: Mapping[str, int]
    why: str
    frozen: bool = False
    """The evidence is missing or cannot be right: somebody must look."""
    evidence: Mapping[str, Earned] | None = None
    best: Mapping[str, float] | None = None
    """The probability that an arm is the best one."""


def discounted(intervals: Sequence[Earned], half_life: float) -> Earned:
    """The sum over intervals, oldest first, each counting half as much as the one `half_life` intervals later."""
    successes = trials = 0.0
    for age, earned in enumerate(reversed(intervals)):
        share = 0.5 ** (age / half_life)
        successes += share * earned.successes
        trials += share * earned.trials
    return Earned(successes, trials)


def posterior(earned: Earned) -> Posterior:
    """What is known of an arm's rate; successes beyond the trials, which `fault` lets pass, count as all of them."""
    successes = min(earned.successes, earned.trials)
    return Posterior(1.0 + successes, 1.0 + earned.trials - successes)


def best_probabilities(posteriors: Mapping[str, Posterior], seed: int, draws: int = DRAWS) -> dict[str, float]:
    """How often each arm has the highest rate in `draws` draws; the same seed gives the same answer."""
    drawn = random.Random(seed)  # noqa: S311 - a statistic, no secret
    wins = dict.fromkeys(posteriors, 0)
    arms = [(name, known.alpha, known.beta) for name, known in posteriors.items()]
    for _ in range(draws):
        wins[max(arms, key=lambda arm: drawn.betavariate(arm[1], arm[2]))[0]] += 1
    return {name: won / draws for name, won in wins.items()}


def apportion(
    shares: Mapping[str, float], low: Mapping[str, int], high: Mapping[str, int], total: int = TOTAL
) -> dict[str, int]:
    """Whole weights in proportion to `shares`, each between its `low` and `high`, that sum to `total` exactly.

    Raises:
        ValueError: no weights fit between the bounds.
    """
    if not sum(low.values()) <= total <= sum(high.values()) or any(low[name] > high[name] for name in shares):
        raise ValueError(f"no weights between {dict(low)} and {dict(high)} sum to {total}")
    # An arm without any share must still be able to take what the others may not.
    wanted = {name: max(share, 0.0) + 1e-9 for name, share in shares.items()}

    def at(scale: float) -> dict[str, float]:
        return {name: min(max(scale * share, low[name]), high[name]) for name, share in wanted.items()}

    least, most = 0.0, (total + 1) / min(wanted.values())
    for _ in range(200):
        middle = (least + most) / 2
        least, most = (middle, most) if sum(at(middle).values()) < total else (least, middle)
    exact = at(most)
    whole = {name: max(low[name], math.floor(value + 1e-9)) for name, value in exact.items()}
    # The largest remainders get what rounding left over; both rounds keep to the bounds.
    for name in sorted(exact, key=lambda name: (whole[name] - exact[name], name)) * 2:
        if sum(whole.values()) < total and whole[name] < high[name]:
            whole[name] += 1
    return whole


def first_weights(arms: Sequence[str], default: str, bounds: Bounds) -> dict[str, int]:
    """Where a bandit starts: the default arm gets all that its ceiling lets it have, the others what is left."""
    return apportion(
        {name: float(name == default) for name in arms},
        dict.fromkeys(arms, bounds.floor),
        dict.fromkeys(arms, bounds.ceiling),
    )


def fault(earned: Mapping[str, Sequence[Earned]]) -> str | None:
    """Why this evidence cannot be right, or None."""
    for name, intervals in earned.items():
        numbers = [number for each in intervals for number in (each.successes, each.trials)]
        if not all(math.isfinite(number) and number >= 0 for number in numbers):
            return f"the counters of {name} give a number that is no count"
        successes, trials = sum(each.successes for each in intervals), sum(each.trials for each in intervals)
        if successes > trials * (1 + SKEW_SHARE) + 1:
            return f"{name} has {successes:.0f} successes in {trials:.0f} trials: the counters do not belong together"
    before = [each for intervals in earned.values() for each in intervals[:-1]]
    newest = [intervals[-1] for intervals in earned.values() if intervals]
    trials = sum(each.trials for each in before)
    rate = sum(each.successes for each in before) / trials if trials else 0.0
    due = rate * sum(each.trials for each in newest)
    if due >= DRY_EXPECTED and sum(each.successes for each in newest) == 0:
        return f"no arm had a success in the newest interval, where {due:.0f} were due: their source may be dead"
    return None


def decide(
    earned: Mapping[str, Sequence[Earned]],
    old: Mapping[str, int],
    bounds: Bounds,
    *,
    half_life: float,
    minimum_trials: int,
    seed: int,
    draws: int = DRAWS,
) -> Decision:
    """The weights of the next interval.

    Args:
        earned: arm → what it earned in each interval of the window, oldest first.
        old: arm → its weight now.
        half_life: after how many intervals evidence counts half.
        minimum_trials: fewer in all: nothing is changed. Fewer of one arm: it does not rise above an equal share.
    """
    wrong = fault(earned)
    if wrong is not None:
        return Decision(old, wrong, frozen=True)
    known = {name: discounted(intervals, half_life) for name, intervals in earned.items()}
    legal = sum(old.values()) == TOTAL and all(bounds.floor <= old[name] <= bounds.ceiling for name in earned)
    in_all = sum(each.trials for each in known.values())
    if legal and in_all < minimum_trials:
        return Decision(old, f"{in_all:.0f} trials in all, fewer than {minimum_trials}", evidence=known)
    best = best_probabilities({name: posterior(each) for name, each in known.items()}, seed, draws)
    equal = math.ceil(TOTAL / len(known))
    low, high = {}, {}
    for name, each in known.items():
        high[name] = bounds.ceiling if each.trials >= minimum_trials else min(bounds.ceiling, max(equal, old[name]))
        # Weights that somebody else wrote outside the bounds are put right in one go, however large the step.
        low[name] = max(bounds.floor, old[name] - bounds.step) if legal else bounds.floor
        high[name] = min(high[name], old[name] + bounds.step) if legal else high[name]
    new = apportion(best, low, high)
    if legal and max(abs(new[name] - old[name]) for name in new) < LEAST_CHANGE:
        return Decision(old, "the weights are right as they are", evidence=known, best=best)
    why = "the weights follow the probability of being best" if legal else "the weights were outside their bounds"
    return Decision(new, why, evidence=known, best=best)
