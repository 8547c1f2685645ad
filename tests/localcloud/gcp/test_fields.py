"""Arguments and API fields: what is asked for is sent, and what was changed elsewhere is seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.fields import Field, body, changes, covers, drifted, imported
from localcloud.gcp.redis.kinds import RedisInstance
from localcloud.gcp.storage.kinds import Bucket

BUCKET = Bucket.fields
REDIS = RedisInstance.fields

BUCKET_INPUTS: dict[str, Any] = {
    "name": "models",
    "location": "europe-west1",
    "labels": {"owner": "ml"},
    "publicAccessPrevention": "enforced",
    "uniformBucketLevelAccess": True,
    "versioning": {"enabled": True},
    "encryption": {"defaultKmsKeyName": "k"},
    "softDeletePolicy": {"retentionDurationSeconds": 604800},
    "lifecycleRules": [
        {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 90, "withState": "ARCHIVED"}}
    ],
}


def as_the_api_has_it() -> dict[str, Any]:
    """The bucket that these inputs make, with the API's own additions."""
    document = body(BUCKET, BUCKET_INPUTS)
    document["softDeletePolicy"]["effectiveTime"] = "2026-01-01T00:00:00Z"
    document["softDeletePolicy"]["retentionDurationSeconds"] = "604800"
    return {**document, "etag": "x", "timeCreated": "y"}


def test_arguments_go_to_the_fields_of_the_api() -> None:
    document = body(BUCKET, BUCKET_INPUTS)
    assert (
        document["location"],
        document["iamConfiguration"],
        document["lifecycle"]["rule"][0]["condition"],
    ) == (
        "EUROPE-WEST1",
        {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": True}},
        {"daysSinceNoncurrentTime": 90, "isLive": False},
    )


def test_what_the_api_adds_is_no_drift() -> None:
    assert drifted(BUCKET, BUCKET_INPUTS, as_the_api_has_it()) is None


@pytest.mark.parametrize(
    ("path", "value", "argument"),
    [
        (("versioning", "enabled"), False, "versioning"),
        (("iamConfiguration", "publicAccessPrevention"), "inherited", "publicAccessPrevention"),
        (("encryption", "defaultKmsKeyName"), "other", "encryption"),
        (("softDeletePolicy", "retentionDurationSeconds"), "0", "softDeletePolicy"),
        (("labels", "added"), "by hand", "labels"),
        (("lifecycle", "rule"), [], "lifecycleRules"),
    ],
)
def test_a_setting_changed_by_hand_is_drift(path: tuple[str, ...], value: Any, argument: str) -> None:
    document = as_the_api_has_it()
    inner = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    found = drifted(BUCKET, BUCKET_INPUTS, document)
    assert found is not None
    assert [k for k in BUCKET_INPUTS if found.get(k) != BUCKET_INPUTS[k]] == [argument]


def test_a_setting_removed_by_hand_is_drift() -> None:
    document = as_the_api_has_it()
    del document["encryption"]
    assert "encryption" not in (drifted(BUCKET, BUCKET_INPUTS, document) or {"encryption": 1})


def test_importing_gives_the_arguments_that_made_it() -> None:
    found = imported(BUCKET, as_the_api_has_it())
    assert {k: found[k] for k in BUCKET_INPUTS} == BUCKET_INPUTS


def test_a_patch_holds_what_changed_and_null_for_what_went() -> None:
    old = {"displayName": "a", "memorySizeGb": 1, "redisConfigs": {"x": "y"}}
    assert changes(REDIS, old, {"displayName": "b", "memorySizeGb": 1}) == (
        {"displayName": "b", "redisConfigs": None},
        ["displayName", "redisConfigs"],
    )


_VALUES = st.recursive(
    st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=6,
)


@given(_VALUES)
def test_every_value_covers_itself(value: Any) -> None:
    assert covers(value, value)


@given(st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3), _VALUES)
def test_the_api_may_have_more_than_was_asked_for(wanted: dict[str, Any], more: Any) -> None:
    assert covers({**wanted, "computed": more}, wanted)


@given(st.dictionaries(st.sampled_from(["x", "y"]), st.integers(1, 5)))
def test_a_body_that_was_taken_over_is_no_drift(inputs: dict[str, Any]) -> None:
    fields = (Field("x"), Field("y", "deep.er.y", lambda v: str(v), int))
    assert drifted(fields, inputs, body(fields, inputs)) is None
