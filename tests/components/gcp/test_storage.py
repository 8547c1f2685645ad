"""The model bucket and its copy: over TLS only, hourly, and without passing deletions on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.gcp.agents import Agent, agent_member
from policies.inventory import Inventory

BUCKET = "gcp:storage/bucket:Bucket"
SEVEN_DAYS_SECONDS = 7 * 24 * 3600


def test_plain_http_is_refused_by_the_project(plans: Mapping[str, Inventory]) -> None:
    policies = {p.get("name"): p for p in plans["bootstrap-gcp"].of_type("gcp:orgpolicy/policy:Policy")}
    number = plans["bootstrap-gcp"].settings["project_number"]
    tls = policies[f"projects/{number}/policies/storage.secureHttpTransport"]
    assert tls.get("spec.rules") == [{"enforce": "TRUE"}]


def test_deletions_are_not_carried_over(gcp_platform: Any) -> None:
    (job,) = gcp_platform.inventory.of_type("gcp:storage/transferJob:TransferJob")
    options = job.get("transferSpec.transferOptions")
    assert options["deleteObjectsUniqueInSink"] is False, "a model that is deleted by mistake would be lost twice"
    assert options["deleteObjectsFromSourceAfterTransfer"] is False
    assert options["overwriteWhen"] == "DIFFERENT", "a changed object must be copied again"


def test_copies_are_encrypted_with_the_replicas_key(gcp_platform: Any) -> None:
    (job,) = gcp_platform.inventory.of_type("gcp:storage/transferJob:TransferJob")
    kept = job.get("transferSpec.transferOptions.metadataOptions.kmsKey")
    assert kept == "KMS_KEY_DESTINATION_BUCKET_DEFAULT", "under the primary region's key a copy is lost with it"


def test_the_copy_runs_as_often_as_the_service_allows(gcp_platform: Any) -> None:
    (job,) = gcp_platform.inventory.of_type("gcp:storage/transferJob:TransferJob")
    assert job.get("schedule.repeatInterval") == "3600s"


def test_the_copy_waits_until_it_may_read_and_write(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    (job,) = inventory.of_type("gcp:storage/transferJob:TransferJob")
    mover = agent_member(gcp_platform.place, Agent.STORAGE_TRANSFER)
    grants = inventory.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    needed = {grant.urn for grant in grants if grant.get("member") == mover}
    assert needed
    assert needed <= set(job.dependencies)


def test_the_copy_may_not_write_to_the_model_bucket(gcp_platform: Any) -> None:
    mover = agent_member(gcp_platform.place, Agent.STORAGE_TRANSFER)
    models = gcp_platform.refs.storage.models.name
    grants = gcp_platform.inventory.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    roles = {g.get("role") for g in grants if g.get("member") == mover and g.get("bucket") == models}
    assert roles == {"roles/storage.objectViewer", "roles/storage.legacyBucketReader"}


def test_what_is_deleted_for_good_can_be_brought_back_for_a_week(gcp_platform: Any) -> None:
    for bucket in gcp_platform.inventory.of_type(BUCKET):
        assert bucket.get("softDeletePolicy.retentionDurationSeconds") >= SEVEN_DAYS_SECONDS, bucket.name


def test_no_bucket_is_emptied_to_be_deleted(gcp_platform: Any) -> None:
    assert {bucket.get("forceDestroy") for bucket in gcp_platform.inventory.of_type(BUCKET)} == {False}


def test_old_versions_are_kept_for_as_long_as_the_settings_say(gcp_platform: Any) -> None:
    settings = gcp_platform.settings
    kept = {
        bucket.name: bucket.get("lifecycleRules.0.condition.daysSinceNoncurrentTime")
        for bucket in gcp_platform.inventory.of_type(BUCKET)
        if bucket.get("logging")  # access logs are written once, and expire by age
    }
    models = settings.storage.noncurrent_retention_days
    assert kept == {"models": models, "replica": models, "feature-exports": settings.backup.retention_days}


def test_a_copy_into_a_whole_bucket_names_no_place_in_it(gcp_platform: Any) -> None:
    (job,) = gcp_platform.inventory.of_type("gcp:storage/transferJob:TransferJob")
    assert "path" not in job.get("transferSpec.gcsDataSink"), "a place that is null is no place to Storage Transfer"
