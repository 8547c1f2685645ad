"""Whether the pools can hold the fleet: each refusal says what was asked, what a machine has, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final

from components.contracts.accelerators import NEAREST
from components.contracts.capacity import (
    REPLICA_EXTRA_DISK_GIB,
    Room,
    available,
    disk_of,
    replica,
)
from components.contracts.choices import SPOT_SECONDS, kept_machines, most_machines, served_on
from components.contracts.machines import MACHINES, Machine
from components.contracts.scaling import ROLLOUT_SURGE
from components.contracts.services import CPU, SHUTDOWN_MARGIN_SECONDS, ServiceSpec
from components.contracts.specs import FleetSpec, NodePoolSpec
from components.contracts.vocabulary import SYSTEM_POOL, Capacity, Cloud
from stacks.gpu_memory import gpu_memory_problems
from stacks.problems import Problem

_LARGER: Final = "or give the pool larger machine_types."


@dataclass(frozen=True)
class _Quantity:
    """One thing that a replica takes: the service's setting for it, and how much of it a `Room` has in that unit."""

    setting: str
    asked: Callable[[ServiceSpec], int]
    offered: Callable[[Room], int]
    remedy: str


_QUANTITIES: Final = (
    _Quantity(
        "gpus_per_replica",
        lambda service: service.gpus,
        lambda room: room.gpus,
        f"Lower gpus_per_replica, {_LARGER}",
    ),
    _Quantity(
        "vcpus_per_replica",
        lambda service: service.vcpus_per_replica,
        lambda room: room.cpu_millicores // 1000,
        f"Lower vcpus_per_replica, {_LARGER}",
    ),
    _Quantity(
        "memory_gib_per_replica",
        lambda service: service.memory_gib_per_replica,
        lambda room: room.memory_mib // 1024,
        f"Lower memory_gib_per_replica, {_LARGER}",
    ),
    _Quantity(
        "repository_gib",
        lambda service: service.repository_gib,
        lambda room: max(0, room.disk_mib // 1024 - REPLICA_EXTRA_DISK_GIB),
        "Lower repository_gib, or raise the pool's disk_gib; with local_disk, choose larger machine_types.",
    ),
)


@dataclass(frozen=True)
class Packing:
    """Where replicas go when machines are filled one after the other, the largest replicas first."""

    replicas: Mapping[str, Mapping[str, int]]
    """Service → pool → replicas; what found no room is left out."""
    machines: Mapping[str, int]
    """Pool → machines that have a replica."""

    def placed(self, service: str) -> int:
        """How many of a service's replicas found room."""
        return sum(self.replicas[service].values())


def packed(
    cloud: Cloud,
    pools: Mapping[str, NodePoolSpec],
    wanted: Sequence[tuple[str, ServiceSpec, int]],
    machines: Callable[[NodePoolSpec], int],
) -> Packing:
    """Fill the pools' machines with replicas, service by service as `wanted` has them: name, spec, how many.

    Args:
        machines: how many of a pool's machines may be filled.
    """
    bins: dict[str, list[tuple[Room, int]]] = {}
    found: dict[str, dict[str, int]] = {}
    used: dict[str, int] = dict.fromkeys(pools, 0)
    for name, service, count in wanted:
        found[name], left = {}, count
        for key, room in rooms_by_pool(cloud, pools, service).items():
            filled = bins.setdefault(key, [(room, machines(pools[key]))])
            bins[key], placed = _filled(filled, replica(service), left)
            if placed:
                found[name][key] = placed
            left -= placed
            used[key] = sum(machines for left_over, machines in bins[key] if left_over != room)
    return Packing(found, used)


def _filled(bins: Sequence[tuple[Room, int]], each: Room, count: int) -> tuple[list[tuple[Room, int]], int]:
    """Machines by what is left of them, after up to `count` pods of `each` went in; and how many did."""
    after: list[tuple[Room, int]] = []
    placed = 0
    # Those that are in use already come first: an empty machine is one that need not run.
    for room, machines in sorted(bins, key=lambda item: astuple(item[0])):
        fit = room.holds(each)
        whole, rest = divmod(count - placed, fit) if fit else (0, 0)
        whole = min(machines, whole)
        rest = rest if whole < machines else 0
        if whole:
            after.append((room.less(each.times(fit)), whole))
        if rest:
            after.append((room.less(each.times(rest)), 1))
        untouched = machines - whole - bool(rest)
        if untouched:
            after.append((room, untouched))
        placed += whole * fit + rest
    return after, placed


def largest_first(fleet: FleetSpec) -> list[tuple[str, ServiceSpec]]:
    """The services in the order in which they are given room."""
    return sorted(fleet.services.items(), key=lambda item: astuple(replica(item[1])), reverse=True)


def fleet_problems(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> list[Problem]:
    """What no machine can hold; else what not enough of them can, all services together."""
    problems = [
        problem for name, service in fleet.services.items() for problem in _alone(cloud, pools, name, service)
    ]
    if problems:
        return problems
    problems = gpu_memory_problems(
        {
            name: (service, [pools[key].sharing for key in replicas_by_pool(cloud, pools, service)])
            for name, service in fleet.services.items()
        }
    )
    if problems:
        return problems
    wanted = [(name, service, service.most_replicas) for name, service in largest_first(fleet)]
    packing = packed(cloud, pools, wanted, most_machines)
    return [
        _too_many(cloud, pools, name, service, [each for each in wanted if each[0] != name])
        for name, service, count in wanted
        if packing.placed(name) < count
    ]


def _alone(cloud: Cloud, pools: Mapping[str, NodePoolSpec], name: str, service: ServiceSpec) -> list[Problem]:
    rooms = rooms_by_pool(cloud, pools, service)
    if not rooms:
        return [_no_such_machine(cloud, pools, name, service)]
    return [] if replicas_by_pool(cloud, pools, service) else _too_large(pools, rooms, name, service)


def _too_many(
    cloud: Cloud,
    pools: Mapping[str, NodePoolSpec],
    name: str,
    service: ServiceSpec,
    others: Sequence[tuple[str, ServiceSpec, int]],
) -> Problem:
    """How many replicas there is room for beside the other services' most."""
    packing = packed(cloud, pools, [*others, (name, service, service.most_replicas)], most_machines)
    room = packing.placed(name)
    most = next((m for m in range(service.max_replicas, 0, -1) if _most(service, m) <= room), 0)
    beside = f", beside {' and '.join(other for other, _, _ in others)} at their most" if others else ""
    return Problem(
        f"fleet.services.{name}.max_replicas",
        service.max_replicas,
        f"at most {most}: with all machines there is room for {_counted(packing.replicas[name])}{beside}, and "
        f"{_extras(service)}",
        "Raise the pool's max_nodes, or lower max_replicas.",
    )


def _most(service: ServiceSpec, max_replicas: int) -> int:
    return service.most_replicas - service.rolled(service.max_replicas) + service.rolled(max_replicas)


def _extras(service: ServiceSpec) -> str:
    """What runs beside `max_replicas`, in words."""
    extra = service.rolled(service.max_replicas) - service.max_replicas
    told = [f"a rollout starts {extra} {'replica' if extra == 1 else 'replicas'} before it stops one"]
    challengers = sum(each.max_replicas + ROLLOUT_SURGE for each in service.challengers.values())
    told += [f"challengers take {challengers} with their own rollouts"] if challengers else []
    told += [f"{service.warm_replicas} are kept warm"] if service.warm_replicas else []
    return ", ".join(told)


def spot_problems(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> list[Problem]:
    """A replica that needs longer to end than a spot machine has would drop the requests that it is serving."""
    problems: list[Problem] = []
    for name, service in fleet.services.items():
        spot = [key for key in rooms_by_pool(cloud, pools, service) if Capacity.SPOT in pools[key].capacity]
        asked, most = service.termination_seconds, SPOT_SECONDS[cloud]
        if not spot or asked <= most:
            continue
        problems.append(
            Problem(
                f"fleet.services.{name}.exit_timeout_seconds",
                service.exit_timeout_seconds,
                f"drain_seconds, exit_timeout_seconds and {SHUTDOWN_MARGIN_SECONDS} that add up to at most {most}, "
                f"which a spot machine has when it is taken back; they are {asked}, and the pool {spot[0]} has spot "
                "machines",
                "Lower drain_seconds or exit_timeout_seconds, or take spot out of the pool's capacity.",
            )
        )
    return problems


def replicas_by_pool(cloud: Cloud, pools: Mapping[str, NodePoolSpec], service: ServiceSpec) -> dict[str, int]:
    """How many replicas of a service each pool holds at `max_nodes`, by its key; pools without room are left out."""
    held = {
        key: room.holds(replica(service)) * most_machines(pools[key])
        for key, room in rooms_by_pool(cloud, pools, service).items()
    }
    return {key: replicas for key, replicas in held.items() if replicas}


def kept(cloud: Cloud, pools: Mapping[str, NodePoolSpec], fleet: FleetSpec) -> dict[str, int]:
    """How many of each service's fewest replicas find room before machines that the cloud takes back."""
    wanted = [(name, service, service.min_replicas) for name, service in largest_first(fleet)]
    packing = packed(cloud, pools, wanted, kept_machines)
    return {name: packing.placed(name) for name in fleet.services}


def rooms_by_pool(cloud: Cloud, pools: Mapping[str, NodePoolSpec], service: ServiceSpec) -> dict[str, Room]:
    """What any machine leaves to services, by the key of each pool that serves on the service's accelerator."""
    return {
        key: Room.least(available(cloud, machine, disk_of(machine, pool), pool.sharing) for machine in machines)
        for key, pool in pools.items()
        if (machines := _machines(cloud, pool))
        and all(served_on(key, machine) == str(service.accelerator) for machine in machines)
    }


def _machines(cloud: Cloud, pool: NodePoolSpec) -> list[Machine]:
    """Those of the pool's machine types that the cloud has."""
    return [MACHINES[cloud][name] for name in pool.machine_types if name in MACHINES[cloud]]


def _no_such_machine(cloud: Cloud, pools: Mapping[str, NodePoolSpec], name: str, service: ServiceSpec) -> Problem:
    path, gpu = f"fleet.services.{name}.accelerator", service.gpu
    if gpu is None:
        allowed = f"what a machine of some pool beside {SYSTEM_POOL} carries: all of them have GPUs"
        return Problem(path, CPU, allowed, f"Add a pool of machines without GPUs; {SYSTEM_POOL} serves nothing.")
    if not any(machine.accelerator is gpu for machine in MACHINES[cloud].values()):
        sold = sorted({str(m.accelerator) for m in MACHINES[cloud].values() if m.accelerator})
        allowed = f"{', '.join(sold)}: {cloud} sells no machine with {gpu}"
        nearest = NEAREST.get(gpu)
        remedy = f"Choose {nearest}, which is nearest to it." if nearest else "Choose one of these."
        return Problem(path, str(gpu), allowed, remedy)
    machines = [machine for pool in pools.values() for machine in _machines(cloud, pool)]
    kinds = sorted({f"{m.accelerators} × {m.accelerator}" for m in machines if m.accelerator})
    return Problem(
        path,
        str(gpu),
        f"what a machine of some pool carries: {', '.join(kinds) or 'no pool has GPUs'}",
        f"Change {path}, or add a pool with such machines.",
    )


def _too_large(
    pools: Mapping[str, NodePoolSpec], rooms: Mapping[str, Room], name: str, service: ServiceSpec
) -> list[Problem]:
    """One problem for each quantity that no machine has, or one for all where none has them together."""
    left = {key: f"{_any_of(pools[key])} of the pool {key} leaves {room}" for key, room in rooms.items()}
    problems: list[Problem] = []
    path = f"fleet.services.{name}"
    for quantity in _QUANTITIES:
        best = max(rooms, key=lambda key: quantity.offered(rooms[key]))
        most = quantity.offered(rooms[best])
        if quantity.asked(service) > most:
            allowed = f"at most {most}: {left[best]}"
            problems.append(Problem(f"{path}.{quantity.setting}", quantity.asked(service), allowed, quantity.remedy))
    if problems:
        return problems
    asked = f"a replica of {replica(service)}"
    return [Problem(path, asked, "; ".join(left.values()), f"Ask for less, {_LARGER}")]


def _any_of(pool: NodePoolSpec) -> str:
    names = pool.machine_types
    return f"a {names[0]}" if len(names) == 1 else f"any machine ({', '.join(names)})"


def _counted(held: Mapping[str, int]) -> str:
    return " and ".join(f"{replicas} in the pool {key}" for key, replicas in held.items())
