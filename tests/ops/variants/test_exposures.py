"""Exposures are counted by user, and a ratio that is no chance is said to be none."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import UserError
from components.contracts.variant_specs import ABTest
from components.kubernetes.variants.experiment import assign
from ops.variants.exposures import chi_square_p, count
from tests.components.kubernetes.variants.services import AB, service

SHARES = {"stable": 0.7, "b": 0.3}


def exposure(user: str, variant: str, **changed: Any) -> dict[str, Any]:
    return {"experiment": "small-net", "user": user, "variant": variant, "served": variant, **changed}


def users(stable: int, b: int) -> list[dict[str, Any]]:
    return [exposure(f"{name}{n}", name) for name, times in (("stable", stable), ("b", b)) for n in range(times)]


@pytest.mark.parametrize(
    ("found", "expected", "p"),
    [
        ({"a": 50, "b": 50}, {"a": 50, "b": 50}, 1.0),
        ({"a": 59.8, "b": 40.2}, {"a": 50, "b": 50}, 0.04999),  # scipy.stats.chi2.sf(3.8416, 1)
        ({"a": 120, "b": 90, "c": 90}, {"a": 100, "b": 100, "c": 100}, 0.049787),  # scipy.stats.chi2.sf(6, 2)
        ({"a": 100, "b": 1}, {"a": 101, "b": 0}, 0.0),
        ({"a": 100}, {"a": 100, "b": 0}, 1.0),
    ],
)
def test_chi_square_agrees_with_scipy(found: dict[str, int], expected: dict[str, float], p: float) -> None:
    assert chi_square_p(found, expected) == pytest.approx(p, rel=1e-3)


def test_a_ratio_as_asked_passes() -> None:
    found = count(users(702, 298), SHARES)
    assert found.passed
    assert (found.users, found.requests) == ({"stable": 702, "b": 298}, {"stable": 702, "b": 298})


def test_a_ratio_that_is_no_chance_is_found() -> None:
    found = count(users(770, 230), SHARES)
    assert "the ratio of users is not the asked one: stable 770 of 700 expected" in found.problems[0]


def test_many_requests_of_one_user_are_one_user() -> None:
    found = count([*users(70, 30), *[exposure("stable0", "stable")] * 500], SHARES)
    assert found.passed
    assert found.requests["stable"] == 570


def test_a_user_who_saw_two_variants_is_told_and_counted_for_none() -> None:
    found = count([*users(700, 300), exposure("stable0", "b")], SHARES)
    assert (found.crossed, found.users["stable"]) == (1, 699)
    assert "1 users saw more than one variant" in found.problems[0]


def test_an_answer_of_the_fallback_is_counted_apart() -> None:
    assert count([*users(699, 300), exposure("x", "stable", served="other")], SHARES).served_otherwise == 1


def test_a_variant_nobody_asked_for_is_a_problem() -> None:
    assert "no share was given for: c" in count([*users(700, 300), exposure("x", "c")], SHARES).problems[0]


def test_too_few_users_are_no_verdict() -> None:
    assert count(users(7, 3), SHARES).problems == ("there are too few users to judge the ratio: 10",)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no experiment"),
        ([exposure("u", "b"), exposure("u", "b", experiment="other")], "other, small-net"),
        ([exposure("", "b")], "no exposure has a user"),
    ],
)
def test_a_log_without_one_experiment_is_refused(lines: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UserError, match=said):
        count(lines, SHARES)


def test_what_the_filter_assigns_passes() -> None:
    test = service(**AB).traffic
    assert isinstance(test, ABTest)
    found = [exposure(each.user, each.variant) for each in (assign(test, str(n)) for n in range(5000))]
    assert count(found, test.expected_shares).passed
