"""Lifecycle rules: what they take away is gone, and what they leave stays."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.gcp.storage.lifecycle import decide

REGION = "europe-west1"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
LIVE = {"name": "releases/a", "timeCreated": "2026-11-01T00:00:00Z", "storageClass": "STANDARD"}
OLD = {**LIVE, "timeDeleted": "2026-11-11T00:00:00Z"}


def acts(condition: dict[str, Any], version: dict[str, Any] = LIVE, *, newer: int = 0) -> bool:
    rule = {"action": {"type": "Delete"}, "condition": condition}
    return decide([rule], version, live="timeDeleted" not in version, newer=newer, now=NOW) is not None


@pytest.mark.parametrize(
    ("condition", "version"),
    [
        ({"age": 0}, LIVE),
        ({"age": 20}, LIVE),
        ({"createdBefore": "2026-11-02"}, LIVE),
        ({"isLive": True}, LIVE),
        ({"isLive": False, "daysSinceNoncurrentTime": 10}, OLD),
        ({"noncurrentTimeBefore": "2026-11-12"}, OLD),
        ({"matchesPrefix": ["releases/"], "age": 1}, LIVE),
        ({"matchesSuffix": ["/a"], "matchesStorageClass": ["STANDARD"]}, LIVE),
    ],
)
def test_a_version_that_meets_every_condition_goes(condition: dict[str, Any], version: dict[str, Any]) -> None:
    assert acts(condition, version)


@pytest.mark.parametrize(
    ("condition", "version"),
    [
        ({}, LIVE),
        ({"age": 21}, LIVE),
        ({"createdBefore": "2026-11-01"}, LIVE),
        ({"isLive": True}, OLD),
        ({"daysSinceNoncurrentTime": 0}, LIVE),
        ({"daysSinceNoncurrentTime": 11}, OLD),
        ({"daysSinceCustomTime": 0}, LIVE),
        ({"matchesPrefix": ["logs/"], "age": 0}, LIVE),
        ({"numNewerVersions": 1}, LIVE),
        ({"age": 0, "phaseOfTheMoon": "full"}, LIVE),
    ],
)
def test_a_version_that_misses_one_condition_stays(condition: dict[str, Any], version: dict[str, Any]) -> None:
    assert not acts(condition, version)


def test_a_version_goes_by_the_number_of_newer_ones() -> None:
    assert acts({"numNewerVersions": 3}, OLD, newer=3)


def test_a_deletion_goes_before_a_change_of_class() -> None:
    change = {"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"age": 1}}
    deletion = {"action": {"type": "Delete"}, "condition": {"age": 1}}
    assert decide([change, deletion], LIVE, live=True, newer=0, now=NOW) == {"type": "Delete"}


def test_a_bucket_with_a_rule_of_no_age_keeps_nothing_current(light_cloud: Any) -> None:
    bucket = light_cloud.make_bucket("short", REGION)
    objects = light_cloud.api.storage_client().bucket(bucket)
    objects.blob("a").upload_from_string(b"bytes")
    rule = {"action": {"type": "Delete"}, "condition": {"age": 0, "isLive": True}}
    light_cloud.api.patch("storage", f"storage/v1/b/{bucket}", {"lifecycle": {"rule": [rule]}})
    assert list(objects.list_blobs()) == []
    assert [b.name for b in objects.list_blobs(versions=True)] == ["a"]


def test_a_rule_takes_away_nothing_that_is_retained(light_cloud: Any) -> None:
    rule = {"action": {"type": "Delete"}, "condition": {"age": 0}}
    settings = {"retentionPolicy": {"retentionPeriod": "3600"}, "lifecycle": {"rule": [rule]}}
    bucket = light_cloud.make_bucket("kept", REGION, versioning={"enabled": False}, **settings)
    objects = light_cloud.api.storage_client().bucket(bucket)
    objects.blob("a").upload_from_string(b"bytes")
    time.sleep(0.01)
    assert [b.name for b in objects.list_blobs()] == ["a"]
