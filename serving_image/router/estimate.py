"""What a policy would have earned, told from the log of another one. Standard library only.

- IPS, inverse propensity scoring: each reward counts by how much more often the new policy would have picked that
  variant than the old one did. Unbiased as long as the propensities are those by which was drawn, and none is 0.
- DR, doubly robust: a model of the reward tells the most, and IPS only what it got wrong. Unbiased under the same
  condition whatever the model is worth, and less noisy the better it is.

Dudík, Langford and Li, "Doubly Robust Policy Evaluation and Learning", 2011.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from .decisions import Decision

Chances = Callable[[Mapping[str, float]], Mapping[str, float]]
"""A policy: from the features of a row to a probability for each variant."""
RewardModel = Callable[[Mapping[str, float], str], float]
"""A reward that is expected from a row's features and a variant; learnt from other rows than are judged."""
Z_95: Final = 1.959964
"""Standard errors on either side of an estimate that hold the truth 95 times of 100."""


@dataclass(frozen=True)
class Estimate:
    """A mean reward for each row, with the 95 % interval that the central limit theorem gives."""

    mean: float
    low: float
    high: float
    rows: int

    @classmethod
    def of(cls, terms: Sequence[float]) -> Estimate:
        """The mean of independent terms.

        Raises:
            ValueError: there are fewer than two.
        """
        if len(terms) < 2:
            raise ValueError(f"{len(terms)} rows are too few for an estimate")
        mean, error = fmean(terms), stdev(terms) / math.sqrt(len(terms))
        return cls(mean, mean - Z_95 * error, mean + Z_95 * error, len(terms))


def ips_terms(rows: Sequence[Decision], chances: Chances) -> list[float]:
    """Each row's term of the IPS estimate."""
    return [chances(row.values)[row.arm] / row.propensity * row.reward for row in rows]


def dr_terms(rows: Sequence[Decision], chances: Chances, model: RewardModel) -> list[float]:
    """Each row's term of the DR estimate."""
    terms = []
    for row in rows:
        wanted = chances(row.values)
        told = sum(chance * model(row.values, arm) for arm, chance in wanted.items())
        wrong = row.reward - model(row.values, row.arm)
        terms.append(told + wanted[row.arm] / row.propensity * wrong)
    return terms


def gain(rows: Sequence[Decision], new: Chances, old: Chances, model: RewardModel) -> Estimate:
    """How much more `new` would earn for each row than `old`, by DR: paired, so that what both share cancels out."""
    pairs = zip(dr_terms(rows, new, model), dr_terms(rows, old, model), strict=True)
    return Estimate.of([one - other for one, other in pairs])
