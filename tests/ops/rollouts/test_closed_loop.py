"""Releases replace one another behind the real Envoy, judged by the real Flagger over the real Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ops.rollouts import laid, releases
from ops.rollouts.clients import Clients
from ops.rollouts.picture import picture
from ops.rollouts.run import Exercise
from ops.rollouts.stage import Stage, open_stage

# One worker runs them all, in their order: a stage takes long to set up, and each rollout begins where one ended.
pytestmark = [
    pytest.mark.gateway,
    pytest.mark.cluster,
    pytest.mark.triton,
    pytest.mark.xdist_group("gateway"),
]

FIRST, GOOD = releases.sound("1.0.0"), releases.sound("1.0.1")
SLOW, FAILING, WRONG = releases.slow("1.0.2"), releases.failing("1.0.3"), releases.wrong("1.0.4")
BLIND, UNSEEN, NEXT = releases.sound("1.0.5"), releases.wrong("1.0.6"), releases.sound("1.0.7")
AGAIN, UNASKED = releases.sound("1.0.8"), releases.sound("1.0.9")
SHIFT_FAILURES = 6
"""Requests that may meet a route whose cluster is just gone, each time that shares change: of some hundreds."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("releases")
    all_releases = (FIRST, GOOD, SLOW, FAILING, WRONG, BLIND, UNSEEN, NEXT, AGAIN, UNASKED)
    services = {
        "risk": laid.canary_service(FIRST.version),
        "colours": laid.blue_green_service(GOOD.version, WRONG.version),
        "rolls": laid.rolling_service(GOOD.version, 2),
    }
    with open_stage({each.version: releases.write(each, folder) for each in all_releases}, services) as opened:
        yield opened


@pytest.fixture(scope="module")
def service(stage: Stage) -> Exercise:
    """A canary service that serves the first release."""
    exercise = Exercise(stage, "risk")
    exercise.bring_up_canary()
    return exercise


@pytest.fixture(scope="module")
def clients(service: Exercise) -> Iterator[Clients]:
    with service.clients() as asking:
        time.sleep(1)
        yield asking


def test_a_good_release_is_promoted_step_by_step(service: Exercise, clients: Clients) -> None:
    record = service.roll_canary(FIRST.version, GOOD, clients)
    assert (record.verdict, record.steps(), record.serving) == ("promoted", [0, 20, 50, 0], {GOOD.version: 1})
    assert record.wrong == record.after_failed == record.after_wrong == 0
    assert record.failed <= 3 * SHIFT_FAILURES, record.why_failed
    assert json.loads(json.dumps(record.to_json()))["verdict"] in picture([record])


@pytest.mark.parametrize(
    ("release", "reason"),
    [(SLOW, "p99-ms"), (FAILING, "error-percent"), (WRONG, "quality")],
    ids=lambda value: getattr(value, "fault", ""),
)
def test_a_bad_release_is_taken_back_without_a_person(
    service: Exercise, clients: Clients, release: releases.Release, reason: str
) -> None:
    record = service.roll_canary(GOOD.version, release, clients)
    assert record.verdict == "rolled back", record.reasons
    assert any(text.startswith(f"Halt risk.serving advancement {reason} ") for text in record.reasons), record.reasons
    assert record.serving == {GOOD.version: 1}, "the old release answers"
    assert record.after_requests > 20
    assert record.after_failed == record.after_wrong == 0, record.why_failed
    # Never more than its share, and for the few checks that it took.
    assert record.heaviest <= 50
    assert record.failed + record.wrong <= 0.25 * record.requests + SHIFT_FAILURES, record.why_failed


def test_a_canary_goes_on_when_what_steps_it_is_killed(service: Exercise, clients: Clients) -> None:
    """The other replica takes over; the share does not stay where it was."""
    flaggers, (old,) = service.stage.flaggers, service.serving()

    def kill() -> None:
        flaggers.kill_leader()
        flaggers.start()
        service.let_the_lock_run_out()

    record = service.roll_canary(old, AGAIN, clients, when_split=kill)
    assert record.verdict == "promoted", record.reasons
    assert (record.steps()[-1], record.serving) == (0, {AGAIN.version: 1})
    assert record.wrong == record.after_failed == record.after_wrong == 0


def test_a_bad_release_is_taken_back_by_whoever_leads_then(service: Exercise, clients: Clients) -> None:
    (old,) = service.serving()
    record = service.roll_canary(old, WRONG, clients)
    assert (record.verdict, record.serving) == ("rolled back", {old: 1}), record.reasons


def test_a_release_that_nobody_asks_is_not_promoted(service: Exercise, clients: Clients) -> None:
    (old,) = service.serving()
    with clients.silent():
        record = service.roll_canary(old, UNASKED, clients)
    assert (record.verdict, record.serving) == ("rolled back", {old: 1}), record.reasons
    assert any("no values found" in text for text in record.reasons), record.reasons


def test_what_is_held_is_what_the_stack_lays_but_for_its_name(service: Exercise) -> None:
    """Flagger loses what it does not know: here, nothing."""
    client = service.stage.plane.client

    def pods(name: str) -> Any:
        found = client.get("apps/v1", "Deployment", name, "serving") or {}
        return json.loads(json.dumps(found["spec"]["template"]["spec"]).replace(laid.held("risk"), "risk"))

    # The last release was not promoted.
    assert laid.with_release({"x": pods("risk")}, "") == laid.with_release({"x": pods(laid.held("risk"))}, "")


def test_analysis_that_is_switched_off_lets_the_bad_release_through(service: Exercise, clients: Clients) -> None:
    """The control: it is the analysis that takes releases back."""
    service.judge_nothing()
    try:
        record = service.roll_canary(min(service.serving()), UNSEEN, clients)
    finally:
        service.judge_again()
    assert (record.verdict, record.serving) == ("promoted", {UNSEEN.version: 1}), record.reasons
    assert record.after_wrong > 0


def test_without_prometheus_nothing_is_promoted(service: Exercise, clients: Clients) -> None:
    service.stage.prometheus.stop()
    record = service.roll_canary(UNSEEN.version, BLIND, clients)
    assert (record.verdict, record.serving) == ("rolled back", {UNSEEN.version: 1}), record.reasons
    assert any(text.startswith("Metric query failed") for text in record.reasons), record.reasons


def test_blue_green_switches_at_once_and_goes_back_in_one_step(stage: Stage) -> None:
    exercise = Exercise(stage, "colours")
    exercise.bring_up()
    with exercise.clients() as asking:
        time.sleep(1)
        there = exercise.switch("green", asking, old=GOOD.version, new=WRONG)
        back = exercise.switch("stable", asking, old=WRONG.version, new=GOOD)
    assert there.after_wrong > 0, "green answers"
    assert back.after_wrong == back.after_failed == 0, "blue answers again"
    assert there.failed + back.failed <= 2 * SHIFT_FAILURES
    assert exercise.serving() == {GOOD.version: 1, WRONG.version: 1}, "both are kept"


def test_a_rolling_release_ends_at_full_scale_without_a_failed_request(stage: Stage) -> None:
    exercise = Exercise(stage, "rolls", replicas=2)
    exercise.bring_up()
    with exercise.clients() as asking:
        time.sleep(1)
        record = exercise.roll(GOOD.version, NEXT, asking)
    assert record.serving == {NEXT.version: 2}
    assert (record.failed, record.wrong, record.after_failed) == (0, 0, 0), record.why_failed
    assert record.requests > 40
    assert min(sum(moment.weights.values()) for moment in record.moments) >= 2, "never fewer replicas than asked for"
