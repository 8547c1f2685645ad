"""The autoscaler's calculation: cases of Kubernetes' own tests, and what holds for every course."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.capacity.autoscaler import Autoscaler, Policy, Rules, Seen, Spec, milli, proposal

FREE = Rules(0, (Policy("Percent", 10_000, 15),), "Max", 0.1)


def spec(least: int = 1, most: int = 100, up: Rules = FREE, down: Rules = FREE, **targets: int) -> Spec:
    return Spec(least, most, targets or {"busy": 10_000}, up, down)


# The cases of a measure of pods (…CM) in Kubernetes 1.35.4's replica_calculator_test.go.
@pytest.mark.parametrize(
    ("replicas", "values", "target", "wanted"),
    [
        (3, [20_000, 10_000, 30_000], 15_000, 4),
        (3, [50_000, 10_000, 30_000], 15_000, 6),
        (3, [50_000, 15_000, 30_000], 15_000, 7),
        (5, [12_000] * 5, 20_000, 3),
        (3, [20_000, 21_000, 21_000], 20_000, 3),
    ],
)
def test_a_measure_asks_for_what_kubernetes_asks(replicas: int, values: list[int], target: int, wanted: int) -> None:
    assert proposal(Seen(values), target, replicas, spec()) == wanted


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (Seen([30_000, 30_000], waiting=2), 6),
        (Seen([21_000, 21_000], waiting=2), 4),  # as idle, they are enough within the tolerance
        (Seen([30_000, 30_000], missing=2), 6),
        (Seen([15_000, 15_000], missing=2), 4),  # more would turn into fewer: nothing
        (Seen([5_000, 5_000], missing=2), 3),  # as full, they stay
        (Seen([5_000, 5_000], waiting=2), 1),  # they count for nothing when fewer are asked for
        (Seen([10_000, 10_000], missing=2), 4),
        (Seen([], missing=4), None),
    ],
)
def test_pods_without_a_measure_never_make_it_move_further(seen: Seen, wanted: int | None) -> None:
    assert proposal(seen, 10_000, 4, spec()) == wanted


def test_a_measure_that_cannot_be_read_lets_no_replica_go() -> None:
    asked = spec(busy=10_000, queue=4_000)
    assert Autoscaler(asked).decide(0, 4, {"busy": Seen([1_000] * 4)}) == 4
    assert Autoscaler(asked).decide(0, 4, {"busy": Seen([20_000] * 4)}) == 8


def test_the_measure_that_asks_for_most_decides() -> None:
    seen = {"busy": Seen([1_000] * 2), "queue": Seen([8_000] * 2)}
    assert Autoscaler(spec(busy=10_000, queue=4_000)).decide(0, 2, seen) == 4


def test_half_the_scrapes_lost_let_no_replica_go() -> None:
    # By a sum over all pods, which is all that KEDA hands on, this fleet would be halved.
    assert Autoscaler(spec()).decide(0, 8, {"busy": Seen([10_000] * 4, missing=4)}) == 8


def test_a_fleet_of_none_stays_so() -> None:
    assert Autoscaler(spec()).decide(0, 0, {}) == 0


@pytest.mark.parametrize(("select", "wanted"), [("Max", 8), ("Min", 6), ("Disabled", 4)])
def test_of_two_steps_the_selected_one_binds(select: Any, wanted: int) -> None:
    up = Rules(0, (Policy("Pods", 2, 60), Policy("Percent", 100, 60)), select, 0.1)
    assert Autoscaler(spec(up=up)).decide(0, 4, {"busy": Seen([90_000] * 4)}) == wanted


def test_a_step_counts_what_moved_in_its_period() -> None:
    scaler = Autoscaler(spec(up=Rules(0, (Policy("Pods", 2, 60),), "Max", 0.1)))
    went, replicas = [], 2
    for now in range(0, 121, 15):
        replicas = scaler.decide(now, replicas, {"busy": Seen([90_000] * replicas)})
        went.append(replicas)
    assert went == [4, 4, 4, 4, 6, 6, 6, 6, 8]


def test_fewer_are_asked_for_only_after_the_window() -> None:
    scaler = Autoscaler(spec(down=Rules(120, FREE.policies, "Max", 0.1)))
    assert scaler.decide(0, 4, {"busy": Seen([10_000] * 4)}) == 4
    went = [scaler.decide(now, 4, {"busy": Seen([2_000] * 4)}) for now in range(15, 136, 15)]
    assert went == [4] * 7 + [1, 1]


def test_more_are_asked_for_only_when_a_window_long_wanted() -> None:
    scaler = Autoscaler(spec(up=Rules(30, FREE.policies, "Max", 0.1)))
    assert scaler.decide(0, 4, {"busy": Seen([10_000] * 4)}) == 4
    assert [scaler.decide(now, 4, {"busy": Seen([20_000] * 4)}) for now in (15, 30)] == [4, 8]


rules = st.builds(
    Rules,
    st.sampled_from([0, 15, 60, 300]),
    st.lists(
        st.builds(Policy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 200), st.sampled_from([15, 60, 180])),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.sampled_from(["Max", "Min"]),
    st.just(0.1),
)
seen = st.builds(Seen, st.lists(st.integers(0, 50_000), min_size=1, max_size=8), st.integers(0, 3), st.integers(0, 3))


@given(up=rules, down=rules, course=st.lists(seen, min_size=1, max_size=30), first=st.integers(2, 20))
def test_the_bounds_hold_whatever_is_seen(up: Rules, down: Rules, course: list[Seen], first: int) -> None:
    scaler, replicas = Autoscaler(spec(2, 20, up, down)), first
    for number, each in enumerate(course):
        replicas = scaler.decide(15 * number, replicas, {"busy": each})
        assert 2 <= replicas <= 20


@given(values=st.lists(st.integers(0, 50_000), min_size=1, max_size=8), more=st.integers(0, 50_000), at=st.data())
def test_more_load_never_asks_for_fewer(values: list[int], more: int, at: Any) -> None:
    place = at.draw(st.integers(0, len(values) - 1))
    heavier = [value + more * (number == place) for number, value in enumerate(values)]
    asked = [proposal(Seen(v), 10_000, len(values), spec()) or 0 for v in (values, heavier)]
    assert asked[0] <= asked[1]


@given(course=st.lists(st.integers(0, 40_000), min_size=30, max_size=60), window=st.sampled_from([60, 120, 300]))
def test_nothing_goes_below_what_its_window_asked_for(course: list[int], window: int) -> None:
    asked = spec(down=Rules(window, FREE.policies, "Max", 0.1))
    scaler, replicas, wishes = Autoscaler(asked), 4, []
    for number, value in enumerate(course):
        now, look = 15 * number, {"busy": Seen([value] * replicas)}
        wishes.append((now, scaler.wish(replicas, look) or 0))
        after = scaler.decide(now, replicas, look)
        if after < replicas:
            assert after >= max(wish for at, wish in wishes if at > now - window)
        replicas = after


def test_kubernetes_defaults_stand_where_nothing_is_said() -> None:
    metric = {"name": "busy"}
    told = {
        "maxReplicas": 5,
        "metrics": [
            {"type": "Pods", "pods": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "2800m"}}}
        ],
        "behavior": {"scaleDown": {"selectPolicy": "Min"}},
    }
    read = Spec.of(told)
    assert (read.least, read.targets, read.up.window_seconds) == (1, {"busy": 2800}, 0)
    assert (read.down.window_seconds, read.down.select, read.down.policies) == (
        300,
        "Min",
        (Policy("Percent", 100, 15),),
    )


@pytest.mark.parametrize(
    "metric",
    [
        {"type": "External", "external": {"target": {"type": "AverageValue", "averageValue": "1"}}},
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}},
    ],
)
def test_a_measure_of_another_kind_is_refused(metric: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="not simulated"):
        Spec.of({"maxReplicas": 2, "metrics": [metric], "behavior": {"scaleUp": {}}})


@pytest.mark.parametrize(("text", "thousandths"), [("4", 4000), ("2800m", 2800), (3, 3000), ("0.5", 500)])
def test_quantities_are_read_in_thousandths(text: str | int, thousandths: int) -> None:
    assert milli(text) == thousandths
