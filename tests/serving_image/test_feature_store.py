"""The feature lookup: always an answer, in time, and never a fallback that passes for stored features."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

FALLBACK = (0.5, 1.5)


class FakeStore:
    """Rows in memory; `act` runs before each read."""

    def __init__(self, rows: Mapping[str, Any], act: Callable[[], object] = lambda: None) -> None:
        self.rows = rows
        self.act = act
        self.asked: list[list[str]] = []

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Any]:
        self.asked.append(list(entity_ids))
        self.act()
        return {entity: self.rows[entity] for entity in entity_ids if entity in self.rows}


@pytest.fixture
def lookup(feature_store: ModuleType) -> Iterator[Callable[..., Any]]:
    """Makes lookups over a fake store, closed after the test."""
    made: list[Any] = []

    def make(store: Any, timeout_s: float = 5.0, report: Callable[[str], None] = lambda _: None) -> Any:
        made.append(feature_store.FeatureLookup(store, FALLBACK, timeout_s, report))
        return made[-1]

    yield make
    for each in made:
        each.close()


def row(feature_store: ModuleType, *values: float, expires_at: float | None = None) -> Any:
    return feature_store.Row(json.dumps(values), expires_at)


def test_a_stored_row_is_served_as_stored(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    (found,) = lookup(FakeStore({"a": row(feature_store, 1.25, 2.0)})).lookup(["a"])
    assert (found.values, found.source) == ((1.25, 2.0), "store")


def test_an_unknown_entity_gets_the_fallback_and_says_so(lookup: Callable[..., Any]) -> None:
    (found,) = lookup(FakeStore({})).lookup(["nobody"])
    assert (found.values, found.source, found.outcome) == (FALLBACK, "training_means", "missing")


def test_an_expired_row_is_not_served_although_it_is_there(
    feature_store: ModuleType, lookup: Callable[..., Any]
) -> None:
    stale = row(feature_store, 1, 2, expires_at=time.time() - 1)
    (found,) = lookup(FakeStore({"a": stale})).lookup(["a"])
    assert (found.values, found.outcome) == (FALLBACK, "expired")


def test_a_row_that_has_yet_to_expire_is_served(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    fresh = row(feature_store, 1, 2, expires_at=time.time() + 60)
    (found,) = lookup(FakeStore({"a": fresh})).lookup(["a"])
    assert found.source == "store"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "[1]",
        "[1,2,3]",
        '["1","2"]',
        "[1,NaN]",
        "[1,Infinity]",
        "[true,1]",
        "[1,[2]]",
        "[" * 9999,
        "[1," + "9" * 400 + "]",
    ],
    ids=lambda text: text[:12],
)
def test_a_malformed_row_gets_the_fallback(feature_store: ModuleType, lookup: Callable[..., Any], text: str) -> None:
    (found,) = lookup(FakeStore({"a": feature_store.Row(text)})).lookup(["a"])
    assert (found.values, found.outcome) == (FALLBACK, "malformed")


@given(st.text(max_size=60))
def test_no_text_in_a_row_makes_judging_fail(feature_store: ModuleType, text: str) -> None:
    values, outcome = feature_store.judge(feature_store.Row(text), 2, 0.0)
    assert (outcome == "found") == (values is not None)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2))
def test_every_row_of_numbers_comes_back_bit_by_bit(feature_store: ModuleType, numbers: list[float]) -> None:
    values, outcome = feature_store.judge(feature_store.Row(json.dumps(numbers)), 2, 0.0)
    assert (values, outcome) == (tuple(numbers), "found")


def test_one_bad_row_does_not_spoil_its_batch(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    store = FakeStore({"good": row(feature_store, 1, 2), "bad": feature_store.Row("?")})
    found = lookup(store).lookup(["good", "bad", "none"])
    assert [each.outcome for each in found] == ["found", "malformed", "missing"]


def test_a_batch_is_one_read_with_each_entity_once(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    store = FakeStore({"a": row(feature_store, 1, 2), "b": row(feature_store, 3, 4)})
    found = lookup(store).lookup(["a", "b", "a"])
    assert (store.asked, [each.values[0] for each in found]) == ([["a", "b"]], [1.0, 3.0, 1.0])


def test_an_empty_batch_reads_nothing(lookup: Callable[..., Any]) -> None:
    store = FakeStore({})
    assert (lookup(store).lookup([]), store.asked) == ([], [])


def test_a_store_that_hangs_costs_no_more_than_the_timeout(lookup: Callable[..., Any]) -> None:
    released = threading.Event()
    try:
        hanging = lookup(FakeStore({}, act=lambda: released.wait(10)), timeout_s=0.05)
        started = time.monotonic()
        (found,) = hanging.lookup(["a"])
        assert (found.outcome, found.values) == ("timeout", FALLBACK)
        assert time.monotonic() - started < 2, "the answer came long before the store's"
    finally:
        released.set()


def test_a_store_that_hangs_for_ever_does_not_take_ever_more_threads(
    feature_store: ModuleType, lookup: Callable[..., Any]
) -> None:
    released = threading.Event()
    try:
        store = FakeStore({}, act=lambda: released.wait(10))
        hanging = lookup(store, timeout_s=0.01)
        for _ in range(20):
            hanging.lookup(["a"])
        assert len(store.asked) <= feature_store.MAX_CONCURRENT_READS
    finally:
        released.set()


def test_an_error_of_the_store_is_answered_with_the_fallback_and_reported(lookup: Callable[..., Any]) -> None:
    def fail() -> None:
        raise ConnectionError("refused")

    reports: list[str] = []
    (found,) = lookup(FakeStore({}, act=fail), report=reports.append).lookup(["patient-7"])
    assert (found.source, found.outcome) == ("training_means", "error")
    assert len(reports) == 1 and "refused" in reports[0]


def test_no_report_names_an_entity(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    reports: list[str] = []
    lookup(FakeStore({"patient-7": feature_store.Row("?")}), report=reports.append).lookup(["patient-7"])
    assert reports and "patient-7" not in reports[0]


class FakeDynamoDB:
    """Answers BatchGetItem from `items`; refuses what DynamoDB refuses; leaves keys unprocessed at first."""

    def __init__(self, items: Mapping[str, Mapping[str, Any]], unprocessed_turns: int = 0) -> None:
        self.items = items
        self.unprocessed_turns = unprocessed_turns
        self.requests: list[int] = []

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N803 (boto3's name)
        keys = [key["entity_id"]["S"] for key in RequestItems["table"]["Keys"]]
        assert len(keys) <= 100 and len(set(keys)) == len(keys), "DynamoDB refuses this"
        self.requests.append(len(keys))
        if self.unprocessed_turns:
            self.unprocessed_turns -= 1
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        found = [{"entity_id": {"S": key}, **self.items[key]} for key in keys if key in self.items]
        return {"Responses": {"table": found}, "UnprocessedKeys": {}}


def test_dynamodb_reads_more_than_a_hundred_keys_in_turns(feature_store: ModuleType) -> None:
    client = FakeDynamoDB({})
    feature_store.DynamoDBStore(client, "table").fetch([str(number) for number in range(250)])
    assert client.requests == [100, 100, 50]


def test_keys_that_dynamodb_left_unprocessed_are_asked_again(feature_store: ModuleType) -> None:
    client = FakeDynamoDB({"a": {"features": {"S": "[1]"}}}, unprocessed_turns=1)
    rows = feature_store.DynamoDBStore(client, "table").fetch(["a"])
    assert rows == {"a": feature_store.Row("[1]")}


def test_a_table_that_stays_throttled_is_told_as_such_not_as_a_missing_row(
    feature_store: ModuleType, lookup: Callable[..., Any]
) -> None:
    client = FakeDynamoDB({"a": {"features": {"S": "[1,2]"}}}, unprocessed_turns=99)
    (found,) = lookup(feature_store.DynamoDBStore(client, "table")).lookup(["a"])
    assert (found.outcome, found.source) == ("throttled", "training_means")
    assert client.requests == [1, 1, 1]


def test_the_rows_that_a_throttled_table_gave_are_served(
    feature_store: ModuleType, lookup: Callable[..., Any]
) -> None:
    class Throttled(FakeDynamoDB):
        """Reads one key at a time."""

        def batch_get_item(self, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N803 (boto3's name)
            first, *rest = RequestItems["table"]["Keys"]
            answer = super().batch_get_item({"table": {"Keys": [first]}})
            return {**answer, "UnprocessedKeys": {"table": {"Keys": rest}} if rest else {}}

    client = Throttled({str(number): {"features": {"S": "[1,2]"}} for number in range(5)})
    found = lookup(feature_store.DynamoDBStore(client, "table")).lookup([str(number) for number in range(5)])
    assert [each.outcome for each in found] == ["found", "found", "found", "throttled", "throttled"]


TTL_S, NOW = 720 * 3600.0, 1_700_000_000.0


@pytest.mark.parametrize(
    ("written_s_ago", "outcome", "source"),
    [
        (0, "found", "store"),
        (23 * 3600, "found", "store"),
        (25 * 3600, "stale", "stale"),
        (719 * 3600, "stale", "stale"),
    ],
)
def test_a_row_says_how_old_it_is_and_from_when_on_it_is_stale(
    feature_store: ModuleType, written_s_ago: float, outcome: str, source: str
) -> None:
    store = FakeStore({"a": row(feature_store, 1, 2, expires_at=time.time() - written_s_ago + TTL_S)})
    fresh = feature_store.Freshness(TTL_S, 24 * 3600)
    looking = feature_store.FeatureLookup(store, FALLBACK, 5.0, freshness=fresh)
    (found,) = looking.lookup(["a"])
    looking.close()
    assert (found.outcome, found.source, found.values) == (outcome, source, (1.0, 2.0))
    assert found.age_s == pytest.approx(written_s_ago, abs=5)


@pytest.mark.parametrize("expires_at", [None, NOW + TTL_S + 3600])
def test_an_age_that_nobody_knows_is_not_told(feature_store: ModuleType, expires_at: float | None) -> None:
    assert feature_store.Freshness(TTL_S, 3600).age_s(feature_store.Row("[1,2]", expires_at), NOW) is None


def test_the_training_means_have_no_age(lookup: Callable[..., Any]) -> None:
    (found,) = lookup(FakeStore({})).lookup(["nobody"])
    assert found.age_s is None


@pytest.mark.parametrize(
    ("ttl", "stale"), [("", "1"), ("24", "24"), ("24", "48"), ("x", ""), ("-1", ""), ("24", "0"), ("nan", "")]
)
def test_hours_that_cannot_be_meant_stop_the_start(feature_store: ModuleType, ttl: str, stale: str) -> None:
    with pytest.raises(ValueError, match="SEAWALL_FEATURES_"):
        feature_store.freshness({"SEAWALL_FEATURES_TTL_HOURS": ttl, "SEAWALL_FEATURES_STALE_HOURS": stale})


def test_the_entity_of_the_self_check_is_answered_without_a_read(lookup: Callable[..., Any]) -> None:
    store = FakeStore({})
    (found,) = lookup(store).lookup(["seawall-self-check"])
    assert (found.outcome, found.source, store.asked) == ("self_check", "training_means", [])


def test_a_batch_is_counted_as_one_read(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    looking = lookup(FakeStore({"a": row(feature_store, 1, 2)}))
    looking.lookup(["a", "b", "a", "seawall-self-check"])
    looking.lookup([])
    assert looking.reads == 1


def test_dynamodbs_expiry_attribute_is_read(feature_store: ModuleType) -> None:
    client = FakeDynamoDB({"a": {"features": {"S": "[1]"}, "expires_at": {"N": "1700000000"}}})
    rows = feature_store.DynamoDBStore(client, "table").fetch(["a"])
    assert rows["a"].expires_at == 1_700_000_000


def test_an_item_without_features_is_malformed_not_an_error(feature_store: ModuleType) -> None:
    rows = feature_store.DynamoDBStore(FakeDynamoDB({"a": {}}), "table").fetch(["a"])
    assert feature_store.judge(rows["a"], 2, 0.0) == (None, "malformed")


def test_redis_reads_a_batch_by_prefixed_keys(feature_store: ModuleType) -> None:
    class FakeRedis:
        def mget(self, keys: list[str]) -> list[bytes | None]:
            return [{"features:a": b"[1]"}.get(key) for key in keys]

    assert feature_store.RedisStore(FakeRedis()).fetch(["a", "b"]) == {"a": feature_store.Row("[1]")}


class FakePipeline:
    """A client whose pipeline answers MGET and PTTL in one round trip."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.trips, self.asked = answers, 0, []

    def pipeline(self, transaction: bool) -> FakePipeline:
        assert not transaction
        return self

    def mget(self, keys: list[str]) -> None:
        self.asked.append(("mget", *keys))

    def pttl(self, key: str) -> None:
        self.asked.append(("pttl", key))

    def execute(self, raise_on_error: bool) -> list[Any]:
        assert not raise_on_error
        self.trips += 1
        return list(self.answers)


