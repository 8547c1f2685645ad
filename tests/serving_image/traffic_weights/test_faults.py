"""Faults planted against the controller of a bandit's weights: each one holds the weights, and says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from serving_image.traffic_weights.deciding import Bounds
from serving_image.traffic_weights.routes import RECORD, RouteError
from serving_image.traffic_weights.running import Step, step
from serving_image.traffic_weights.settings import Settings
from tests.serving_image.traffic_weights.fakes import NOW, SETTINGS, FakeApi, FakePrometheus

BETTER_B = {"stable": 0.10, "b": 0.20}
ME, OTHER = "traffic_weights 1, pod x", "traffic_weights 1, pod y"
PATH = "/apis/gateway.networking.k8s.io/v1/namespaces/serving/{}/tumour-risk"


class Course(FakePrometheus):
    """What each arm earned, interval by interval: (successes, trials)."""

    def __init__(self, earned: Mapping[str, Sequence[tuple[float, float]]]) -> None:
        super().__init__(dict.fromkeys(earned, 0.0))
        self.earned = earned

    def between(self, query: str, start: float, end: float, step: int) -> Sequence[Mapping[str, Any]]:
        which = 0 if "good" in query else 1
        return [
            {
                "metric": {"variant": arm},
                "values": [[start + step * number, str(each[which])] for number, each in enumerate(intervals)],
            }
            for arm, intervals in self.earned.items()
        ]


class Garbled(FakePrometheus):
    """Answers with what its API never has."""

    def at(self, query: str, moment: float) -> Sequence[Mapping[str, Any]]:
        return [{"metric": {}, "values": []}]


class Refusing(FakeApi):
    """An API server that refuses what it is asked to change, or to tell."""

    def __init__(self, *weights: int, verb: str, kind: str = "") -> None:
        super().__init__(*weights)
        self.verb, self.kind = verb, kind

    def get(self, path: str) -> Any:
        if self.verb == "GET":
            raise RouteError(f"GET {path}: 403 forbidden")
        return super().get(path)

    def patch(self, path: str, operations: list[dict[str, Any]]) -> Any:
        if self.verb == "PATCH" and self.kind in path:
            raise RouteError(f"PATCH {path}: 403 forbidden")
        return super().patch(path, operations)


def with_record(record: object, *weights: int) -> FakeApi:
    api = FakeApi(*weights)
    text = record if isinstance(record, str) else json.dumps(record)
    for route in api.routes.values():
        route["metadata"]["annotations"] = {RECORD: text}
    return api


def change(seconds_ago: float, who: str = ME, **new: int) -> dict[str, Any]:
    return {"time": datetime.fromtimestamp(NOW - seconds_ago, UTC).isoformat(), "who": who, "new": new}


def broken_route(plant: Callable[[Any], object]) -> FakeApi:
    api = FakeApi(70, 30)
    for route in api.routes.values():
        plant(route)
    return api


def ref(route: Any, number: int) -> Any:
    return route["spec"]["rules"][1]["backendRefs"][number]


@dataclass(frozen=True)
class Fault:
    """What is planted, and what the line must say of it."""

    told: str
    api: Callable[[], FakeApi] = lambda: FakeApi(70, 30)
    prometheus: Callable[[], FakePrometheus] = lambda: FakePrometheus(BETTER_B)
    action: str = "frozen"


def earning(rate: float, trials: float = 1000.0, count: int = 5) -> list[tuple[float, float]]:
    return [(rate * trials, trials)] * count


FAULTS = {
    "the reward is missing": Fault("no successes of b", prometheus=lambda: FakePrometheus({"stable": 0.1})),
    "the reward is stale": Fault("61 s ago", prometheus=lambda: FakePrometheus(BETTER_B, age=61)),
    "the reward is NaN": Fault("no count", prometheus=lambda: FakePrometheus({"stable": 0.1, "b": float("nan")})),
    "the reward is infinite": Fault(
        "no count", prometheus=lambda: FakePrometheus({"stable": 0.1, "b": float("inf")})
    ),
    "a count is negative": Fault(
        "no count", prometheus=lambda: Course({"stable": earning(0.1), "b": [*earning(0.2, count=4), (-5.0, 1000.0)]})
    ),
    "trials fall below successes": Fault(
        "do not belong together", prometheus=lambda: Course({"stable": earning(0.1), "b": earning(1.3)})
    ),
    "the source of successes dies": Fault(
        "may be dead",
        prometheus=lambda: Course({arm: [*earning(0.1, count=4), (0.0, 1000.0)] for arm in ("stable", "b")}),
    ),
    "nobody is asked at all": Fault(
        "0 trials in all",
        prometheus=lambda: Course({"stable": earning(0.0, 0.0), "b": earning(0.0, 0.0)}),
        action="kept",
    ),
    "Prometheus answers with what is no series": Fault("no series", prometheus=lambda: Garbled(BETTER_B)),
    "the samples are of the future": Fault(
        "the clock went back", prometheus=lambda: FakePrometheus(BETTER_B, age=-90)
    ),
    "the clock is behind the last change": Fault(
        "behind the last change", lambda: with_record([change(-3600, stable=70, b=30)], 70, 30)
    ),
    "two controllers act at once": Fault(
        f"{OTHER} changed", lambda: with_record([change(20, OTHER, stable=70, b=30)], 70, 30), action="kept"
    ),
    "the route cannot be read": Fault("403 forbidden", lambda: Refusing(70, 30, verb="GET")),
    "the route cannot be written": Fault("403 forbidden", lambda: Refusing(70, 30, verb="PATCH"), action="refused"),
    "an arm was removed from the route": Fault(
        "no rule that names", lambda: broken_route(lambda r: r["spec"]["rules"][1]["backendRefs"].pop())
    ),
    "a weight is no number": Fault(
        "not what a route is", lambda: broken_route(lambda r: ref(r, 1).update(weight="x"))
    ),
    "a weight is null": Fault("not what a route is", lambda: broken_route(lambda r: ref(r, 1).update(weight=None))),
    "the route has no version": Fault(
        "not what a route is", lambda: broken_route(lambda r: r["metadata"].pop("resourceVersion"))
    ),
}


def take(api: FakeApi, prometheus: FakePrometheus, who: str = ME, now: float = NOW) -> Step:
    return step(SETTINGS, api, prometheus, who, now)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_holds_the_weights_and_is_told(name: str) -> None:
    fault = FAULTS[name]
    api = fault.api()
    before = json.dumps(api.routes)
    done = take(api, fault.prometheus())
    assert (done.line["action"], fault.told in done.line["why"]) == (fault.action, True), done.line
    assert json.dumps(api.routes) == before and not done.changed
    assert done.frozen == (fault.action != "kept")
    json.dumps(done.line)


def test_an_arm_without_traffic_is_tried_again_and_no_more_than_an_equal_share() -> None:
    api = FakeApi(70, 30)
    course = Course({"stable": earning(0.1), "b": earning(0.0, 0.0)})
    for turn in range(6):
        take(api, course, now=NOW + 60 * turn)
    assert api.weights() == [50, 50]


def test_counters_that_begin_anew_move_nothing_by_themselves() -> None:
    """Prometheus' `increase` gives what was counted after a reset; an interval that a pod lost is a small one."""
    api = FakeApi(10, 90)
    done = take(api, Course({"stable": earning(0.1), "b": [*earning(0.2, count=4), (2.0, 10.0)]}))
    assert done.line["action"] == "kept" and api.weights() == [10, 90]


