"""The autoscaler's measures on a simulated fleet: what swings, and what comes to rest."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from components.contracts.scaling import ScalingSpec, replica_start_seconds
from components.contracts.serving import PENDING_REQUESTS_METRIC
from ops.capacity.autoscaler import Spec
from ops.capacity.course import course
from ops.capacity.load import Fleet, Phase, Profile, Server, day, needed
from ops.capacity.machines import Hosting
from ops.capacity.simulate import Moment, simulate
from ops.plan.planner import plan_stack
from ops.rehearse.judging import Bounds, findings

SERVER = Server(requests_at_once=4, service_seconds=0.4)
"""Ten requests a second."""
START = replica_start_seconds(10)


def moments(spec: dict[str, Any], profile: Profile, seed: int = 8, start_seconds: float = START) -> list[Moment]:
    """The course where each replica has a machine of its own, and serves so long after it was asked for."""
    hosting = Hosting(
        1, 0, 100, 0, 0, empty_seconds=0, machine_seconds=start_seconds, image_seconds=0, load_seconds=0
    )
    return list(simulate(Spec.of(spec), profile, SERVER, hosting, seed=seed).moments)


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """The production fleet's autoscaler."""
    (found,) = (r for r in plan_stack("prod-aws").resources if r.type.endswith(":HorizontalPodAutoscaler"))
    return dict(found.inputs["spec"])


@pytest.fixture(scope="module")
def queue_only(spec: dict[str, Any]) -> dict[str, Any]:
    """The same by the queue alone, with the windows that it had."""
    changed = copy.deepcopy(spec)
    changed["metrics"] = [m for m in spec["metrics"] if m["pods"]["metric"]["name"] == PENDING_REQUESTS_METRIC]
    step = [{"type": "Pods", "value": 2, "periodSeconds": 15}]
    changed["behavior"] = {
        "scaleUp": {"stabilizationWindowSeconds": 0, "policies": step},
        "scaleDown": {"stabilizationWindowSeconds": 90, "policies": step},
    }
    return changed


def test_short_looks_bring_no_more_requests_than_long_ones() -> None:
    served = []
    for looks in (10_000, 100):
        fleet = Fleet(SERVER)
        fleet.ready(["a", "b", "c"])
        for _ in range(looks):
            fleet.serve(20, 1000 / looks)
        served.append(sum(replica.served for replica in fleet.replicas.values()) + fleet.pending)
    assert served == pytest.approx([20_000, 20_000], rel=0.03)


def steady(rps: float) -> Profile:
    return Profile((Phase("steady", 3600.0, rps, rps),))


def test_the_queue_alone_swings_at_a_steady_load_that_needs_eight(queue_only: Any) -> None:
    samples = moments(queue_only, steady(75), start_seconds=20)
    went = course([s.wanted for s in samples if s.at >= 900])
    assert went.amplitude >= 3 and went.reversals >= 10


@pytest.mark.parametrize("start_seconds", [20, START])
def test_busy_time_comes_to_rest_at_the_same_load(spec: Any, start_seconds: int) -> None:
    samples = moments(spec, steady(75), start_seconds=start_seconds)
    went = course([s.wanted for s in samples if s.at >= 1800])
    want = needed(75, SERVER, ScalingSpec().busy_percent)
    assert went.amplitude <= 1 and abs(went.most - want) <= 1


@pytest.mark.parametrize(("low", "high"), [(1, 2), (2, 4), (3, 12), (1, 10)])
def test_a_crowd_needs_more_replicas_than_the_steady_while(low: int, high: int) -> None:
    percent = ScalingSpec().busy_percent
    ramp, steady, crowd, quiet = (
        needed(p.last_rps, SERVER, percent) for p in day(SERVER, percent, low, high, (1, 1, 1, 1)).phases
    )
    assert quiet == low and ramp == steady < crowd == high


@pytest.mark.parametrize("seed", range(5))
def test_the_fleet_follows_a_whole_day(spec: Any, seed: int) -> None:
    low, high = spec["minReplicas"], spec["maxReplicas"]
    profile = day(SERVER, 70, low, high, (2400, 3600, 2400, 3600))
    samples = moments(spec, profile, seed)
    window = spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"]
    bounds = Bounds(low, high, 70, 4, START + 300, window)
    assert [f for f in findings(samples, profile, SERVER, bounds) if not f.ok] == []
