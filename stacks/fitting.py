"""Whether the pools can hold the fleet: each refusal says what was asked, what a machine has, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.accelerators import NEAREST
from components.contracts.capacity import (
    REPLICA_EXTRA_DISK_GIB,
    ROLLOUT_SURGE,
    Room,
    available,
    disk_of,
    replica,
    replicas_per_machine,
)
from components.contracts.choices import SPOT_SECONDS, kept_machines, most_machines
from components.contracts.machines import MACHINES, Machine
from components.contracts.specs import SHUTDOWN_MARGIN_SECONDS, FleetSpec, NodePoolSpec
from components.contracts.vocabulary import Capacity, Cloud
from stacks.problems import Problem

_LARGER: Final = "or give the pool larger machine_types."


@dataclass(frozen=True)
class _Quantity:
    """One thing that a replica takes: the fleet's setting for it, and how much of it a `Room` has in that unit."""

    setting: str
    asked: Callable[[FleetSpec], int]
    offered: Callable[[Room], int]
    remedy: str


_QUANTITIES: Final = (
    _Quantity(
        "gpus_per_replica",
        lambda fleet: fleet.gpus_per_replica,
        lambda room: room.gpus,
        f"Lower gpus_per_replica, {_LARGER}",
    ),
    _Quantity(
        "vcpus_per_replica",
        lambda fleet: fleet.vcpus_per_replica,
        lambda room: room.cpu_millicores // 1000,
        f"Lower vcpus_per_replica, {_LARGER}",
    ),
    _Quantity(
        "memory_gib_per_replica",
        lambda fleet: fleet.memory_gib_per_replica,
        lambda room: room.memory_mib // 1024,
        f"Lower memory_gib_per_replica, {_LARGER}",
    ),
    _Quantity(
        "repository_gib",
        lambda fleet: fleet.repository_gib,
        lambda room: max(0, room.disk_mib // 1024 - REPLICA_EXTRA_DISK_GIB),
        "Lower repository_gib, or raise the pool's disk_gib; with local_disk, choose larger machine_types.",
    ),
)


def fleet_problems(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> list[Problem]:
    """What no machine, or not enough of them, can hold."""
    rooms = rooms_by_pool(cloud, pools, fleet)
    if not rooms:
        return [_no_such_gpu(cloud, pools, fleet)]
    held = replicas_by_pool(cloud, pools, fleet)
    if not held:
        return _too_large(pools, rooms, fleet)
    most = sum(held.values()) - ROLLOUT_SURGE
    if fleet.max_replicas <= most:
        return []
    return [
        Problem(
            "fleet.max_replicas",
            fleet.max_replicas,
            f"at most {most}: with all machines there is room for {_counted(held)}, and a rollout starts "
            f"{ROLLOUT_SURGE} replica before it stops one",
            "Raise the pool's max_nodes, or lower max_replicas.",
        )
    ]


def spot_problems(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> list[Problem]:
    """A replica that needs longer to end than a spot machine has would drop the requests that it is serving."""
    spot = [key for key in rooms_by_pool(cloud, pools, fleet) if Capacity.SPOT in pools[key].capacity]
    asked, most = fleet.termination_seconds, SPOT_SECONDS[cloud]
    if not spot or asked <= most:
        return []
    return [
        Problem(
            "fleet.exit_timeout_seconds",
            fleet.exit_timeout_seconds,
            f"drain_seconds, exit_timeout_seconds and {SHUTDOWN_MARGIN_SECONDS} that add up to at most {most}, which "
            f"a spot machine has when it is taken back; they are {asked}, and the pool {spot[0]} has spot machines",
            "Lower drain_seconds or exit_timeout_seconds, or take spot out of the pool's capacity.",
        )
    ]


def replicas_by_pool(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> dict[str, int]:
    """How many replicas each pool holds at `max_nodes`, by its key; pools that hold none are left out."""
    rooms = rooms_by_pool(cloud, pools, fleet)
    held = {
        key: replicas_per_machine(fleet.accelerator, room, fleet) * most_machines(pools[key])
        for key, room in rooms.items()
    }
    return {key: replicas for key, replicas in held.items() if replicas}


def kept_replicas(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> int:
    """How many replicas the pools hold before they take a machine that the cloud takes back."""
    return sum(
        replicas_per_machine(fleet.accelerator, room, fleet) * kept_machines(pools[key])
        for key, room in rooms_by_pool(cloud, pools, fleet).items()
    )


def rooms_by_pool(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> dict[str, Room]:
    """What any machine leaves to the fleet, by the key of each pool with the fleet's GPU."""
    return {
        key: Room.least(available(cloud, machine, disk_of(machine, pool), pool.sharing) for machine in machines)
        for key, pool in pools.items()
        if (machines := _machines(cloud, pool)) and all(m.accelerator is fleet.accelerator for m in machines)
    }


def _machines(cloud: Cloud, pool: NodePoolSpec) -> list[Machine]:
    """Those of the pool's machine types that the cloud has."""
    return [MACHINES[cloud][name] for name in pool.machine_types if name in MACHINES[cloud]]


def _no_such_gpu(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> Problem:
    if not any(machine.accelerator is fleet.accelerator for machine in MACHINES[cloud].values()):
        sold = sorted({str(m.accelerator) for m in MACHINES[cloud].values() if m.accelerator})
        allowed = f"{', '.join(sold)}: {cloud} sells no machine with {fleet.accelerator}"
        nearest = NEAREST.get(fleet.accelerator)
        remedy = f"Choose {nearest}, which is nearest to it." if nearest else "Choose one of these."
        return Problem("fleet.accelerator", str(fleet.accelerator), allowed, remedy)
    machines = [machine for pool in pools.values() for machine in _machines(cloud, pool)]
    kinds = sorted({f"{m.accelerators} × {m.accelerator}" for m in machines if m.accelerator})
    return Problem(
        "fleet.accelerator",
        str(fleet.accelerator),
        f"what a machine of some pool carries: {', '.join(kinds) or 'no pool has GPUs'}",
        "Change fleet.accelerator, or add a pool with such machines.",
    )


def _too_large(pools: Mapping[str, NodePoolSpec], rooms: Mapping[str, Room], fleet: FleetSpec) -> list[Problem]:
    """One problem for each quantity that no machine has, or one for all where none has them together."""
    left = {key: f"{_any_of(pools[key])} of the pool {key} leaves {room}" for key, room in rooms.items()}
    problems: list[Problem] = []
    for quantity in _QUANTITIES:
        best = max(rooms, key=lambda key: quantity.offered(rooms[key]))
        most = quantity.offered(rooms[best])
        if quantity.asked(fleet) > most:
            allowed = f"at most {most}: {left[best]}"
            problems.append(Problem(f"fleet.{quantity.setting}", quantity.asked(fleet), allowed, quantity.remedy))
    if problems:
        return problems
    return [Problem("fleet", f"a replica of {replica(fleet)}", "; ".join(left.values()), f"Ask for less, {_LARGER}")]


def _any_of(pool: NodePoolSpec) -> str:
    names = pool.machine_types
    return f"a {names[0]}" if len(names) == 1 else f"any machine ({', '.join(names)})"


def _counted(held: Mapping[str, int]) -> str:
    return " and ".join(f"{replicas} in the pool {key}" for key, replicas in held.items())
