"""What a stack asks of its copies in another region, and in which tiers recovery points are kept and thinned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from components.contracts.spec import Spec, check_order

HOURS_OF_A_DAY: Final = 24
DAYS_OF_A_WEEK: Final = 7


class BackupSpec(Spec):
    """Copies in another region, and what a restore must achieve."""

    region: str
    """The region that holds the copies: a single region, far enough from the primary."""
    min_distance_km: Annotated[int, Field(ge=100, le=20000)] = 400
    """How far the backup region must lie from the primary, at least."""
    frequency_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 1
    """Hours between two recovery points of the feature store."""
    keep_all_days: Annotated[int, Field(ge=7, le=3650)] = 7
    """Days that every recovery point is kept; from then on one of each day."""
    keep_daily_days: Annotated[int, Field(ge=7, le=3650)] = 14
    """Days that one recovery point of each day is kept; from then on one of each week."""
    retention_days: Annotated[int, Field(ge=7, le=3650)] = 35
    """Days that one recovery point of each week is kept, and nothing longer."""
    rpo_minutes: Annotated[int, Field(ge=15, le=7 * 24 * 60)]
    """The recovery point objective: how much recent data may be lost. It may not be less than the copies can keep."""
    rto_minutes: Annotated[int, Field(ge=5, le=7 * 24 * 60)]
    """The recovery time objective: how long the service may be away. It may not be less than a restore takes."""

    proof_max_age_days: Annotated[int, Field(ge=1, le=365)] = 8
    """Days after which the last proof of a restore is too old: a drill each week, and a day for it to be late."""

    @model_validator(mode="after")
    def _thinner_with_age(self) -> BackupSpec:
        check_order("keep_all_days", self.keep_all_days, "keep_daily_days", self.keep_daily_days)
        check_order("keep_daily_days", self.keep_daily_days, "retention_days", self.retention_days)
        return self


class TierName(StrEnum):
    """How far apart the recovery points of a tier lie. Not how long they are kept: that is a setting."""

    FREQUENT = "frequent"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True)
class Tier:
    """Recovery points that are made at the same times and kept equally long. No time belongs to two tiers."""

    name: TierName
    hours: tuple[int, ...]
    """Hours of the day (UTC) at which one is made."""
    weekdays: tuple[int, ...]
    """Days of the week on which it is: 0 is Sunday."""
    keep_days: int

    @property
    def unix_cron(self) -> str:
        """Its times (UTC) as Cloud Scheduler writes them: no two tiers' lines name the same hour."""
        days = "*" if len(self.weekdays) == DAYS_OF_A_WEEK else ",".join(map(str, self.weekdays))
        return f"0 {','.join(map(str, self.hours))} * * {days}"

    @property
    def points_kept(self) -> int:
        """How many recovery points of the tier there are when the oldest one goes."""
        return math.ceil(len(self.hours) * len(self.weekdays) * self.keep_days / DAYS_OF_A_WEEK)


def tiers(spec: BackupSpec) -> tuple[Tier, ...]:
    """The tiers that a stack's recovery points are made in: each hour of the week is at most in one of them.

    A store is copied whole each time, so a tier is a schedule of its own and not a promotion of older copies: none of
    AWS Backup, Memorystore and Firestore promotes a copy by itself.
    """
    every_day = tuple(range(DAYS_OF_A_WEEK))
    weekly = spec.retention_days > spec.keep_daily_days
    found = [
        Tier(
            TierName.FREQUENT,
            tuple(range(spec.frequency_hours, HOURS_OF_A_DAY, spec.frequency_hours)),
            every_day,
            spec.keep_all_days,
        ),
        Tier(TierName.DAILY, (0,), every_day[1:] if weekly else every_day, spec.keep_daily_days),
        Tier(TierName.WEEKLY, (0,), (0,) if weekly else (), spec.retention_days),
    ]
    return tuple(tier for tier in found if tier.hours and tier.weekdays)


def points_kept(spec: BackupSpec) -> dict[TierName, int]:
    """How many full copies of the feature store lie in the backup region in the long run, by tier."""
    return {tier.name: tier.points_kept for tier in tiers(spec)}
