"""The exercise's releases differ by what is wrong with them and not by chance: counted out, for its own figures.

The door draws who answers each request; a window has so many of them, and no more.
"""

from __future__ import annotations

from math import comb

import pytest

from components.kubernetes.rollouts.analysis import checks
from ops.rollouts import laid, releases
from ops.rollouts.clients import LEVELS
from ops.rollouts.run import RATE

STEPS = laid.canary_spec().step_percents
FULL = round(RATE * laid.WINDOW_SECONDS * laid.FIRST_SHARE / 100)
"""The new release's answers within a window of the first step."""
IN_ALL = round(RATE * laid.WINDOW_SECONDS)
MALIGNANT = sum(level >= releases.THRESHOLD for level in LEVELS) / len(LEVELS)
"""How often a sound release says so."""


def binomial(answers: int, chance: float) -> list[float]:
    """How likely each number of them is."""
    return [comb(answers, n) * chance**n * (1 - chance) ** (answers - n) for n in range(answers + 1)]


def taken_back(answers: int, says_malignant: float) -> float:
    """How likely one check holds a release back that says "malignant" so often, beside a sound one."""
    new, old = binomial(answers, says_malignant), binomial(IN_ALL - answers, MALIGNANT)
    return sum(
        a * b
        for n, a in enumerate(new)
        for m, b in enumerate(old)
        if abs(n / answers - m / (IN_ALL - answers)) > releases.QUALITY_MAX
    )


def test_a_good_release_is_hardly_ever_held_back_by_chance_and_never_twice() -> None:
    assert taken_back(FULL, MALIGNANT) < 1e-3
    rollouts, looks = 8, len(STEPS) + 1
    assert rollouts * comb(looks, 2) * taken_back(laid.MIN_ANSWERS, MALIGNANT) ** 2 < 2e-3


def test_a_wrong_release_is_always_held_back() -> None:
    assert taken_back(laid.MIN_ANSWERS, 1.0) > 1 - 1e-9


def test_a_figure_of_fewer_answers_would_be_chance() -> None:
    """What the bound on answers keeps from being judged."""
    assert taken_back(6, MALIGNANT) > 30 * taken_back(FULL, MALIGNANT)


def test_the_first_share_brings_enough_answers() -> None:
    assert sum(binomial(IN_ALL, laid.FIRST_SHARE / 100)[: laid.MIN_ANSWERS]) < 1e-3


def failed(answers: float, quality: float) -> str:
    """The first check that fails where all but these two figures is well, as Flagger goes through them."""
    figures = {"error-percent": 0.0, "p99-ms": 40.0, "answers": answers, "quality": quality, "requests": 80.0}
    for check in checks("risk", laid.canary_spec().analysis, laid.OBJECTIVE_P99_MS, laid.WINDOW_SECONDS):
        value, bounds = figures[check.name], check.bounds
        if value < bounds.get("min", value) or value > bounds.get("max", value):
            return check.name
    return ""


@pytest.mark.parametrize(
    ("answers", "quality", "fails"),
    [(6, 0.33, "answers"), (6, 0.0, "answers"), (32, 0.33, "quality"), (32, 0.1, ""), (laid.MIN_ANSWERS, 0.25, "")],
)
def test_a_figure_of_few_answers_is_not_judged_and_promotes_nothing(
    answers: float, quality: float, fails: str
) -> None:
    assert failed(answers, quality) == fails
