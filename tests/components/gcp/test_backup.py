"""Exports of the feature store: who starts them, what is asked for, and where they land."""

from __future__ import annotations

import base64
import json
from typing import Any

from components.gcp.feature_store.memorystore import EXPORT_OBJECT


def _job(platform: Any) -> Any:
    (job,) = platform.inventory.of_type("gcp:cloudscheduler/job:Job")
    return job


def test_exports_land_in_the_vault_of_the_backup_region(gcp_platform: Any) -> None:
    asked = json.loads(base64.b64decode(_job(gcp_platform).get("httpTarget.body")))
    uri = asked["outputConfig"]["gcsDestination"]["uri"]
    assert uri == f"gs://{gcp_platform.refs.backup.vault}/{EXPORT_OBJECT}"


def test_the_stacks_own_instance_is_exported(gcp_platform: Any) -> None:
    place, features = gcp_platform.place, gcp_platform.refs.feature_store
    instance = f"projects/{place.account}/locations/{features.region}/instances/{features.name}"
    assert _job(gcp_platform).get("httpTarget.uri") == f"https://redis.googleapis.com/v1/{instance}:export"


def test_the_caller_may_start_exports_and_nothing_else(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    caller = f"serviceAccount:{_job(gcp_platform).get('httpTarget.oauthToken.serviceAccountEmail')}"
    grants = [r for r in inventory.resources if r.get("member") == caller]
    (role,) = inventory.of_type("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert [grant.get("role") for grant in grants] == [
        f"projects/{gcp_platform.place.account}/roles/{role.get('roleId')}"
    ]
    assert role.get("permissions") == ["redis.instances.export"]


def test_the_first_export_waits_until_the_store_may_write(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    (redis,) = inventory.of_type("gcp:redis/instance:Instance")
    grants = inventory.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    writes = {g.urn for g in grants if redis in inventory.linked(g, "member")}
    assert writes
    assert writes <= set(_job(gcp_platform).dependencies)


def test_the_clusters_backup_holds_secrets_and_volumes_in_the_backup_region(gcp_platform: Any) -> None:
    (plan,) = gcp_platform.inventory.of_type("gcp:gkebackup/backupPlan:BackupPlan")
    assert plan.region == gcp_platform.settings.backup.region
    assert plan.get("backupConfig.includeSecrets") is True
    assert plan.get("backupConfig.includeVolumeData") is True
