"""When recovery points are made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.gcp.schedules import HOURS_THAT_DIVIDE_A_DAY, cluster_backup_hours, cron


def hours_of(line: str) -> list[int]:
    """The hours of the day at which a cron line of this project fires."""
    field = line.split()[1]
    return [int(field)] if field.isdigit() else list(range(0, 24, int(field.partition("/")[2] or "1")))


@pytest.mark.parametrize("every", HOURS_THAT_DIVIDE_A_DAY)
def test_two_points_are_never_further_apart_than_asked_for(every: int) -> None:
    fires = hours_of(cron(every, minute=0))
    gaps = [later - earlier for earlier, later in zip(fires, [*fires[1:], fires[0] + 24], strict=True)]
    assert max(gaps) == every, "around midnight too"


@pytest.mark.parametrize("every", [0, 5, 7, 25])
def test_an_interval_that_does_not_divide_a_day_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="does not divide a day"):
        cron(every, minute=0)


@given(every=st.sampled_from(HOURS_THAT_DIVIDE_A_DAY), retention_days=st.integers(7, 360))
def test_cluster_backups_keep_within_what_the_service_takes(every: int, retention_days: int) -> None:
    hours = cluster_backup_hours(every, retention_days)
    assert retention_days <= 360 * hours / 24, "Backup for GKE refuses a longer retention for this interval"
    assert hours >= every


def test_short_retention_leaves_the_interval_as_asked_for() -> None:
    assert cluster_backup_hours(1, 14) == 1


def test_a_retention_beyond_the_services_limit_is_refused_with_the_limit() -> None:
    with pytest.raises(ValueError, match=r"backup\.retention_days is 361.*at most 360 days"):
        cluster_backup_hours(1, 361)
