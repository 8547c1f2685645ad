"""Accesses to models and features, and every connection, are recorded; production's record is locked for good."""

from __future__ import annotations

import json
from typing import Any

import pytest

TRAIL = "aws:cloudtrail/trail:Trail"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
REASON = "reads are billed eight times over here"


def selected(platform: Any) -> dict[str, dict[str, Any]]:
    """The trail's selectors: what each names, field by field."""
    (trail,) = platform.inventory.of_type(TRAIL)
    return {
        selector["name"]: {field["field"]: field for field in selector["fieldSelectors"]}
        for selector in trail.get("advancedEventSelectors")
    }


def test_every_access_to_a_model_is_logged_in_both_regions(aws_platform: Any) -> None:
    storage = aws_platform.refs.storage
    (models,) = (
        s for s in selected(aws_platform).values() if s.get("resources.type", {}).get("equals") == ["AWS::S3::Object"]
    )
    wanted = [f"arn:aws:s3:::{bucket.name}/" for bucket in (storage.models, storage.replica)]
    assert models["resources.ARN"]["startsWiths"] == wanted
    assert "readOnly" not in models, "reads are what a thief does"
    (trail,) = aws_platform.inventory.of_type(TRAIL)
    assert trail.get("isMultiRegionTrail") is True


def test_every_access_to_a_feature_is_logged(aws_platform: Any) -> None:
    name = aws_platform.refs.feature_store.name
    (table,) = (
        s
        for s in selected(aws_platform).values()
        if s.get("resources.type", {}).get("equals") == ["AWS::DynamoDB::Table"]
    )
    assert table["resources.ARN"]["equals"][0].endswith(f":table/{name}") and "readOnly" not in table


def test_a_stack_may_leave_out_its_fleets_own_reads_and_no_one_elses(plan_platform: Any, aws_platform: Any) -> None:
    opted = plan_platform(aws_platform.cloud, opt_outs={"feature_read_events": REASON})
    writes, reads = (
        s for s in selected(opted).values() if s.get("resources.type", {}).get("equals") == ["AWS::DynamoDB::Table"]
    )
    assert writes["readOnly"]["equals"] == ["false"] and "userIdentity.arn" not in writes
    (own,) = reads["userIdentity.arn"]["notStartsWiths"]
    role = opted.one("identity", "fleet", "aws:iam/role:Role").get("name")
    assert own == f"arn:aws:sts::{opted.place.account}:assumed-role/{role}/"


@pytest.mark.parametrize(("environment", "mode"), [("dev", "GOVERNANCE"), ("prod", "COMPLIANCE")])
def test_production_locks_its_records_for_good(
    plan_platform: Any, aws_platform: Any, environment: str, mode: str
) -> None:
    stack = plan_platform(aws_platform.cloud, environment=environment)
    (lock,) = stack.inventory.of_type(LOCK)
    assert lock.get("rule.defaultRetention.mode") == mode
    assert lock.get("rule.defaultRetention.days") == stack.settings.monitoring.log_retention_days
    assert stack.one("audit", "audit", "aws:s3/bucket:Bucket").get("objectLockEnabled") is True


def test_no_access_log_goes_to_a_locked_bucket(aws_platform: Any) -> None:
    locked = {lock.get("bucket") for lock in aws_platform.inventory.of_type(LOCK)}
    targets = {
        log.get("targetBucket") for log in aws_platform.inventory.of_type("aws:s3/bucketLogging:BucketLogging")
    }
    assert not locked & targets, "S3 delivers no access logs to a bucket with a lock"


def test_each_writer_of_records_is_let_in_for_this_stack_only(aws_platform: Any) -> None:
    policy = aws_platform.one("audit", "audit", "aws:s3/bucketPolicy:BucketPolicy").get("policy")
    writers = [s for s in json.loads(policy)["Statement"] if s["Effect"] == "Allow"]
    assert {s["Principal"]["Service"] for s in writers} == {"cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"}
    assert all(aws_platform.place.account in json.dumps(s["Condition"]) for s in writers)
    assert not [s["Sid"] for s in writers if {"s3:DeleteObject", "s3:*"} & set(s["Action"])]


def test_what_is_done_to_keys_is_logged_in_both_regions_so_that_an_alarm_hears_of_it(aws_platform: Any) -> None:
    (management,) = (s for s in selected(aws_platform).values() if s["eventCategory"]["equals"] == ["Management"])
    assert set(management) == {"eventCategory", "readOnly"}, "a filter on sources would leave KMS out"
    assert management["readOnly"]["equals"] == ["false"], "KMS' reads are its volume, and cost in a second trail"
    (trail,) = aws_platform.inventory.of_type(TRAIL)
    assert trail.get("isMultiRegionTrail") and trail.get("includeGlobalServiceEvents") and trail.get("enableLogging")
