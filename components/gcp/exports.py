"""Exports of a feature store to Cloud Storage, started on a schedule by an account that may do nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import ready
from components.contracts.naming import PRODUCT
from components.contracts.place import Place
from components.contracts.refs import BackupRef
from components.gcp.agents import ACCOUNT_ID_MAX, account_email, account_member
from components.gcp.alerts import Alert, logged
from components.gcp.buckets import grant
from components.gcp.schedules import cron

WRITER_ROLES: Final = ("roles/storage.objectUser", "roles/storage.legacyBucketReader")
"""What the store's own account needs to write an export: objects, and the bucket's metadata."""


@dataclass(frozen=True)
class Export:
    """A call of the store's own API that writes all of it to Cloud Storage."""

    url: str
    body: dict[str, Any]
    permission: str
    """The only right that the call needs. The whole project's: no store's export has a narrower one."""


def scheduled_export(
    parent: pulumi.Resource,
    place: Place,
    export: Export,
    *,
    frequency_hours: int,
    bucket: gcp.storage.Bucket,
    writer: pulumi.Input[str],
) -> gcp.cloudscheduler.Job:
    """Starts `export` each `frequency_hours`; `writer` is the IAM member that then writes to `bucket`.

    An export that was started can still fail: that shows in the audit log, not in the scheduler.
    """
    writes = [
        grant(
            f"exports-{role.rpartition('.')[2].lower()}",
            parent=parent,
            bucket=bucket.name,
            role=role,
            member=writer,
        )
        for role in WRITER_ROLES
    ]
    caller, may_export = _caller(parent, place, export.permission)
    return gcp.cloudscheduler.Job(
        "feature-export",
        name=export_job_name(place),
        project=place.account,
        region=place.region,
        description=f"{place.stack}: features to {place.backup_region}",
        schedule=cron(frequency_hours, minute=0),
        time_zone="Etc/UTC",
        attempt_deadline="180s",
        retry_config={"retry_count": 3, "min_backoff_duration": "60s", "max_backoff_duration": "600s"},
        http_target={
            "http_method": "POST",
            "uri": export.url,
            "headers": {"Content-Type": "application/json"},
            "body": base64.b64encode(json.dumps(export.body).encode()).decode(),
            "oauth_token": {
                "service_account_email": caller,
                "scope": "https://www.googleapis.com/auth/cloud-platform",
            },
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[may_export, *writes]),
    )


def export_job_name(place: Place) -> str:
    """The scheduler job's name within its project and region."""
    return place.name("feature-export")


def not_started_alert(backup: BackupRef) -> Alert:
    """Exports that never began."""
    return logged(
        "export-not-started",
        "An export of the feature store could not be started",
        "Look at the scheduler job's log: who it calls as, and what the feature store answered.",
        f'resource.type="cloud_scheduler_job" AND resource.labels.job_id="{backup.plan}" AND severity>=ERROR',
    )


def _caller(
    parent: pulumi.Resource, place: Place, permission: str
) -> tuple[pulumi.Output[str], gcp.projects.IAMMember]:
    """An account that may start exports and do nothing else."""
    account_id = place.name("exporter", max_length=ACCOUNT_ID_MAX)
    account = gcp.serviceaccount.Account(
        "exporter",
        account_id=account_id,
        project=place.account,
        display_name=f"{place.stack}: starts exports of the feature store",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    role_id = f"{PRODUCT}_{place.environment}_feature_export"
    role = gcp.projects.IAMCustomRole(
        "feature-export",
        role_id=role_id,
        project=place.account,
        title=f"{place.stack}: export the feature store",
        permissions=[permission],
        opts=pulumi.ResourceOptions(parent=parent),
    )
    granted = gcp.projects.IAMMember(
        "exporter",
        project=place.account,
        role=f"projects/{place.account}/roles/{role_id}",
        member=account_member(place, account_id),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[account, role]),
    )
    return ready(account_email(place, account_id), account), granted
