"""What someone is told about: conditions over Cloud Monitoring's metrics and over logs.

Alert policies, channels and metrics belong to the project and to no region: they outlive the loss of one.

Silence is asked for in PromQL. A condition on absence waits for 23.5 hours at most, and never begins before a first
point (Cloud Monitoring's page "Create metric-absence alerting policies"); a PromQL query has neither limit (its page
"PromQL-based alerting policies"). Pages read 2026-11-21.
"""

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


def copy_alert(key: str, title: str, *job_names: str) -> Alert:
    """Transfer jobs that leave objects behind."""
    jobs = "|".join(job_name.rpartition("/")[2] for job_name in job_names)
    return above(
        key,
        title,
        "Look at the transfer job's failed operations; a replica that lags is a recovery point that is too old.",
        'metric.type="storagetransfer.googleapis.com/transferjob/error_count"'
        ' AND resource.type="storage_transfer_job"'
        f' AND resource.labels.job_id=monitoring.regex.full_match(".*({jobs})")',
        limit=0,
        over_seconds=3600,
        aligner="ALIGN_SUM",
    )


def silent(key: str, title: str, remedy: str, series: str, *, minutes: int, counted: str = "increase") -> Alert:
    """Series, in PromQL, that say nothing for `minutes`: a counter does not rise, or there is no point at all.

    Args:
        counted: PromQL's function over the time: `count_over_time` for a gauge, of which each point says something.
    """
    return Alert(
        key,
        title,
        remedy,
        {
            "display_name": title,
            "condition_prometheus_query_language": {
                "query": f"(sum({counted}({series}[{minutes}m])) or vector(0)) < 0.5",
                "duration": "0s",
                "evaluation_interval": "300s",
            },
        },
        {"auto_close": "86400s"},
    )


def bucket_silent(key: str, title: str, remedy: str, bucket: str, *, minutes: int) -> Alert:
    """A bucket that nobody wrote an object to: whatever stopped, on the way there or before it.

    The metric, its resource and its labels: Cloud Storage's part of "Google Cloud metrics"; that a service's own
    writes count as requests is believed.
    """
    counter = (
        f'storage_googleapis_com:api_request_count{{monitored_resource="gcs_bucket",bucket_name="{bucket}",'
        'method=~"(Write|Rewrite|Copy|Compose|Move)Object",response_code="OK"}'
    )
    return silent(key, title, remedy, counter, minutes=minutes)


def transfer_silent(key: str, title: str, remedy: str, job_name: str, *, minutes: int) -> Alert:
    """A transfer job that looked at no object: each run counts every object of its source, as copied or as skipped.

    Storage Transfer Service's page "Monitor transfer jobs". So it also speaks while the source is empty.
    """
    counter = (
        'storagetransfer_googleapis_com:transferjob_copied_objects_count{monitored_resource="storage_transfer_job",'
        f'job_id=~"(transferJobs/)?{job_name.rpartition("/")[2]}",status!="failed"}}'
    )
    return silent(key, title, remedy, counter, minutes=minutes)


def key_alert(ring: str) -> Alert:
    """A key of either region whose versions someone disables or schedules for destruction.

    Methods: Cloud KMS' page "Audit logging" (both Admin Activity, always on). Automatic rotation calls neither.
    """
    return logged(
        "key-at-risk",
        "A key was disabled, enabled, or scheduled for destruction",
        "If nobody meant it, enable the version or restore it at once: `gcloud kms keys versions restore`. What is "
        "encrypted under it cannot be read meanwhile, and never again once it is destroyed.",
        'protoPayload.serviceName="cloudkms.googleapis.com"'
        ' AND protoPayload.methodName=("DestroyCryptoKeyVersion" OR "UpdateCryptoKeyVersion")'
        f' AND protoPayload.resourceName:"/keyRings/{ring}/"',
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
