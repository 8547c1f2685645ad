"""Accesses to models and features, and every connection, are recorded; production's record is locked for good."""

from __future__ import annotations

from typing import Any

import pytest

CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
BUCKET = "gcp:storage/bucket:Bucket"
REASON = "reads are billed eight times over here"


def configs(platform: Any) -> dict[str, dict[str, Any]]:
    """Service → kind of log → its settings."""
    return {
        config.get("service"): {log["logType"]: log for log in config.get("auditLogConfigs")}
        for config in platform.inventory.of_type(CONFIG)
    }


def test_reads_and_writes_of_objects_and_features_are_logged(gcp_platform: Any) -> None:
    found = configs(gcp_platform)
    assert found.keys() == {"storage.googleapis.com", "redis.googleapis.com"}
    for logs in found.values():
        assert logs.keys() == {"ADMIN_READ", "DATA_READ", "DATA_WRITE"}
        assert not [log for log in logs.values() if log.get("exemptedMembers")]


def test_a_stack_may_leave_out_its_fleets_own_reads_and_no_one_elses(plan_platform: Any, gcp_platform: Any) -> None:
    opted = plan_platform(
        gcp_platform.cloud, opt_outs={"feature_read_events": REASON}, feature_store={"kind": "firestore"}
    )
    found = configs(opted)
    account = opted.one("identity", "fleet", "gcp:serviceaccount/account:Account").get("accountId")
    member = f"serviceAccount:{account}@{opted.place.account}.iam.gserviceaccount.com"
    assert found["firestore.googleapis.com"]["DATA_READ"]["exemptedMembers"] == [member]
    assert not found["firestore.googleapis.com"]["DATA_WRITE"].get("exemptedMembers")
    assert not found["storage.googleapis.com"]["DATA_READ"].get("exemptedMembers")


@pytest.mark.parametrize(
    "log",
    ["compute.googleapis.com%2Fvpc_flows", "compute.googleapis.com%2Ffirewall", "audit.googleapis.com%2Fdata_access"],
)
def test_connections_and_accesses_leave_the_default_bucket(gcp_platform: Any, log: str) -> None:
    sink = gcp_platform.one("audit", "audit", "gcp:logging/projectSink:ProjectSink")
    exclusion = gcp_platform.one("audit", "audit", "gcp:logging/projectExclusion:ProjectExclusion")
    assert log in sink.get("filter") and sink.get("destination").endswith("/buckets/seawall-dev-audit")
    assert exclusion.get("filter") == sink.get("filter"), "a second copy would lie there, unlocked"


@pytest.mark.parametrize(("environment", "locked"), [("dev", False), ("prod", True)])
def test_production_locks_its_records_for_good(
    plan_platform: Any, gcp_platform: Any, environment: str, locked: bool
) -> None:
    stack = plan_platform(gcp_platform.cloud, environment=environment)
    assert {bucket.get("locked") for bucket in stack.inventory.of_type(LOG_BUCKET)} == {locked}
    for name in ("logs", "replica-logs"):
        bucket = stack.one("storage", name, BUCKET)
        assert bool(bucket.get("retentionPolicy.isLocked")) is locked
        assert bucket.get("versioning.enabled") is not locked, "Cloud Storage offers one or the other"


def test_each_bucket_logs_into_one_of_its_own_location(gcp_platform: Any) -> None:
    buckets = list(gcp_platform.inventory.of_type(BUCKET))
    location = {bucket.get("name"): bucket.get("location") for bucket in buckets}
    logging = [bucket for bucket in buckets if bucket.get("logging")]
    assert {b.name for b in buckets} - {b.name for b in logging} == {"logs", "replica-logs"}
    assert all(location[b.get("logging.logBucket")] == b.get("location") for b in logging)


def test_only_the_log_service_may_add_to_access_logs(gcp_platform: Any) -> None:
    grants = {
        grant.get("member"): grant.get("role")
        for grant in gcp_platform.inventory.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
        if grant.name in ("logs", "replica-logs")
    }
    assert grants == {"group:cloud-storage-analytics@google.com": "roles/storage.objectCreator"}
