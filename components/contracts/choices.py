"""What a pool's lists mean: the groups of machines that a cloud makes of them, in the order in which they are tried.

Not here: how a cloud's autoscaler is told the order (`components.kubernetes.node_autoscaler` on AWS, a compute class
on Google Cloud).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from components.contracts.machines import Machine
from components.contracts.naming import physical_name
from components.contracts.services import CPU
from components.contracts.specs import NodePoolSpec
from components.contracts.vocabulary import SYSTEM_POOL, Capacity, Cloud

TAKEN_BACK: Final = frozenset({Capacity.SPOT, Capacity.FLEX_START})
"""Capacity that the cloud takes back: spot at any time, flex-start after seven days."""
GKE_CRITICAL_PODS_SECONDS: Final = 15
"""What GKE keeps of a spot machine's last seconds for the system's own pods (concepts/spot-vms, 2026-11-21)."""
SPOT_SECONDS: Final = {Cloud.AWS: 110, Cloud.GCP: 120 - GKE_CRITICAL_PODS_SECONDS}
"""What a pod has at most on a spot machine that is taken back.

AWS: of the two minutes' notice, ten seconds until EKS' drain has begun (believed). Google Cloud: of the 120 seconds
that a node pool may ask for, all but what critical pods keep.
"""
EKS_GROUP_NODES_MAX: Final = 100
"""Most nodes of one EKS managed node group: the default quota was 100 and is 450 by now, so that 100 holds anywhere.

EKS user guide, "service quotas", in copies of several years, read on 2026-11-21.
"""


@dataclass(frozen=True)
class Choice:
    """One group of machines of a pool."""

    key: str
    """Names it within the stack: the pool's key, and what tells it from the pool's other groups."""
    rank: int
    """Where it stands in the pool's order; choices of one rank are equal."""
    capacity: Capacity
    machine_types: tuple[str, ...]
    zones: tuple[str, ...]
    min_nodes: int
    max_nodes: int
    reservation: str = ""
    """The reservation's id or name; empty for any other capacity."""


def choices(cloud: Cloud, key: str, spec: NodePoolSpec, zones: Sequence[str]) -> tuple[Choice, ...]:
    """The groups that the pool `key` is made of, first choice first; `zones` are the stack's.

    A way of buying is exhausted with all its machine types before the next one is tried. An EKS node group tries its
    machine types itself; a GKE node pool has one. Both spread over the pool's zones and go where there is stock: no
    pod of the fleet has a volume that would bind it to one.
    """
    found: list[Choice] = []
    left = spec.min_nodes
    for rank, equals in enumerate(_in_order(cloud, key, spec, spec.zones or tuple(zones))):
        for choice in equals:
            found.append(replace(choice, rank=rank, min_nodes=min(left, choice.max_nodes)))
            left -= found[-1].min_nodes
    return tuple(found)


def _in_order(cloud: Cloud, key: str, spec: NodePoolSpec, zones: tuple[str, ...]) -> Iterator[list[Choice]]:
    """Rank by rank; ranks and fewest machines are not set yet."""
    for capacity in spec.capacity:
        whole = Choice(f"{key}-{capacity}", 0, capacity, spec.machine_types, zones, 0, spec.max_nodes)
        if capacity is Capacity.RESERVATION:
            yield [
                replace(
                    whole,
                    key=f"{whole.key}-{name}",
                    machine_types=(reservation.machine_type,),
                    zones=(reservation.zone,),
                    max_nodes=min(spec.max_nodes, reservation.machines),
                    reservation=name,
                )
                for name, reservation in spec.reservations.items()
            ]
        elif cloud is Cloud.AWS:
            yield [whole]
        else:
            for machine_type in spec.machine_types:
                yield [replace(whole, key=f"{whole.key}-{machine_type}", machine_types=(machine_type,))]


def served_on(key: str, machine: Machine) -> str:
    """Which services' replicas the machines of the pool `key` take, by their `accelerator`; none on the system's."""
    if key == SYSTEM_POOL:
        return ""
    return str(machine.accelerator) if machine.accelerator else CPU


def most_machines(spec: NodePoolSpec) -> int:
    """How many machines the pool has at most, over all its choices."""
    return min(spec.max_nodes, _bought(spec, spec.capacity))


def kept_machines(spec: NodePoolSpec) -> int:
    """How many machines the pool fills before it takes one that the cloud takes back."""
    before = []
    for capacity in spec.capacity:
        if capacity in TAKEN_BACK:
            break
        before.append(capacity)
    return min(spec.max_nodes, _bought(spec, before))


def _bought(spec: NodePoolSpec, capacity: Sequence[Capacity]) -> int:
    reserved = sum(reservation.machines for reservation in spec.reservations.values())
    return sum(reserved if each is Capacity.RESERVATION else spec.max_nodes for each in capacity)


def replacing_name(*parts: str, replacing: Any, max_length: int) -> str:
    """A physical name that changes with `replacing`, JSON-like data that a group cannot change in place.

    A group whose name stayed would have to be deleted before its successor is made; with another name the new one
    stands beside it, and takes its pods when it is drained.
    """
    digest = hashlib.sha256(json.dumps(replacing, sort_keys=True).encode()).hexdigest()[:8]
    return f"{physical_name(*parts, max_length=max_length - 9)}-{digest}"
