"""Storage Transfer: what a job decides, and the jobs that it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.transfer.api import Action, count, decide, included, job_problem

NOW = datetime(2026, 11, 21, tzinfo=UTC)
_NAMES = st.sampled_from(["a", "b", "c/d", "c/e"])
_SIDES = st.dictionaries(_NAMES, st.integers(0, 3).map(lambda n: {"size": str(n), "crc32c": f"c{n}"}))


def resource(size: int, crc32c: str = "same") -> dict[str, str]:
    return {"size": str(size), "crc32c": crc32c}


def verbs(actions: list[Action]) -> dict[str, str]:
    return {a.name: a.verb for a in actions}


def test_an_object_that_the_sink_lacks_is_copied() -> None:
    assert verbs(decide({"a": resource(1)}, {}, {})) == {"a": "copy"}


def test_an_object_that_is_the_same_is_skipped() -> None:
    assert verbs(decide({"a": resource(1)}, {"a": resource(1)}, {})) == {"a": "skip"}


def test_a_changed_object_of_the_same_size_is_copied() -> None:
    assert verbs(decide({"a": resource(1, "x")}, {"a": resource(1, "y")}, {})) == {"a": "copy"}


def test_overwriting_never_keeps_the_sinks_object() -> None:
    assert verbs(decide({"a": resource(1)}, {"a": resource(2)}, {"overwriteWhen": "NEVER"})) == {"a": "skip"}


@pytest.mark.parametrize("options", [{"overwriteWhen": "ALWAYS"}, {"overwriteObjectsAlreadyExistingInSink": True}])
def test_overwriting_always_copies_the_same_object_again(options: dict[str, Any]) -> None:
    assert verbs(decide({"a": resource(1)}, {"a": resource(1)}, options)) == {"a": "copy"}


@given(_SIDES, _SIDES)
def test_nothing_is_deleted_unless_the_job_says_so(source: dict[str, Any], sink: dict[str, Any]) -> None:
    assert "delete" not in {a.verb for a in decide(source, sink, {})}


@given(_SIDES, _SIDES)
def test_a_mirroring_job_leaves_exactly_the_sources_objects(source: dict[str, Any], sink: dict[str, Any]) -> None:
    after = dict(sink)
    for action in decide(source, sink, {"deleteObjectsUniqueInSink": True}):
        if action.verb == "copy":
            after[action.name] = source[action.name]
        if action.verb == "delete":
            del after[action.name]
    assert after == source


@given(_SIDES, _SIDES)
def test_every_decision_has_a_reason(source: dict[str, Any], sink: dict[str, Any]) -> None:
    assert all(a.reason for a in decide(source, sink, {"deleteObjectsUniqueInSink": True}))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"includePrefixes": ["releases/"]}, True),
        ({"includePrefixes": ["other/"]}, False),
        ({"excludePrefixes": ["releases/v1"]}, False),
    ],
)
def test_prefixes_choose_objects(conditions: dict[str, Any], expected: bool) -> None:
    assert included("releases/v1/model", NOW, conditions, NOW) is expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"minTimeElapsedSinceLastModification": "3599s"}, True),
        ({"minTimeElapsedSinceLastModification": "3600s"}, False),
        ({"maxTimeElapsedSinceLastModification": "3600s"}, True),
        ({"maxTimeElapsedSinceLastModification": "3599s"}, False),
        ({"lastModifiedSince": "2026-11-20T23:00:00Z"}, True),
        ({"lastModifiedSince": "2026-11-20T23:00:01Z"}, False),
        ({"lastModifiedBefore": "2026-11-20T23:00:01Z"}, True),
        ({"lastModifiedBefore": "2026-11-20T23:00:00Z"}, False),
        ({"includePrefixes": ["logs/"], "lastModifiedBefore": "2027-01-01T00:00:00Z"}, False),
    ],
)
def test_times_choose_objects(conditions: dict[str, Any], expected: bool) -> None:
    assert included("releases/v1/model", NOW - timedelta(hours=1), conditions, NOW) is expected


def test_a_condition_that_is_not_known_is_refused() -> None:
    spec = {**job()["transferSpec"], "objectConditions": {"color": "red"}}
    assert "color" in str(job_problem(job(transferSpec=spec)))


def test_counters_tell_copied_from_failed() -> None:
    actions = [Action("copy", "a", "r", 5), Action("copy", "b", "r", 7), Action("skip", "c", "r", 9)]
    counters = count(actions, [actions[1]])
    assert (counters["objectsCopiedToSink"], counters["bytesCopiedToSink"], counters["objectsFromSourceFailed"]) == (
        "1",
        "5",
        "1",
    )


def job(**changes: Any) -> dict[str, Any]:
    spec = {"gcsDataSource": {"bucketName": "a"}, "gcsDataSink": {"bucketName": "b"}}
    return {"status": "ENABLED", "transferSpec": spec, "schedule": {"repeatInterval": "3600s"}, **changes}


def test_an_hourly_job_between_two_buckets_is_well_formed() -> None:
    assert job_problem(job()) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"transferSpec": {"gcsDataSource": {"bucketName": "a"}}}, "gcsDataSink"),
        ({"schedule": {"repeatInterval": "60s"}}, "repeatInterval"),
        ({"status": "SLEEPING"}, "SLEEPING"),
        (
            {
                "transferSpec": {
                    "gcsDataSource": {"bucketName": "a", "path": "no-slash"},
                    "gcsDataSink": {"bucketName": "b"},
                }
            },
            "path",
        ),
    ],
)
def test_a_malformed_job_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    assert named in str(job_problem(job(**change)))
