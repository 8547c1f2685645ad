"""Exports of the feature store: who starts them, what is asked for, and where they land."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from components.contracts.backup import tiers
from components.contracts.vocabulary import Cloud
from components.gcp.feature_store.firestore import STAGING_DAYS
from components.gcp.feature_store.memorystore import EXPORT_OBJECT
from policies.inventory import Inventory

CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"


def _jobs(platform: Any) -> list[Any]:
    return platform.inventory.of_type("gcp:cloudscheduler/job:Job")


def _job(platform: Any) -> Any:
    """The job that the stack names as its plan."""
    (job,) = (job for job in _jobs(platform) if job.get("name") == platform.refs.backup.plan)
    return job


def test_each_tiers_exports_land_in_its_own_place_in_the_backup_region(gcp_platform: Any) -> None:
    vault, found = gcp_platform.refs.backup.vault, {}
    for job in _jobs(gcp_platform):
        asked = json.loads(base64.b64decode(job.get("httpTarget.body")))
        found[job.name] = asked["outputConfig"]["gcsDestination"]["uri"]
    assert found == {
        f"feature-export-{tier.name}": f"gs://{vault}/{tier.name}/{EXPORT_OBJECT}"
        for tier in tiers(gcp_platform.settings.backup)
    }


def test_a_tiers_exports_are_kept_as_long_as_the_tier(gcp_platform: Any) -> None:
    (bucket,) = (
        b
        for b in gcp_platform.inventory.of_type("gcp:storage/bucket:Bucket")
        if b.get("name") == gcp_platform.refs.backup.vault
    )
    kept = {
        prefix: rule["condition"]["daysSinceNoncurrentTime"]
        for rule in bucket.get("lifecycleRules")
        for prefix in rule["condition"].get("matchesPrefixes", [])
    }
    assert kept == {f"{tier.name}/": tier.keep_days for tier in tiers(gcp_platform.settings.backup)}


def test_firestores_exports_are_kept_as_long_as_their_tier_and_only_far_away(plan_platform: Any) -> None:
    platform = plan_platform(Cloud.GCP, feature_store={"kind": "firestore"})
    for bucket in platform.inventory.of_type("gcp:storage/bucket:Bucket"):
        if "exports" not in bucket.get("name"):
            continue
        ages = {
            tuple(rule["condition"].get("matchesPrefixes", [])): rule["condition"]["age"]
            for rule in bucket.get("lifecycleRules")
            if rule["action"]["type"] == "Delete" and "age" in rule["condition"]
        }
        away = bucket.region == platform.settings.backup.region
        wanted = {(f"{tier.name}/",): tier.keep_days for tier in tiers(platform.settings.backup)}
        assert ages == (wanted if away else {(): STAGING_DAYS}), bucket.name


def test_the_stacks_own_instance_is_exported(gcp_platform: Any) -> None:
    place, features = gcp_platform.place, gcp_platform.refs.feature_store
    instance = f"projects/{place.account}/locations/{features.region}/instances/{features.name}"
    for job in _jobs(gcp_platform):
        assert job.get("httpTarget.uri") == f"https://redis.googleapis.com/v1/{instance}:export"


def test_the_caller_may_start_exports_and_nothing_else(gcp_platform: Any, plans: Mapping[str, Inventory]) -> None:
    inventory = gcp_platform.inventory
    caller = f"serviceAccount:{_job(gcp_platform).get('httpTarget.oauthToken.serviceAccountEmail')}"
    grants = [r for r in inventory.resources if r.get("member") == caller]
    (role,) = [r for r in plans["bootstrap-gcp"].of_type(CUSTOM_ROLE) if r.name == "feature-export"]
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
    for job in _jobs(gcp_platform):
        assert writes <= set(job.dependencies)


def test_the_clusters_backup_holds_secrets_and_volumes_in_the_backup_region(gcp_platform: Any) -> None:
    (plan,) = gcp_platform.inventory.of_type("gcp:gkebackup/backupPlan:BackupPlan")
    assert plan.region == gcp_platform.settings.backup.region
    assert plan.get("backupConfig.includeSecrets") is True
    assert plan.get("backupConfig.includeVolumeData") is True
