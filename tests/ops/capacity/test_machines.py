"""Where simulated replicas find room, and when they serve."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.contracts.scaling import replica_start_seconds
from ops.capacity.machines import NODE_LOOK_SECONDS, Hosting, Machines

HOSTING = Hosting(per_machine=2, least=0, most=3, repository_gib=10, warm=0, empty_seconds=300)


def begun(hosting: Hosting, replicas: int) -> Machines:
    machines = Machines(hosting)
    machines.begin([f"r{n}" for n in range(replicas)])
    return machines


def start_seconds(machines: Machines, name: str, now: float = 1000.0) -> float:
    machines.ask(name, now)
    return machines.placed[name].serves_at - now


def test_a_replica_without_a_machine_takes_what_the_contracts_say() -> None:
    took = start_seconds(begun(HOSTING, 2), "new")
    assert took == pytest.approx(replica_start_seconds(10) + NODE_LOOK_SECONDS / 2)


def test_a_replica_beside_another_waits_for_its_release_alone() -> None:
    took = start_seconds(begun(HOSTING, 1), "new")
    assert took == HOSTING.fetch_seconds + HOSTING.load_seconds


def test_an_empty_machine_that_stands_has_no_image_yet() -> None:
    took = start_seconds(begun(replace(HOSTING, least=2), 2), "new")
    assert took == HOSTING.image_seconds + HOSTING.fetch_seconds + HOSTING.load_seconds


def test_a_warm_replica_gives_its_place_up_and_is_replaced() -> None:
    machines = begun(replace(HOSTING, per_machine=1, warm=1), 1)
    assert start_seconds(machines, "new") == HOSTING.fetch_seconds + HOSTING.load_seconds
    machines.look(1000)
    assert sum(machine.warm for machine in machines.machines) == 1 and len(machines.machines) == 3
    assert machines.count(1000) == 2 and machines.count(1000 + HOSTING.machine_seconds) == 3


def test_replicas_that_no_pool_has_room_for_wait_until_there_is_some() -> None:
    machines = begun(HOSTING, 6)
    machines.ask("new", 1000)
    assert "new" not in machines.placed
    machines.release("r0", 2000)
    machines.look(2000)
    assert machines.placed["new"].runs_at > 2000


def test_the_second_replica_waits_for_the_image_that_the_first_pulls() -> None:
    machines = begun(HOSTING, 0)
    assert start_seconds(machines, "a") == start_seconds(machines, "b")
    assert len(machines.machines) == 1


@pytest.mark.parametrize(("least", "left"), [(0, 0), (1, 1)])
def test_empty_machines_go_after_their_while_but_the_fewest_stay(least: int, left: int) -> None:
    machines = begun(replace(HOSTING, least=least, per_machine=1), 1)
    machines.release("r0", 1000)
    machines.look(1299)
    assert len(machines.machines) == 1
    machines.look(1300)
    assert len(machines.machines) == left
