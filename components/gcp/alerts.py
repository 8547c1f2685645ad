"""What someone is told about: conditions over Cloud Monitoring's metrics and over logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_gcp.monitoring import (
    AlertPolicyAlertStrategyArgsDict,
    AlertPolicyConditionArgsDict,
)

from components.contracts.place import Place
from components.contracts.refs import BackupRef, FeatureCacheRef
from components.gcp.storage import copy_job_name

MEMORY_RATIO_MAX: Final = 0.8
"""Exports fork Redis, and need memory for what changes meanwhile."""
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


def alerts(place: Place, *, features: FeatureCacheRef, backup: BackupRef) -> Sequence[Alert]:
    """All alerts of a stack."""
    instance = f"projects/{place.account}/locations/{features.region}/instances/{features.name}"
    return (
        _above(
            "copy-failed",
            "Models were not copied to the backup region",
            "Look at the transfer job's failed operations; a replica that lags is a recovery point that is too old.",
            'metric.type="storagetransfer.googleapis.com/transferjob/error_count"'
            f' AND resource.type="storage_transfer_job" AND resource.labels.job_id=ends_with("{_short_job(place)}")',
            limit=0,
            over_seconds=3600,
            aligner="ALIGN_SUM",
        ),
        _above(
            "features-memory",
            "The feature store runs out of memory",
            "Raise features.memory_gib, or lower features.entry_ttl_hours; beyond this exports fail and entries are "
            "evicted.",
            'metric.type="redis.googleapis.com/stats/memory/usage_ratio"'
            f' AND resource.type="redis_instance" AND resource.labels.instance_id="{instance}"',
            limit=MEMORY_RATIO_MAX,
            over_seconds=300,
            aligner="ALIGN_MEAN",
        ),
        _logged(
            "export-not-started",
            "An export of the feature store could not be started",
            "Look at the scheduler job's log: who it calls as, and what Memorystore answered.",
            f'resource.type="cloud_scheduler_job" AND resource.labels.job_id="{backup.plan}" AND severity>=ERROR',
        ),
        _logged(
            "export-failed",
            "An export of the feature store failed",
            "Look at the operation's error; the newest recovery point is the export before it.",
            'protoPayload.methodName="google.cloud.redis.v1.CloudRedis.ExportInstance"'
            f' AND protoPayload.resourceName="{instance}" AND severity>=ERROR',
        ),
    )


def _short_job(place: Place) -> str:
    return copy_job_name(place).rpartition("/")[2]


def _above(
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


def _logged(key: str, title: str, remedy: str, matching: str) -> Alert:
    """A log entry that should never be written."""
    return Alert(
        key,
        title,
        remedy,
        {"display_name": title, "condition_matched_log": {"filter": matching}},
        {"auto_close": "86400s", "notification_rate_limit": {"period": f"{QUIET_SECONDS}s"}},
    )
