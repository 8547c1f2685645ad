"""S3 replicates what the deployed rule says, and nothing where the rule is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.aws.backup.plans import KeyView
from localcloud.aws.s3.replication import BucketView, ObjectView, applies, can_replicate, rules

KEY = KeyView("arn:aws:kms:eu-west-1:1:key/a", "Enabled")
REPLICA_KEY = KeyView("arn:aws:kms:eu-central-1:1:key/b", "Enabled")
SOURCE, TARGET = BucketView("models", versioned=True), BucketView("replica", versioned=True)
ITEM = ObjectView("releases/v1/manifest.json", {"tier": "gold"}, KEY)


def rule(**changes: Any) -> dict[str, Any]:
    """A rule that works, as moto keeps it, with some members changed; None takes one away."""
    working = {
        "ID": "everything",
        "Priority": "1",
        "Status": "Enabled",
        "Filter": {"Prefix": None},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {
            "Bucket": "arn:aws:s3:::replica",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": REPLICA_KEY.arn},
        },
    }
    return {k: v for k, v in {**working, **changes}.items() if v is not None}


def test_the_working_rule_applies() -> None:
    assert applies(rule(), ITEM)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Status": "Disabled"}, "is Disabled"),
        ({"Filter": {"Prefix": "logs/"}}, "does not begin with"),
        ({"Filter": {"Tag": {"Key": "tier", "Value": "lead"}}}, "tag tier=lead is missing"),
        ({"Filter": {"And": {"Prefix": "releases/", "Tag": [{"Key": "x", "Value": "y"}]}}}, "tag x=y is missing"),
        ({"SourceSelectionCriteria": None}, "SseKmsEncryptedObjects is not enabled"),
        (
            {"SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Disabled"}}},
            "SseKmsEncryptedObjects is not enabled",
        ),
    ],
)
def test_a_wrong_rule_does_not_apply(changes: dict[str, Any], why: str) -> None:
    decision = applies(rule(**changes), ITEM)
    assert not decision
    assert why in decision.reason


@pytest.mark.parametrize(("status", "wanted"), [("Enabled", True), ("Disabled", False), (None, False)])
def test_delete_markers_follow_the_rule(status: str | None, wanted: bool) -> None:
    marker = ObjectView(ITEM.key, {}, None, is_delete_marker=True)
    configured = {"Status": status} if status else None
    assert bool(applies(rule(DeleteMarkerReplication=configured), marker)) is wanted


def test_a_replica_is_not_replicated_again() -> None:
    assert not applies(rule(), ObjectView(ITEM.key, {}, KEY, is_replica=True))


def test_the_working_rule_replicates() -> None:
    assert can_replicate(rule(), ITEM, SOURCE, TARGET, REPLICA_KEY)


@pytest.mark.parametrize(
    ("source", "target", "item_key", "replica_key", "why"),
    [
        (SOURCE, None, KEY, REPLICA_KEY, "does not exist"),
        (BucketView("models", versioned=False), TARGET, KEY, REPLICA_KEY, "models is not versioned"),
        (SOURCE, BucketView("replica", versioned=False), KEY, REPLICA_KEY, "replica is not versioned"),
        (SOURCE, TARGET, KEY, None, "names no ReplicaKmsKeyID"),
        (SOURCE, TARGET, KEY, KeyView("arn:b", ""), "replica cannot be encrypted: arn:b does not exist"),
        (SOURCE, TARGET, KEY, KeyView("arn:b", "Disabled"), "replica cannot be encrypted: arn:b is Disabled"),
        (SOURCE, TARGET, KEY, KeyView("arn:b", "PendingDeletion"), "arn:b is PendingDeletion"),
        (SOURCE, TARGET, KeyView("arn:a", "Disabled"), REPLICA_KEY, "object cannot be decrypted"),
    ],
)
def test_what_is_missing_fails_the_replication(
    source: BucketView, target: BucketView | None, item_key: KeyView, replica_key: KeyView | None, why: str
) -> None:
    decision = can_replicate(rule(), ObjectView(ITEM.key, {}, item_key), source, target, replica_key)
    assert not decision
    assert why in decision.reason


def test_an_object_without_kms_needs_no_replica_key() -> None:
    assert can_replicate(rule(), ObjectView(ITEM.key, {}, None), SOURCE, TARGET, None)


def test_rules_come_in_order_of_priority() -> None:
    configuration = {"Rule": [rule(ID="low", Priority="1"), rule(ID="high", Priority="9")]}
    assert [r["ID"] for r in rules(configuration)] == ["high", "low"]


def test_no_configuration_means_no_rules() -> None:
    assert rules(None) == []
