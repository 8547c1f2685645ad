"""Tiers of recovery points: no two at the same time, none further apart than asked for, and few enough in the end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.contracts.backup import BackupSpec, TierName, points_kept, tiers

FREQUENCIES = (1, 2, 3, 4, 6, 8, 12, 24)


def _spec(frequency_hours: int = 1, all_days: int = 7, daily_days: int = 14, days: int = 35) -> BackupSpec:
    return BackupSpec.model_validate(
        {
            "region": "eu-central-1",
            "frequency_hours": frequency_hours,
            "keep_all_days": all_days,
            "keep_daily_days": daily_days,
            "retention_days": days,
            "rpo_minutes": 10080,
            "rto_minutes": 10080,
        }
    )


def _times(spec: BackupSpec) -> list[int]:
    """Every hour of the week at which some tier makes a point, in order, a repeated one twice."""
    return sorted(24 * day + hour for tier in tiers(spec) for day in tier.weekdays for hour in tier.hours)


kept_days = st.tuples(st.integers(7, 400), st.integers(7, 400), st.integers(7, 400)).map(sorted)


@given(every=st.sampled_from(FREQUENCIES), days=kept_days)
def test_each_time_belongs_to_one_tier_and_none_is_missing(every: int, days: list[int]) -> None:
    times = _times(_spec(every, *days))
    assert times == list(range(0, 7 * 24, every))


@given(every=st.sampled_from(FREQUENCIES), days=kept_days)
def test_two_points_are_never_further_apart_than_asked_for(every: int, days: list[int]) -> None:
    times = _times(_spec(every, *days))
    assert max(later - earlier for earlier, later in pairwise([*times, times[0] + 7 * 24])) == every


@given(every=st.sampled_from(FREQUENCIES), days=kept_days)
def test_thinning_never_keeps_more_than_keeping_everything(every: int, days: list[int]) -> None:
    thinned = sum(points_kept(_spec(every, *days)).values())
    rounding = len(TierName)
    assert thinned <= days[-1] * 24 / every + rounding


def test_hourly_points_of_three_months_are_a_few_hundred_and_not_two_thousand() -> None:
    assert points_kept(_spec(1, 7, 35, 91)) == {"frequent": 161, "daily": 30, "weekly": 13}


def test_daily_points_need_no_frequent_tier() -> None:
    assert [tier.name for tier in tiers(_spec(24))] == [TierName.DAILY, TierName.WEEKLY]


def test_points_that_are_kept_no_longer_than_daily_ones_need_no_weekly_tier() -> None:
    assert [tier.name for tier in tiers(_spec(4, 7, 14, 14))] == [TierName.FREQUENT, TierName.DAILY]


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ({"keep_all_days": 20}, "keep_all_days is 20, more than keep_daily_days"),
        ({"keep_daily_days": 40}, "keep_daily_days is 40, more than retention_days"),
    ],
)
def test_a_tier_that_outlives_the_next_is_refused(days: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        BackupSpec.model_validate({**_spec().model_dump(), **days})
