"""How often recovery points are made: cron lines, and what Backup for GKE allows."""

from __future__ import annotations

from typing import Final

HOURS_THAT_DIVIDE_A_DAY: Final = (1, 2, 3, 4, 6, 8, 12, 24)
CLUSTER_POINTS_MAX: Final = 360
"""Backup for GKE refuses a plan whose retention exceeds 360 × the time between two backups."""


def cron(every_hours: int, *, minute: int) -> str:
    """A cron line for each `every_hours` hours at `minute`, counted from midnight.

    Raises:
        ValueError: the hours do not divide a day, so that the last gap of a day would be shorter.
    """
    if every_hours not in HOURS_THAT_DIVIDE_A_DAY:
        raise ValueError(f"{every_hours} h does not divide a day; choose one of {HOURS_THAT_DIVIDE_A_DAY}")
    if every_hours == 1:
        return f"{minute} * * * *"
    hour = "0" if every_hours == 24 else f"*/{every_hours}"
    return f"{minute} {hour} * * *"


def cluster_backup_hours(frequency_hours: int, retention_days: int) -> int:
    """Hours between two backups of the cluster: as often as asked for, or as often as the retention allows.

    Rarer is enough for the cluster: its objects are in the program, and the fleet keeps no state in it.

    Raises:
        ValueError: no interval of at most a day allows the retention.
    """
    for hours in HOURS_THAT_DIVIDE_A_DAY:
        if hours >= frequency_hours and retention_days * 24 <= CLUSTER_POINTS_MAX * hours:
            return hours
    raise ValueError(
        f"backup.retention_days is {retention_days}; Backup for GKE keeps daily recovery points for at most "
        f"{CLUSTER_POINTS_MAX} days, so choose no more than that"
    )
