"""How long exports are kept by the lifecycle of the bucket in which they end."""

from __future__ import annotations

from typing import Any, Final

import pytest

from policies.exports import kept_days
from policies.inventory import Resource
from policies.tokens import GCS_BUCKET

CURRENT: Final = {"age": 35}
NONCURRENT: Final = {"daysSinceNoncurrentTime": 3}


def kept(*conditions: dict[str, Any], overwritten: bool) -> float:
    rules = [{"action": {"type": "Delete"}, "condition": condition} for condition in conditions]
    bucket = Resource("urn", GCS_BUCKET, "exports", custom=True, inputs={"lifecycleRules": rules})
    return kept_days(bucket, "all", overwritten=overwritten)


@pytest.mark.parametrize(
    "spares", [NONCURRENT, {"numNewerVersions": 1}, {"withState": "ARCHIVED"}, {"withState": "ARCHIVED", "age": 3}]
)
def test_what_has_a_name_of_its_own_is_not_touched_by_what_is_said_of_old_versions(spares: dict[str, Any]) -> None:
    assert kept(CURRENT, spares, overwritten=False) == 35


@pytest.mark.parametrize(
    ("touches", "days"),
    [
        ({"age": 3}, 3),
        ({"age": 3, "withState": "ANY"}, 3),
        ({"age": 3, "withState": "LIVE"}, 3),
        ({"age": 3, "matchesPrefixes": ["all/"]}, 3),
        ({"age": 3, "numNewerVersions": 0}, 3),
        ({"daysSinceNoncurrentTime": 0}, 0),
        ({"matchesSuffixes": [".rdb"]}, 0),
    ],
)
def test_what_has_a_name_of_its_own_goes_with_what_is_said_of_all(touches: dict[str, Any], days: int) -> None:
    assert kept(CURRENT, touches, overwritten=False) == days


def test_what_is_overwritten_goes_with_what_is_said_of_old_versions() -> None:
    assert kept(CURRENT, NONCURRENT, overwritten=True) == 3
