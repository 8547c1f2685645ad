"""What someone is told about: a metric of CloudWatch, the value beyond which it is an alarm, and where it is watched.

An alarm watches metrics of its own region only, and dies with it: that copies arrive is watched in the backup region.
It looks back 7 days at most, where its period is an hour or more (CloudWatch's API reference, `PutMetricAlarm`, read
2026-11-21); `backup.rpo_minutes` is never longer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

HOUR_SECONDS: Final = 3600


@dataclass(frozen=True)
class Alarm:
    """A metric, and the value beyond which someone is told."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: Literal["Sum", "Maximum", "SampleCount"]
    period_seconds: int
    threshold: float
    says: str
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"] = "GreaterThanThreshold"
    without_data: Literal["notBreaching", "breaching"] = "notBreaching"
    periods: int = 1
    """How many periods in a row must be beyond the threshold."""
    away: bool = False
    """Whether metric, alarm and topic are the backup region's."""


def silent(
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    says: str,
    *,
    rpo_minutes: int,
    statistic: Literal["Sum", "SampleCount"] = "Sum",
    away: bool = True,
) -> Alarm:
    """Something that should happen again and again, and did not within the recovery point objective."""
    return Alarm(
        namespace,
        metric,
        dimensions,
        statistic,
        HOUR_SECONDS,
        1,
        says,
        comparison="LessThanThreshold",
        without_data="breaching",
        periods=math.ceil(60 * rpo_minutes / HOUR_SECONDS),
        away=away,
    )
