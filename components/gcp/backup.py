"""Recovery points in the backup region: exports of the feature store, and backups of the cluster."""

from __future__ import annotations

import base64
import json
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.component import Component, ready
from components.contracts.naming import PRODUCT
from components.contracts.place import Place
from components.contracts.refs import BackupRef, ClusterRef, FeatureCacheRef, KeysRef
from components.contracts.specs import BackupSpec
from components.contracts.stateful import stateful_options
from components.gcp.agents import ACCOUNT_ID_MAX, account_email, account_member
from components.gcp.buckets import grant, private_bucket
from components.gcp.schedules import cluster_backup_hours, cron

EXPORT_OBJECT: Final = "features.rdb"
DELETE_LOCK_DAYS: Final = 7
"""Days in which nobody can delete a backup of the cluster."""
STORE_ROLES: Final = ("roles/storage.objectUser", "roles/storage.legacyBucketReader")
"""What the store's own account needs to write an export: objects, and the bucket's metadata."""


class Backup(Component):
    """An hourly or rarer export by Cloud Scheduler, and a Backup for GKE plan; both under the backup region's key.

    Each export overwrites the one object `EXPORT_OBJECT`: the bucket's versions are the history, kept for
    `retention_days`. Memorystore has no point-in-time recovery. An export that was started can still fail: that shows
    in the audit log, which `Monitoring` watches, not in the scheduler.
    """

    ref: BackupRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BackupSpec,
        *,
        features: FeatureCacheRef,
        cluster: ClusterRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Backup", name, provider)
        bucket, exports = private_bucket(
            "feature-exports",
            parent=self,
            place=place,
            physical_name=place.bucket_name("feature-exports", place.backup_region),
            key=keys.recovery,
            noncurrent_retention_days=spec.retention_days,
        )
        job = self._export(place, spec, features, bucket)
        plan = self._cluster_plan(place, spec, cluster, keys)
        self.ref = BackupRef(
            plan=export_job_name(place),
            restore_identity=None,
            vault=exports.name,
            region=place.backup_region,
            id=ready(job.id, plan),
        )
        self.finish({"plan": self.ref.plan, "vault": self.ref.vault})

    def _export(
        self, place: Place, spec: BackupSpec, features: FeatureCacheRef, bucket: gcp.storage.Bucket
    ) -> gcp.cloudscheduler.Job:
        store = _export_identity(features)
        writes = [
            grant(
                f"exports-{role.rpartition('.')[2].lower()}",
                parent=self,
                bucket=bucket.name,
                role=role,
                member=store,
            )
            for role in STORE_ROLES
        ]
        caller, may_export = self._caller(place)
        return gcp.cloudscheduler.Job(
            "feature-export",
            name=export_job_name(place),
            project=place.account,
            region=place.region,
            description=f"{place.stack}: features to {place.backup_region}",
            schedule=cron(spec.frequency_hours, minute=0),
            time_zone="Etc/UTC",
            attempt_deadline="180s",
            retry_config={"retry_count": 3, "min_backoff_duration": "60s", "max_backoff_duration": "600s"},
            http_target={
                "http_method": "POST",
                "uri": export_url(place, features),
                "headers": {"Content-Type": "application/json"},
                "body": export_body(f"gs://{place.bucket_name('feature-exports', place.backup_region)}"),
                "oauth_token": {
                    "service_account_email": caller,
                    "scope": "https://www.googleapis.com/auth/cloud-platform",
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may_export, *writes]),
        )

    def _caller(self, place: Place) -> tuple[pulumi.Output[str], gcp.projects.IAMMember]:
        """An account that may start exports and do nothing else; Memorystore grants on whole projects only."""
        account_id = place.name("exporter", max_length=ACCOUNT_ID_MAX)
        account = gcp.serviceaccount.Account(
            "exporter",
            account_id=account_id,
            project=place.account,
            display_name=f"{place.stack}: starts exports of the feature store",
            opts=pulumi.ResourceOptions(parent=self),
        )
        role_id = f"{PRODUCT}_{place.environment}_feature_export"
        role = gcp.projects.IAMCustomRole(
            "feature-export",
            role_id=role_id,
            project=place.account,
            title=f"{place.stack}: export the feature store",
            permissions=["redis.instances.export"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        granted = gcp.projects.IAMMember(
            "exporter",
            project=place.account,
            role=f"projects/{place.account}/roles/{role_id}",
            member=account_member(place, account_id),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, role]),
        )
        return ready(account_email(place, account_id), account), granted

    def _cluster_plan(
        self, place: Place, spec: BackupSpec, cluster: ClusterRef, keys: KeysRef
    ) -> gcp.gkebackup.BackupPlan:
        hours = cluster_backup_hours(spec.frequency_hours, spec.retention_days)
        return gcp.gkebackup.BackupPlan(
            "cluster",
            name=place.name("cluster"),
            project=place.account,
            location=place.backup_region,
            cluster=cluster.id,
            description=f"{place.stack}: the cluster's objects and volumes",
            backup_schedule={"cron_schedule": cron(hours, minute=30), "paused": False},
            retention_policy={
                "backup_retain_days": spec.retention_days,
                "backup_delete_lock_days": DELETE_LOCK_DAYS if place.protected else 0,
                "locked": False,
            },
            backup_config={
                "all_namespaces": True,
                "include_secrets": True,
                "include_volume_data": True,
                "encryption_key": {"gcp_kms_encryption_key": keys.recovery.id},
            },
            labels=place.labels,
            opts=stateful_options(self, place),
        )


def export_job_name(place: Place) -> str:
    """The scheduler job's name within its project and region."""
    return place.name("feature-export")


def export_url(place: Place, features: FeatureCacheRef) -> str:
    """Memorystore's method that writes the whole instance to Cloud Storage as an RDB file."""
    instance = f"projects/{place.account}/locations/{features.region}/instances/{features.name}"
    return f"https://redis.googleapis.com/v1/{instance}:export"


def export_body(bucket_uri: str) -> str:
    """The request's body, base64 as Cloud Scheduler takes it."""
    body = {"outputConfig": {"gcsDestination": {"uri": f"{bucket_uri}/{EXPORT_OBJECT}"}}}
    return base64.b64encode(json.dumps(body).encode()).decode()


def _export_identity(features: FeatureCacheRef) -> pulumi.Output[str]:
    if features.export_identity is None:
        raise ValueError(f"the feature store {features.name} has no export identity; Backup needs Memorystore's")
    return features.export_identity
