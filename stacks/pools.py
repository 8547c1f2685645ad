"""What each pool by itself must satisfy on its cloud; whether the pools hold the fleet is `stacks.fitting`'s."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from components.contracts.choices import EKS_GROUP_NODES_MAX
from components.contracts.machines import MACHINES
from components.contracts.specs import NodePoolSpec
from components.contracts.vocabulary import Capacity, Cloud
from stacks.problems import Problem

_RESERVATION: Final = {
    Cloud.AWS: (re.compile(r"^cr-[0-9a-f]{17}$"), "a Capacity Reservation's id, as cr-0123456789abcdef0"),
    Cloud.GCP: (re.compile(r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"), "the name of a reservation of the project"),
}


def pool_problems(cloud: Cloud, pools: Mapping[str, NodePoolSpec], zones: Sequence[str]) -> list[Problem]:
    """What is wrong with the pools' machine types, ways of buying, reservations and numbers."""
    checks = (_type_problems, _capacity_problems, _reservation_problems, _disk_problems)
    return [
        problem
        for key, pool in pools.items()
        for check in checks
        for problem in check(cloud, f"pools.{key}", pool, zones)
    ]


def _type_problems(cloud: Cloud, path: str, pool: NodePoolSpec, _: Sequence[str]) -> Iterator[Problem]:
    known = MACHINES[cloud]
    unknown = [name for name in pool.machine_types if name not in known]
    for name in unknown:
        yield Problem(f"{path}.machine_types", name, ", ".join(sorted(known)), "Choose one of these.")
    carried = {
        name: (known[name].accelerators, known[name].accelerator) for name in pool.machine_types if name in known
    }
    if len(set(carried.values())) > 1:
        # The autoscaler takes a group's machines for equal, and max_nodes would say nothing of GPUs.
        shown = ", ".join(f"{name}: {count} × {kind or 'no GPU'}" for name, (count, kind) in carried.items())
        yield Problem(
            f"{path}.machine_types",
            shown,
            "machine types with the same number of the same GPU",
            "Make a pool for each kind.",
        )


def _capacity_problems(cloud: Cloud, path: str, pool: NodePoolSpec, _: Sequence[str]) -> Iterator[Problem]:
    gpus = any(MACHINES[cloud][name].accelerator for name in pool.machine_types if name in MACHINES[cloud])
    if cloud is Cloud.AWS and Capacity.FLEX_START in pool.capacity:
        yield Problem(
            f"{path}.capacity",
            str(Capacity.FLEX_START),
            "reservation, on-demand, spot: flex-start is Google Cloud's",
            "Reserve the machines (a future-dated Capacity Reservation), and name it under reservations.",
        )
    if cloud is Cloud.AWS and pool.max_nodes > EKS_GROUP_NODES_MAX:
        yield Problem(
            f"{path}.max_nodes",
            pool.max_nodes,
            f"at most {EKS_GROUP_NODES_MAX}: the nodes of one EKS node group",
            "Make a second pool.",
        )
    if not gpus and (len(pool.capacity) > 1 or len(pool.machine_types) > 1 or len(pool.reservations) > 1):
        # max_nodes holds over several choices by the quota on GPUs alone.
        yield Problem(
            f"{path}.capacity",
            f"{', '.join(pool.capacity)} with {', '.join(pool.machine_types)}",
            "one machine type and one way of buying it for a pool without GPUs",
            "Leave the first of each.",
        )
    if not gpus and Capacity.FLEX_START in pool.capacity and cloud is Cloud.GCP:
        yield Problem(
            f"{path}.capacity",
            str(Capacity.FLEX_START),
            "reservation, on-demand or spot for a pool without GPUs",
            "Choose on-demand: flex-start machines go after seven days.",
        )


def _disk_problems(cloud: Cloud, path: str, pool: NodePoolSpec, _: Sequence[str]) -> Iterator[Problem]:
    if not pool.local_disk:
        return
    bring = sorted(name for name, machine in MACHINES[cloud].items() if machine.nvme_gib)
    without = [name for name in pool.machine_types if name in MACHINES[cloud] and name not in bring]
    if without:
        allowed = f"machine types that bring NVMe: {', '.join(bring)}; {', '.join(without)} brings none"
        yield Problem(f"{path}.local_disk", True, allowed, "Leave local_disk out, or choose one of these.")


def _reservation_problems(cloud: Cloud, path: str, pool: NodePoolSpec, zones: Sequence[str]) -> Iterator[Problem]:
    pattern, allowed = _RESERVATION[cloud]
    for name, reservation in pool.reservations.items():
        own = f"{path}.reservations.{name}"
        if not pattern.match(name):
            yield Problem(own, name, allowed, "Write it as the cloud shows it.")
        if reservation.machine_type not in pool.machine_types:
            yield Problem(
                f"{own}.machine_type",
                reservation.machine_type,
                f"one of the pool's: {', '.join(pool.machine_types)}",
                "Add it to the pool's machine_types.",
            )
        within = pool.zones or zones
        if reservation.zone not in within:
            yield Problem(
                f"{own}.zone",
                reservation.zone,
                f"one of the pool's zones: {', '.join(within)}",
                "Add the zone, or name a reservation that is in one of these.",
            )
