"""What someone is told about: conditions over Cloud Monitoring's metrics and over logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pulumi_gcp.monitoring import (
    AlertPolicyAlertStrategyArgsDict,
    AlertPolicyConditionArgsDict,
)

QUIET_SECONDS: Final = 3600
"""Least time between two messages about the same kind of log entry."""


@dataclass(frozen=True)
class Alert:
    """One thing that can go wrong, and what to do about it."""

    key: str
    title: str
    remedy: str
    condition: AlertPolicyConditionArgsDict
    strategy: AlertPolicyAlertStrategyArgsDict


def copy_alert(key: str, title: str, job_name: str) -> Alert:
    """A transfer job that leaves objects behind."""
    return above(
        key,
        title,
        "Look at the transfer job's failed operations; a replica that lags is a recovery point that is too old.",
        'metric.type="storagetransfer.googleapis.com/transferjob/error_count"'
        ' AND resource.type="storage_transfer_job"'
        f' AND resource.labels.job_id=ends_with("{job_name.rpartition("/")[2]}")',
        limit=0,
        over_seconds=3600,
        aligner="ALIGN_SUM",
    )


def above(
    key: str, title: str, remedy: str, matching: str, *, limit: float, over_seconds: int, aligner: str
) -> Alert:
    """A metric that stays above `limit`, each point made of `over_seconds` seconds by `aligner`."""
    return Alert(
        key,
        title,
        remedy,
        {
            "display_name": title,
            "condition_threshold": {
                "filter": matching,
                "comparison": "COMPARISON_GT",
                "threshold_value": limit,
                "duration": "0s",
                "aggregations": [
                    {
                        "alignment_period": f"{over_seconds}s",
                        "per_series_aligner": aligner,
                        "cross_series_reducer": "REDUCE_MAX",
                    }
                ],
                "trigger": {"count": 1},
            },
        },
        {"auto_close": "86400s"},
    )


def logged(key: str, title: str, remedy: str, matching: str) -> Alert:
    """A log entry that should never be written."""
    return Alert(
        key,
        title,
        remedy,
        {"display_name": title, "condition_matched_log": {"filter": matching}},
        {"auto_close": "86400s", "notification_rate_limit": {"period": f"{QUIET_SECONDS}s"}},
    )