def test_redis_tells_values_and_expiries_in_one_round_trip(feature_store: ModuleType) -> None:
    client = FakePipeline([b"[1]", None, b"[3]"], 60_000, -2, -1)
    rows = feature_store.RedisStore(client, with_expiry=True).fetch(["a", "b", "c"])
    assert client.trips == 1 and rows["a"].expires_at == pytest.approx(time.time() + 60, abs=5)
    assert rows["c"] == feature_store.Row("[3]") and "b" not in rows


def test_a_user_who_may_not_ask_for_expiries_gets_the_rows(feature_store: ModuleType) -> None:
    client = FakePipeline([b"[1]"], PermissionError("NOPERM"))
    assert feature_store.RedisStore(client, with_expiry=True).fetch(["a"]) == {"a": feature_store.Row("[1]")}


def test_a_store_that_refuses_the_rows_is_an_error(feature_store: ModuleType, lookup: Callable[..., Any]) -> None:
    client = FakePipeline(PermissionError("NOPERM"), PermissionError("NOPERM"))
    (found,) = lookup(feature_store.RedisStore(client, with_expiry=True)).lookup(["a"])
    assert found.outcome == "error"


@pytest.fixture
def redis_environment(tmp_path: Path) -> dict[str, str]:
    for name in ("ca.pem", "auth"):
        (tmp_path / name).write_text("x")
    return {
        "SEAWALL_FEATURES_KIND": "redis",
        "SEAWALL_FEATURES_HOST": "10.0.0.5",
        "SEAWALL_FEATURES_PORT": "6378",
        "SEAWALL_FEATURES_CA_FILE": str(tmp_path / "ca.pem"),
        "SEAWALL_FEATURES_AUTH_FILE": str(tmp_path / "auth"),
    }


