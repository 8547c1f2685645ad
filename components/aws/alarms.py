"""What someone is told about: a metric of CloudWatch, and the value beyond which it is an alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class Alarm:
    """A metric, and the value beyond which someone is told."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: Literal["Sum", "Maximum"]
    period_seconds: int
    threshold: float
    says: str
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"] = "GreaterThanThreshold"
    without_data: Literal["notBreaching", "breaching"] = "notBreaching"
