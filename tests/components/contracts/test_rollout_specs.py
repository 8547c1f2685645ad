"""Settings of rollouts: what would judge nothing, or promise less than the service does, is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from components.contracts.rollout_specs import AnalysisSpec, BlueGreen, Canary, QualitySpec

SOUND = 'sum(rate(labels{$canary,label="a"}[$window]))'
COUNT = "sum(increase(labels{$canary}[$window]))"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ('sum(rate(labels{label="a"}[1m]))', "selected by $canary"),
        ("1 # $canary", "selected by $canary"),
        ("sum(rate(labels[1m])) # {$canary}", "selected by $canary"),
        ('sum(rate(labels{label="{$canary}"}[$window]))', "selected by $canary"),
        ("sum(rate(labels{}[$window])) * $canary", "selected by $canary"),
        ("rate(x{$canary}[$window]) or on() time()", "where nothing was measured"),
        ("rate(x{$canary}[$window]) OR y", "where nothing was measured"),
        ("sum({{ target }} $canary)", "doubled braces"),
        ("rate(x{$canary}[$windw])", "$windw"),
        ("rate(x{$canary}[$window]) or vector(0)", "where nothing was measured"),
        ("absent_over_time(x{$canary}[$window])", "where nothing was measured"),
    ],
)
def test_a_quality_query_that_judges_something_else_is_refused(query: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told.replace("$", r"\$")):
        QualitySpec(query=query, answers=COUNT, max=1.0)
    with pytest.raises(ValidationError, match=told.replace("$", r"\$")):
        QualitySpec(query=SOUND, answers=query, max=1.0)


def test_a_quality_figure_without_bounds_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither min nor max"):
        QualitySpec(query=SOUND, answers=COUNT)


def test_a_quality_figure_whose_bounds_exclude_all_is_refused() -> None:
    with pytest.raises(ValidationError, match="more than max"):
        QualitySpec(query=SOUND, answers=COUNT, min=2.0, max=1.0)


@pytest.mark.parametrize("answers", ["sum(labels{$canary})", "sum(labels{$canary}) # [$window]"])
def test_a_count_of_all_answers_ever_is_refused(answers: str) -> None:
    with pytest.raises(ValidationError, match=r"answers has no \$window"):
        QualitySpec(query=SOUND, answers=answers, max=1.0)


def test_what_stands_in_quotes_is_no_operator() -> None:
    quoted = 'sum(rate(labels{$canary,label="or"}[$window]))'
    assert QualitySpec(query=quoted, answers=COUNT, max=1.0).query == quoted


@pytest.mark.parametrize("least", [0, 9, -1])
def test_a_judgement_by_a_handful_of_answers_is_refused(least: int) -> None:
    with pytest.raises(ValidationError, match="min_answers"):
        QualitySpec(query=SOUND, answers=COUNT, min_answers=least, max=1.0)


@pytest.mark.parametrize("bound", [float("inf"), float("-inf"), float("nan")])
def test_a_bound_that_nothing_can_miss_is_refused(bound: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        QualitySpec(query=SOUND, answers=COUNT, max=bound)


@pytest.mark.parametrize(
    "asked", [{"max_error_percent": 5.1}, {"max_error_percent": 100}, {"min_requests": 0}, {"p99_ms": 10**9}]
)
def test_an_analysis_that_forgives_everything_is_refused(asked: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        AnalysisSpec.model_validate(asked)


@pytest.mark.parametrize("steps", [(100,), (51, 80)])
def test_a_first_step_that_most_requests_meet_is_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="the first of step_percents"):
        Canary(step_percents=steps)


@pytest.mark.parametrize("steps", [(20, 5), (5, 5, 20), (0, 5), (5, 101), ()])
def test_steps_that_do_not_grow_within_all_requests_are_refused(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        Canary(step_percents=steps)


def test_steps_shorter_than_six_scrapes_are_refused() -> None:
    with pytest.raises(ValidationError):
        Canary(step_seconds=29)


def test_an_analysis_laxer_than_the_promise_is_refused() -> None:
    with pytest.raises(PydanticCustomError, match="promises 250"):
        Canary(analysis=AnalysisSpec(p99_ms=300)).check_service(("stable",), 250)


def test_an_analysis_stricter_than_the_promise_is_accepted() -> None:
    Canary(analysis=AnalysisSpec(p99_ms=200)).check_service(("stable",), 250)


def test_a_live_colour_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="live is blue"):
        BlueGreen(live="blue")


@pytest.mark.parametrize("variants", [("stable",), ("stable", "blue"), ("stable", "green", "red")])
def test_blue_green_with_other_variants_than_its_two_colours_is_refused(variants: tuple[str, ...]) -> None:
    with pytest.raises(PydanticCustomError, match="the other colour is green"):
        BlueGreen().check_service(variants, 250)
