"""How many replicas of a service fit on a machine: what it has, less what its system keeps, by what a replica takes.

Not here: quotas, and whether the cloud has such a machine to give. Each figure errs to the side of too little room.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Final

from components.contracts.accelerators import shares
from components.contracts.machines import Machine
from components.contracts.services import ServiceSpec
from components.contracts.specs import NodePoolSpec, SharingSpec
from components.contracts.vocabulary import Cloud

REPLICA_EXTRA_DISK_GIB: Final = 1
"""Logs and scratch of a replica, beside its release."""
IMAGES_GIB: Final = 25
"""Disk that the images on a GPU machine take, unpacked. Believed: Triton's own is by far the largest."""

GKE_PODS_PER_NODE: Final = 64
"""For each machine GKE reserves twice as many addresses: a /25."""
GKE_NODES_MAX: Final = 256
"""How many /25s the pods' half of the stack's /16 has."""

_UNBOUNDED: Final = math.inf
_CPU_KEPT: Final = ((1, 0.06), (1, 0.01), (2, 0.005), (_UNBOUNDED, 0.0025))
"""The part of each vCPU, in order, that the kubelet keeps, on GKE and on EKS alike.

GKE: cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes. EKS: Bottlerocket's `kube_reserve_cpu`, which
is the EKS AMI's formula (bottlerocket-os/bottlerocket-core-kit, kubelet-config of 1.33). Both read in November 2026.
"""
_GKE_MEMORY_KEPT: Final = ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06), (_UNBOUNDED, 0.02))
"""The part of each GiB, in order, that the kubelet keeps on GKE (plan-node-sizes, as above)."""
_EVICTION_MIB: Final = 100
"""The kubelet's hard eviction threshold of memory: its default, and GKE's."""
_NODEFS_KEPT: Final = 0.10
"""The kubelet's hard eviction threshold of disk: its default, and GKE's."""
_IMAGEFS_KEPT: Final = 0.15
"""Below this part of free disk the kubelet removes pods to save images: its default."""
_EKS_MEMORY_SEEN: Final = 0.925
"""The part of an EC2 machine's memory that its kernel sees, at least: Karpenter's `vm-memory-overhead-percent`.

karpenter.sh/docs/reference/settings, read in November 2026.
"""
_EKS_MEMORY_KEPT_MIB: Final = (255, 11)
"""What the kubelet keeps on EKS: a base, and this much for each pod that may run there (Bottlerocket, as above)."""
_EKS_DISK_KEPT_GIB: Final = 1
"""`ephemeral-storage` of Bottlerocket's `kubeReserved` (kubelet-config, as above)."""
_EKS_DISK_SEEN: Final = 0.89
"""The part of a data volume that its file system offers, at least: 17.8 of 20 GiB were seen on Bottlerocket.

github.com/aws/aws-k8s-tester, pull request 471 of August 2024; larger volumes are believed to lose a smaller part.
"""