def test_a_change_by_hand_goes_on_record_with_the_next_one() -> None:
    api = with_record([change(60, stable=90, b=10)], 60, 40)
    done = take(api, FakePrometheus(BETTER_B))
    (newest, *_) = api.record()
    assert done.changed and newest["old"] == {"stable": 60, "b": 40}
    assert "somebody else changed" in newest["noticed"][0] and "'stable': 90" in newest["noticed"][0]


def test_weights_outside_their_bounds_that_somebody_wrote_are_put_right_and_told() -> None:
    api = with_record([change(60, stable=70, b=30)], 0, 100)
    done = take(api, FakePrometheus(BETTER_B))
    assert done.changed and api.weights() == [10, 90] and "somebody else changed" in done.line["noticed"][0]
    assert done.line["why"] == "the weights were outside their bounds"


@pytest.mark.parametrize("record", ["{", '"x"', "[5]", '[{"time": "yesterday"}]', '[{"who": "nobody"}]'])
def test_a_record_that_was_tampered_with_is_told_and_begins_anew(record: str) -> None:
    api = with_record(record, 70, 30)
    done = take(api, FakePrometheus(BETTER_B))
    assert done.changed and "cannot be read" in done.line["noticed"][0]
    assert api.record()[0]["noticed"] == done.line["noticed"]


def test_a_gap_in_the_record_is_told() -> None:
    """Somebody removed the newest change: what is on record then does not lead to the weights."""
    api = FakeApi(90, 10)
    for turn in range(2):
        assert take(api, FakePrometheus(BETTER_B), now=NOW + 60 * turn).changed
    for route in api.routes.values():
        kept = json.loads(route["metadata"]["annotations"][RECORD])[1:]
        route["metadata"]["annotations"][RECORD] = json.dumps(kept)
    done = take(api, FakePrometheus(BETTER_B), now=NOW + 120)
    assert done.changed and "somebody else changed" in done.line["noticed"][0]


def test_two_controllers_take_one_step_in_an_interval() -> None:
    api = FakeApi(90, 10)
    actions = [
        take(api, FakePrometheus(BETTER_B), who, NOW + seconds).line["action"]
        for seconds, who in ((0, ME), (25, OTHER), (60, ME), (85, OTHER))
    ]
    assert actions == ["changed", "kept", "changed", "kept"] and api.weights() == [50, 50]


def test_a_controller_that_follows_another_goes_on_an_interval_later() -> None:
    api = FakeApi(90, 10)
    assert take(api, FakePrometheus(BETTER_B), ME, NOW).changed
    assert take(api, FakePrometheus(BETTER_B), OTHER, NOW + 60).changed


def test_where_one_of_two_routes_refuses_the_other_is_brought_along_later() -> None:
    api = Refusing(90, 10, verb="PATCH", kind="grpcroutes")
    done = take(api, FakePrometheus(BETTER_B))
    assert done.line["action"] == "refused" and done.line["changed"] == [PATH.format("httproutes")]
    api.verb = ""
    take(api, FakePrometheus({"stable": 0.1, "b": 0.1}), now=NOW + 60)
    assert api.weights("grpcroutes") == api.weights("httproutes")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"bounds": Bounds(60, 90, 20)}, "a floor of 60 % each take more than 100 %"),
        ({"bounds": Bounds(-1, 90, 20)}, "less than none"),
        ({"bounds": Bounds(5, 45, 20)}, "a ceiling of 45 % each do not take 100 %"),
        ({"bounds": Bounds(5, 101, 20)}, "a ceiling of 101 %"),
        ({"bounds": Bounds(5, 90, 0)}, "not more than 0"),
        ({"interval": 0}, "not more than 0"),
        ({"arms": {"stable": "tumour-risk"}}, "nothing to choose from"),
    ],
)
def test_settings_that_no_weights_can_keep_stop_the_start(changed: dict[str, Any], told: str) -> None:
    given = json.dumps(asdict(replace(SETTINGS, **changed)))
    with pytest.raises(ValueError, match=told):
        Settings.of_json(given)
