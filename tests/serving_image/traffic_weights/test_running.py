"""A step of the weights' controller: each change is on record with its reason, and no doubt moves a weight."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from serving_image.traffic_weights.health import Health
from serving_image.traffic_weights.rewards import HttpPrometheus, MissingError, earned
from serving_image.traffic_weights.routes import KEPT_CHANGES, RouteError, read, write
from serving_image.traffic_weights.running import Step, step
from serving_image.traffic_weights.settings import Settings
from tests.serving_image.traffic_weights.fakes import NOW, SETTINGS, FakeApi, FakePrometheus

BETTER_B = {"stable": 0.10, "b": 0.20}


def take(api: FakeApi, prometheus: FakePrometheus, now: float = NOW) -> Step:
    return step(SETTINGS, api, prometheus, "traffic_weights 1, pod x", now)


def test_the_better_arm_gains_on_every_route_and_rule() -> None:
    api = FakeApi(90, 10, rules=2)
    assert take(api, FakePrometheus(BETTER_B)).changed
    assert {tuple(api.weights(kind, rule)) for kind in SETTINGS.kinds for rule in (1, 2)} == {(70, 30)}
    assert api.routes[next(iter(api.routes))]["spec"]["rules"][0]["backendRefs"][0]["weight"] == 1


def test_a_change_is_on_record_with_who_why_and_both_weights() -> None:
    api = FakeApi(90, 10)
    told = take(api, FakePrometheus(BETTER_B)).line
    (record,) = api.record()
    assert record["who"] == "traffic_weights 1, pod x" and record["time"] == "2027-01-15T08:00:00+00:00"
    assert record["old"] == {"stable": 90, "b": 10} and record["new"] == {"stable": 70, "b": 30}
    assert record["arms"]["b"]["best"] > 0.99 and record["arms"]["b"]["mean"] == pytest.approx(0.2, abs=0.01)
    assert told["action"] == "changed" and {**record, **told} == told
    json.dumps(told)


def test_the_record_keeps_the_last_changes_newest_first() -> None:
    api = FakeApi(90, 10)
    for turn in range(KEPT_CHANGES + 5):
        rates = BETTER_B if turn % 2 == 0 else {"stable": 0.2, "b": 0.1}
        assert take(api, FakePrometheus(rates), NOW + 60 * turn).changed
    record = api.record()
    assert len(record) == KEPT_CHANGES and record[0]["time"] > record[1]["time"]


def test_nothing_is_written_where_the_weights_are_right() -> None:
    api = FakeApi(10, 90)
    done = take(api, FakePrometheus(BETTER_B))
    assert not done.changed and api.patches == [] and done.line["action"] == "kept"


def test_a_route_that_lags_behind_is_brought_along() -> None:
    api = FakeApi(10, 90)
    lagging = api.routes[next(path for path in api.routes if "grpc" in path)]
    lagging["spec"]["rules"][1]["backendRefs"][1]["weight"] = 40
    take(api, FakePrometheus(BETTER_B))
    assert api.weights("grpcroutes") == [10, 90] and len(api.patches) == 1


@pytest.mark.parametrize(
    ("prometheus", "told"),
    [
        (FakePrometheus({"stable": 0.1}), "no successes of b"),
        (FakePrometheus({}), "no successes of stable"),
        (FakePrometheus(BETTER_B, age=61), "61 s ago"),
        (FakePrometheus(BETTER_B, age=float("nan")), "last seen"),
        (FakePrometheus({"stable": 0.1, "b": float("nan")}), "no count"),
        (FakePrometheus({"stable": 0.1, "b": 3.0}), "do not belong together"),
    ],
)
def test_missing_stale_or_impossible_rewards_freeze_the_weights_and_say_so(
    prometheus: FakePrometheus, told: str
) -> None:
    api = FakeApi(70, 30)
    done = take(api, prometheus)
    assert done.frozen and told in done.line["why"] and done.line["action"] == "frozen"
    assert api.patches == [] and api.weights() == [70, 30]


def test_a_route_that_somebody_changed_meanwhile_is_left_to_the_next_step() -> None:
    api = FakeApi(90, 10)
    route = read(api, SETTINGS, "httproutes")
    api.routes[route.path]["metadata"]["resourceVersion"] = "2"
    with pytest.raises(RouteError, match="422"):
        write(api, route, {"stable": 70, "b": 30}, {})
    assert api.weights() == [90, 10]


def test_a_route_without_the_arms_is_told() -> None:
    api = FakeApi(90, 10)
    for route in api.routes.values():
        route["spec"]["rules"] = [{"backendRefs": [{"name": "tumour-risk"}]}]
    done = take(api, FakePrometheus(BETTER_B))
    assert done.frozen and "no rule that names tumour-risk, tumour-risk-b" in done.line["why"]


def test_an_absent_route_is_told() -> None:
    api = FakeApi(90, 10)
    api.routes.clear()
    assert "404" in take(api, FakePrometheus(BETTER_B)).line["why"]


def test_resets_of_counters_are_left_to_prometheus_interval_by_interval() -> None:
    prometheus = FakePrometheus(BETTER_B)
    found = earned(prometheus, SETTINGS, NOW)
    assert [len(intervals) for intervals in found.values()] == [5, 5]
    assert "sum by (variant) (increase(asked_total[60s]))" in prometheus.queries


def test_settings_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="what this version reads"):
        Settings.of_json('{"bounds": {"floor": 1}}')


def test_the_metrics_say_whether_the_weights_are_frozen() -> None:
    health = Health(SETTINGS)
    assert 'frozen{service="tumour-risk"} 1' in health.metrics()
    health.seen(take(FakeApi(90, 10), FakePrometheus(BETTER_B)))
    assert 'frozen{service="tumour-risk"} 0' in health.metrics()
    assert 'seawall_traffic_weight{service="tumour-risk",variant="b"} 30' in health.metrics()


@pytest.fixture
def broken_prometheus() -> Iterator[str]:
    """The address of a server that answers with what is no answer of Prometheus."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if "refuse" in self.path else 200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("query", "told"), [("refuse", "refuses"), ("up", "no answer")])
def test_an_answer_that_is_none_counts_as_missing(broken_prometheus: str, query: str, told: str) -> None:
    with pytest.raises(MissingError, match=told):
        HttpPrometheus(broken_prometheus).at(query, NOW)


def test_a_prometheus_that_is_not_there_counts_as_missing() -> None:
    with pytest.raises(MissingError, match="no answer"):
        HttpPrometheus("http://127.0.0.1:1").at("up", NOW)
