"""The groups that a pool's lists become: their order, their bounds, and their names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.choices import choices, kept_machines, most_machines, replacing_name
from components.contracts.specs import NodePoolSpec, ReservationSpec
from components.contracts.vocabulary import Capacity, Cloud

ZONES = ("a", "b")
TYPES = ("small", "large")
ALL = (Capacity.RESERVATION, Capacity.ON_DEMAND, Capacity.SPOT)


def pool(*capacity: Capacity, reserved: int = 2, **asked: Any) -> NodePoolSpec:
    """A pool of two machine types, with a reservation where `capacity` has it."""
    reservation = ReservationSpec(machine_type="small", zone="b", machines=reserved)
    known: dict[str, Any] = {"machine_types": TYPES, "min_nodes": 0, "max_nodes": 5} | asked
    named = {"mine": reservation} if Capacity.RESERVATION in capacity else {}
    return NodePoolSpec(capacity=capacity, reservations=named, **known)


def test_an_eks_group_tries_its_machine_types_itself() -> None:
    found = choices(Cloud.AWS, "gpu", pool(*ALL), ZONES)
    assert [(c.rank, c.key, c.machine_types) for c in found] == [
        (0, "gpu-reservation-mine", ("small",)),
        (1, "gpu-on-demand", TYPES),
        (2, "gpu-spot", TYPES),
    ]


def test_a_gke_pool_has_one_machine_type_and_each_is_tried_before_the_next_way_of_buying() -> None:
    found = choices(Cloud.GCP, "gpu", pool(Capacity.SPOT, Capacity.ON_DEMAND), ZONES)
    assert [c.key for c in sorted(found, key=lambda c: c.rank)] == [
        "gpu-spot-small",
        "gpu-spot-large",
        "gpu-on-demand-small",
        "gpu-on-demand-large",
    ]


def test_a_reservation_is_used_where_it_is_and_no_further() -> None:
    reserved, rest = choices(Cloud.AWS, "gpu", pool(Capacity.RESERVATION, Capacity.SPOT), ZONES)
    assert (reserved.zones, reserved.max_nodes, rest.zones, rest.max_nodes) == (("b",), 2, ZONES, 5)


@given(
    cloud=st.sampled_from(Cloud),
    capacity=st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    reserved=st.integers(1, 9),
    least=st.integers(0, 5),
)
def test_the_fewest_machines_are_shared_out_once_and_no_group_outgrows_the_pool(
    cloud: Cloud, capacity: list[Capacity], reserved: int, least: int
) -> None:
    spec = pool(*capacity, reserved=reserved, min_nodes=least)
    found = choices(cloud, "gpu", spec, ZONES)
    assert sum(c.min_nodes for c in found) == min(least, most_machines(spec))
    assert all(c.min_nodes <= c.max_nodes <= spec.max_nodes for c in found)
    assert len({c.key for c in found}) == len(found)
    assert 0 <= kept_machines(spec) <= most_machines(spec) <= spec.max_nodes


@pytest.mark.parametrize(
    ("capacity", "kept"),
    [
        ((Capacity.ON_DEMAND,), 5),
        ((Capacity.ON_DEMAND, Capacity.SPOT), 5),
        ((Capacity.SPOT, Capacity.ON_DEMAND), 0),
        ((Capacity.RESERVATION, Capacity.SPOT), 2),
        ((Capacity.RESERVATION, Capacity.ON_DEMAND), 5),
        ((Capacity.FLEX_START, Capacity.ON_DEMAND), 0),
    ],
)
def test_what_stands_behind_machines_that_are_taken_back_keeps_nothing_up(
    capacity: tuple[Capacity, ...], kept: int
) -> None:
    assert kept_machines(pool(*capacity)) == kept


def test_a_pool_of_reservations_alone_has_no_more_machines_than_they() -> None:
    assert most_machines(pool(Capacity.RESERVATION, reserved=2)) == 2


def test_a_name_changes_with_what_replaces_and_stays_within_its_length() -> None:
    names = {replacing_name("gpu", "x" * 60, replacing=value, max_length=40) for value in ({}, {"a": 1}, {"a": 2})}
    assert len(names) == 3 and all(len(name) <= 40 for name in names)
