"""Exports of a feature store to Cloud Storage, started on a schedule by an account that may do nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.backup import BackupSpec, TierName, tiers
from components.contracts.component import ready
from components.contracts.naming import SERVICE_ACCOUNT_ID_MAX, export_role_id
from components.contracts.place import Place
from components.gcp.agents import account_email, account_member
from components.gcp.alerts import Alert, logged
from components.gcp.buckets import grant

WRITER_ROLES: Final = ("roles/storage.objectUser", "roles/storage.legacyBucketReader")
"""What the store's own account needs to write an export: objects, and the bucket's metadata."""


@dataclass(frozen=True)
class Export:
    """A call of the store's own API that writes all of it to Cloud Storage."""

    url: str
    body: dict[str, Any]


def let_write(
    parent: pulumi.Resource, name: str, bucket: gcp.storage.Bucket, writer: pulumi.Input[str]
) -> list[gcp.storage.BucketIAMMember]:
    """Let the store's own account, the IAM member `writer`, write exports to `bucket`."""
    return [
        grant(
            f"{name}-{role.rpartition('.')[2].lower()}",
            parent=parent,
            bucket=bucket.name,
            role=role,
            member=writer,
        )
        for role in WRITER_ROLES
    ]


def scheduled_exports(
    parent: pulumi.Resource,
    place: Place,
    exports: Mapping[TierName, Export],
    spec: BackupSpec,
    *,
    after: Sequence[pulumi.Resource],
) -> list[gcp.cloudscheduler.Job]:
    """Starts each tier's export at its times, once `after` is there.

    An export that was started can still fail: that shows in the audit log, not in the scheduler.
    """
    caller, may_export = _caller(parent, place)
    return [
        gcp.cloudscheduler.Job(
            f"feature-export-{tier.name}",
            name=export_job_name(place, tier.name),
            project=place.account,
            region=place.region,
            description=f"{place.stack}: features to {place.backup_region}, kept {tier.keep_days} days",
            schedule=tier.unix_cron,
            time_zone="Etc/UTC",
            attempt_deadline="180s",
            retry_config={"retry_count": 3, "min_backoff_duration": "60s", "max_backoff_duration": "600s"},
            http_target={
                "http_method": "POST",
                "uri": exports[tier.name].url,
                "headers": {"Content-Type": "application/json"},
                "body": base64.b64encode(json.dumps(exports[tier.name].body).encode()).decode(),
                "oauth_token": {
                    "service_account_email": caller,
                    "scope": "https://www.googleapis.com/auth/cloud-platform",
                },
            },
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[may_export, *after]),
        )
        for tier in tiers(spec)
    ]


def export_job_name(place: Place, tier: TierName) -> str:
    """A tier's scheduler job, by its name within its project and region."""
    return place.name(f"feature-export-{tier}")


def first_export_job(place: Place, spec: BackupSpec) -> str:
    """The job that exports most often, which a drill runs early."""
    return export_job_name(place, tiers(spec)[0].name)


def not_started_alert(place: Place) -> Alert:
    """Exports whose calls were refused."""
    jobs = " OR ".join(f'"{export_job_name(place, tier)}"' for tier in TierName)
    return logged(
        "export-not-started",
        "An export of the feature store could not be started",
        "Look at the scheduler job's log: who it calls as, and what the feature store answered.",
        f'resource.type="cloud_scheduler_job" AND resource.labels.job_id=({jobs}) AND severity>=ERROR',
    )


def _caller(parent: pulumi.Resource, place: Place) -> tuple[pulumi.Output[str], gcp.projects.IAMMember]:
    """An account that may start exports and do nothing else: bootstrap's role has no other permission.

    The right is on the whole project: no store's export has a narrower one.
    """
    account_id = place.name("exporter", max_length=SERVICE_ACCOUNT_ID_MAX)
    account = gcp.serviceaccount.Account(
        "exporter",
        account_id=account_id,
        project=place.account,
        display_name=f"{place.stack}: starts exports of the feature store",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    granted = gcp.projects.IAMMember(
        "exporter",
        project=place.account,
        role=f"projects/{place.account}/roles/{export_role_id(place.environment)}",
        member=account_member(place, account_id),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account]),
    )
    return ready(account_email(place, account_id), account), granted
