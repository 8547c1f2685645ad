"""The calculation against a real autoscaler's looks, as a rehearsal recorded them; each planted fault is noticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.capacity.autoscaler import Seen, Spec
from ops.rehearse.agreement import ALIKE_LEAST, Look, averages_of, before_move, compare, seen_of

RECORDED = json.loads((Path(__file__).parent / "recorded_looks.json").read_text())
SYNC = RECORDED["sync_seconds"]


def looks() -> list[Look]:
    found = []
    for told in RECORDED["looks"]:
        seen = {
            name: Seen([average] * count, missing, waiting)
            for name, (average, count, missing, waiting) in told["seen"].items()
        }
        found.append(Look(told["at"], told["replicas"], told["asked"], seen))
    return found


def test_the_calculation_asked_for_what_the_real_one_did_at_every_look() -> None:
    found = compare(Spec.of(RECORDED["spec"]), looks(), SYNC)
    assert found.ok and not found.apart and found.alike == len(found.looks) >= 200 and found.moves == 4, found.said()


def window(direction: str, seconds: int) -> Callable[[dict[str, Any]], object]:
    return lambda spec: spec["behavior"][direction].update(stabilizationWindowSeconds=seconds)


def tolerance(part: float) -> Callable[[dict[str, Any]], object]:
    return lambda spec: [rules.update(tolerance=part) for rules in spec["behavior"].values()]


def target(quantity: str) -> Callable[[dict[str, Any]], object]:
    return lambda spec: spec["metrics"][0]["pods"]["target"].update(averageValue=quantity)


def period(seconds: int) -> Callable[[dict[str, Any]], object]:
    return lambda spec: [p.update(periodSeconds=seconds) for p in spec["behavior"]["scaleDown"]["policies"]]


FAULTS = {
    "a short window to shrink": window("scaleDown", 7),
    "a long window to shrink": window("scaleDown", 60),
    "no window to grow": window("scaleUp", 0),
    "a long window to grow": window("scaleUp", 10),
    "no tolerance": tolerance(0.0),
    "a wide tolerance": tolerance(0.3),
    "a low target": target("2400m"),
    "a high target": target("3500m"),
    "slow steps": period(30),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_calculation_that_is_wrong_does_not_agree(fault: str) -> None:
    spec = copy.deepcopy(RECORDED["spec"])
    FAULTS[fault](spec)
    found = compare(Spec.of(spec), looks(), SYNC)
    assert found.apart and found.alike < len(found.looks)


def test_a_calculation_that_is_often_wrong_fails_a_rehearsal() -> None:
    spec = copy.deepcopy(RECORDED["spec"])
    window("scaleDown", 7)(spec)
    assert not compare(Spec.of(spec), looks(), SYNC).ok


def test_a_controller_that_was_too_busy_to_look_again_agrees() -> None:
    """It shrank as soon as the window after its own last look had passed: nothing else was written meanwhile."""
    spec, sync = Spec.of(RECORDED["spec"]), SYNC
    calm, busy = {"seawall_busy_requests": Seen([0, 0, 0])}, {"seawall_busy_requests": Seen([2800] * 3)}
    other = {"nv_inference_pending_request_count": Seen([0, 0, 0])}
    longest = spec.down.window_seconds
    late = [
        Look(0.0, 3, 3, busy | other),
        Look(longest - 0.01, 3, 3, calm | other),
        Look(longest + 0.01, 3, 2, calm | other),
        *(Look(longest + sync * n, 2, 2, calm | other) for n in range(1, 4)),
    ]
    assert not compare(spec, late, sync).apart
    too_early = [late[0], Look(longest - 0.5, 3, 2, calm | other), *late[3:]]
    assert compare(spec, too_early, sync).apart


def test_a_look_that_was_read_late_is_counted_and_not_judged() -> None:
    told = looks()
    wrong = replace(told[50], asked=told[50].asked + 2)
    assert compare(Spec.of(RECORDED["spec"]), [*told[:50], wrong, *told[51:]], SYNC).alike == len(told) - 1
    late = replace(wrong, unread_seconds=2 * SYNC)
    found = compare(Spec.of(RECORDED["spec"]), [*told[:50], late, *told[51:]], SYNC)
    assert (len(found.looks), found.unread, found.apart) == (len(told) - 1, 1, [])


def test_few_looks_say_nothing() -> None:
    assert not compare(Spec.of(RECORDED["spec"]), looks()[:10], SYNC).ok


def test_most_looks_must_be_alike() -> None:
    assert ALIKE_LEAST >= 0.9


def test_what_the_controller_saw_is_read_from_its_status() -> None:
    current = {"averageValue": "2800m"}
    status = {"currentMetrics": [{"type": "Pods", "pods": {"metric": {"name": "busy"}, "current": current}}]}
    assert averages_of(status) == {"busy": 2800} and averages_of({}) == {}
    phases = {"a": "Running", "b": "Running", "c": "Pending"}
    assert seen_of(2800, {"a", "gone"}, phases) == Seen([2800], 1, 1)


@pytest.mark.parametrize(
    ("seen", "replicas", "asked", "before"),
    [
        (Seen([5, 5], 0, 1), 2, 3, Seen([5, 5], 0, 0)),
        (Seen([5, 5], 1, 0), 2, 3, Seen([5, 5], 0, 0)),
        (Seen([5, 5], 0, 0), 3, 2, Seen([5, 5, 5], 0, 0)),
        (Seen([5, 5], 0, 1), 2, 2, Seen([5, 5], 0, 1)),
    ],
)
def test_pods_of_the_move_itself_do_not_count(seen: Seen, replicas: int, asked: int, before: Seen) -> None:
    assert before_move(seen, replicas, asked) == before