@dataclass(frozen=True)
class Room:
    """What a machine offers to pods, or what a pod takes."""

    gpus: int
    cpu_millicores: int
    memory_mib: int
    disk_mib: int

    def __str__(self) -> str:
        return (
            f"{self.gpus} {'GPU' if self.gpus == 1 else 'GPUs'}, {self.cpu_millicores / 1000:.2f} vCPUs, "
            f"{self.memory_mib / 1024:.1f} GiB of memory and {self.disk_mib / 1024:.1f} GiB of disk"
        )

    def less(self, other: Room) -> Room:
        """What is left when `other` is taken away; never less than nothing."""
        return Room(*(max(0, mine - taken) for mine, taken in zip(astuple(self), astuple(other), strict=True)))

    def times(self, count: int) -> Room:
        """`count` of it together."""
        return Room(*(count * each for each in astuple(self)))

    @classmethod
    def least(cls, rooms: Iterable[Room]) -> Room:
        """What any of `rooms` offers: the smallest amount of each quantity."""
        return cls(*map(min, zip(*map(astuple, rooms), strict=True)))

    def holds(self, each: Room) -> int:
        """How many of `each` fit in side by side."""
        return min(mine // taken for mine, taken in zip(astuple(self), astuple(each), strict=True) if taken)


DAEMONS: Final[Mapping[Cloud, Room]] = {
    Cloud.AWS: Room(0, 200, 256, 0),
    Cloud.GCP: Room(0, 600, 1024, 0),
}
"""What pods that run on every machine take of it, by their requests.

AWS: the add-ons of `components.aws.cluster` (network 50m, proxy 100m; believed) and some to spare. Google Cloud: 384m
and 626 MiB were seen on a node of GKE 1.36 (github.com/camunda/camunda, chaos day of 8 October 2026); the rest is for
Dataplane V2's agent and the GPU's device plugin (believed).
"""


def disk_of(machine: Machine, pool: NodePoolSpec) -> int:
    """GiB of the disk that holds images and pods' data on a machine of `pool`."""
    return machine.nvme_gib if pool.local_disk else pool.disk_gib


def allocatable(cloud: Cloud, machine: Machine, disk_gib: int, sharing: SharingSpec | None = None) -> Room:
    """What the scheduler may give to pods, a new node's `status.allocatable`; a share of a GPU counts as one."""
    gpus = machine.accelerators * shares(machine.accelerator, sharing)
    cpu = 1000 * machine.vcpus - math.ceil(1000 * _kept(machine.vcpus, _CPU_KEPT))
    memory = _eks_memory_mib(machine) if cloud is Cloud.AWS else _gke_memory_mib(machine)
    return Room(gpus, cpu, max(0, memory), max(0, _allocatable_disk_mib(cloud, disk_gib)))


def available(cloud: Cloud, machine: Machine, disk_gib: int, sharing: SharingSpec | None = None) -> Room:
    """What is left to the fleet on a machine, beside the pods that run on each and the images on its disk."""
    free = allocatable(cloud, machine, disk_gib, sharing).less(DAEMONS[cloud])
    beside_images = _disk_seen_gib(cloud, disk_gib) * (1 - _IMAGEFS_KEPT) - IMAGES_GIB
    disk = min(free.disk_mib, max(0, math.floor(1024 * beside_images)))
    return Room(free.gpus, free.cpu_millicores, free.memory_mib, disk)


FETCH_MILLICORES: Final = 1000
"""For hashing beside what comes in: one core hashes about 1.5 GB/s with SHA instructions (believed)."""
FETCH_MEMORY_MIB: Final = 512
"""For the SDK and eight open requests, which hand on what they read in pieces of at most 1 MiB."""


def server(service: ServiceSpec) -> Room:
    """What the serving container asks for."""
    return Room(
        gpus=service.gpus,
        cpu_millicores=1000 * service.vcpus_per_replica,
        memory_mib=1024 * service.memory_gib_per_replica,
        disk_mib=1024 * (service.repository_gib + REPLICA_EXTRA_DISK_GIB),
    )


def fetcher(service: ServiceSpec) -> Room:
    """What the init container asks for that fetches the release."""
    disk_mib = 1024 * (service.repository_gib + REPLICA_EXTRA_DISK_GIB)
    return Room(gpus=0, cpu_millicores=FETCH_MILLICORES, memory_mib=FETCH_MEMORY_MIB, disk_mib=disk_mib)


def replica(service: ServiceSpec) -> Room:
    """What one replica asks for: of each thing, the more of its init container and its server.

    One ends before the other begins (kubernetes.io/docs/concepts/workloads/pods/init-containers, "Resource sharing
    within containers", read 2026-11-21).
    """
    pairs = zip(astuple(fetcher(service)), astuple(server(service)), strict=True)
    return Room(*(max(pair) for pair in pairs))


def _kept(amount: float, brackets: tuple[tuple[float, float], ...]) -> float:
    """The sum of each bracket's part: `((4, 0.25), (4, 0.2))` is a quarter of the first 4 and a fifth of 4 more."""
    kept = 0.0
    for width, part in brackets:
        inside = min(max(amount, 0.0), width)
        kept += inside * part
        amount -= inside
    return kept


def _eks_memory_mib(machine: Machine) -> int:
    base, each_pod = _EKS_MEMORY_KEPT_MIB
    seen = math.floor(1024 * machine.memory_gib * _EKS_MEMORY_SEEN)
    return seen - base - each_pod * machine.eks_max_pods - _EVICTION_MIB


def _gke_memory_mib(machine: Machine) -> int:
    """As GKE's autoscaler estimates a node before it exists, with a little more for the kernel.

    kubernetes/autoscaler, cloudprovider/gce/gce_reserved.go at 0be995d: 1/64, 16 MiB and 64 MiB, and 0.175 % found by
    statistics. Two nodes with kernel 6.12 took up to 23 MiB more, so 0.5 % stand here.
    """
    physical = 1024 * machine.memory_gib
    seen = physical - physical / 64 - 16 - 64 - 0.005 * physical
    return math.floor(seen - 1024 * _kept(seen / 1024, _GKE_MEMORY_KEPT)) - _EVICTION_MIB


def _disk_seen_gib(cloud: Cloud, disk_gib: int) -> float:
    """What the file system that pods and images share offers. A machine's own NVMe loses no larger part: GKE keeps 50
    to 100 GiB of it, and its file system 7 GiB of 375 (gce_reserved.go at 55c37cd; plan-node-sizes).

    Google Cloud: less Container-Optimized OS' own partitions, as GKE's autoscaler estimates them (gce_reserved.go).
    """
    if cloud is Cloud.AWS:
        return disk_gib * _EKS_DISK_SEEN
    return disk_gib - 0.015635 * disk_gib - 4.148 - min(100 / 1024, 0.001 * disk_gib)


def _allocatable_disk_mib(cloud: Cloud, disk_gib: int) -> int:
    """Google Cloud: the least of half the disk, 35 % and 6 GiB, and 100 GiB is the system's (plan-node-sizes)."""
    seen = _disk_seen_gib(cloud, disk_gib)
    kept = _EKS_DISK_KEPT_GIB if cloud is Cloud.AWS else min(0.5 * disk_gib, 6 + 0.35 * disk_gib, 100)
    return math.floor(1024 * (seen * (1 - _NODEFS_KEPT) - kept))