def test_the_store_is_the_one_that_the_environment_names(
    feature_store: ModuleType, redis_environment: dict[str, str]
) -> None:
    dynamodb = {
        "SEAWALL_FEATURES_KIND": "dynamodb",
        "SEAWALL_FEATURES_TABLE": "features",
        "SEAWALL_FEATURES_REGION": "eu-central-1",
    }
    assert isinstance(feature_store.store_from_environment(dynamodb), feature_store.DynamoDBStore)
    assert isinstance(feature_store.store_from_environment(redis_environment), feature_store.RedisStore)


@pytest.mark.parametrize("missing", ["KIND", "HOST", "PORT", "CA_FILE", "AUTH_FILE"])
def test_a_missing_variable_stops_the_start_and_is_named(
    feature_store: ModuleType, redis_environment: dict[str, str], missing: str
) -> None:
    del redis_environment[f"SEAWALL_FEATURES_{missing}"]
    with pytest.raises(ValueError, match=f"SEAWALL_FEATURES_{missing}"):
        feature_store.store_from_environment(redis_environment)


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "nan", "inf"])
def test_a_timeout_that_is_no_time_stops_the_start(feature_store: ModuleType, text: str) -> None:
    with pytest.raises(ValueError, match="SEAWALL_FEATURES_TIMEOUT_MS"):
        feature_store.timeout_s({"SEAWALL_FEATURES_TIMEOUT_MS": text})


def test_a_store_that_is_down_does_not_stop_the_start(
    feature_store: ModuleType, lookup: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # the discard port: nothing listens there
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    store = feature_store.store_from_environment(
        {
            "SEAWALL_FEATURES_KIND": "dynamodb",
            "SEAWALL_FEATURES_TABLE": "features",
            "SEAWALL_FEATURES_REGION": "eu-central-1",
        }
    )
    (found,) = lookup(store).lookup(["a"])
    assert found.outcome == "error"
