"""AWS' schedule expressions come due when AWS says they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.aws_cron import longest_silence, parse

START = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # a Saturday
"""Of every search below."""


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("cron(0 5 ? * * *)", datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
        ("cron(5 0,12 ? * * *)", datetime(2026, 11, 22, 0, 5, tzinfo=UTC)),
        ("cron(0/15 * * * ? *)", datetime(2026, 11, 21, 20, 15, tzinfo=UTC)),
        ("cron(0 12 ? * MON *)", datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        ("cron(0 12 ? * MON-FRI *)", datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        ("cron(0 0 1 1 ? *)", datetime(2027, 1, 1, tzinfo=UTC)),
        ("cron(0 0 L * ? *)", datetime(2026, 11, 30, tzinfo=UTC)),
        ("cron(0 0 29W * ? *)", datetime(2026, 11, 30, tzinfo=UTC)),
        ("cron(0 0 ? * 6L *)", datetime(2026, 11, 27, tzinfo=UTC)),
        ("cron(0 0 ? * TUE#1 *)", datetime(2026, 12, 1, tzinfo=UTC)),
        ("rate(12 hours)", datetime(2026, 11, 22, 8, 0, tzinfo=UTC)),
    ],
)
def test_an_expression_comes_due_first_when_aws_says(expression: str, first: datetime) -> None:
    assert next(parse(expression).times(START, START + timedelta(days=60))) == first


def test_a_time_zone_moves_what_is_due() -> None:
    [first] = parse("cron(0 5 22 11 ? 2026)", "America/New_York").times(START, START + timedelta(days=2))
    assert first == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_a_year_that_is_over_never_comes_due() -> None:
    assert list(parse("cron(0 5 ? * * 2020)").times(START, START + timedelta(days=800))) == []


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "hourly",
        "cron(0 5 * * *)",
        "cron(0 5 * * * *)",
        "cron(0 5 ? * ? *)",
        "cron(61 5 ? * * *)",
        "cron(0 5 ? * FOO *)",
        "cron(0 5 32 * ? *)",
        "cron(0/0 5 ? * * *)",
        "rate(0 hours)",
        "rate(1 year)",
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(expression)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        parse("cron(0 5 ? * * *)", "Mars/Olympus")


@given(hours=st.sets(st.integers(0, 23), min_size=1), minute=st.integers(0, 59))
def test_the_longest_silence_of_a_daily_schedule_is_its_widest_gap(hours: set[int], minute: int) -> None:
    ordered = sorted(hours)
    widest = max(b - a for a, b in zip(ordered, [*ordered[1:], ordered[0] + 24], strict=True))
    schedule = parse(f"cron({minute} {','.join(map(str, ordered))} ? * * *)")
    assert longest_silence([schedule], START, days=10) == timedelta(hours=widest)


def test_several_schedules_are_silent_only_together() -> None:
    two = [parse("cron(0 0 ? * * *)"), parse("cron(0 12 ? * * *)")]
    assert longest_silence(two, START) == timedelta(hours=12)
    assert longest_silence([], START) == timedelta(days=400)
    assert longest_silence([parse("cron(0 0 1 1 ? *)")], START) >= timedelta(days=358)
