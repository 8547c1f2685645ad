"""Room on machines: never more than real nodes had, larger where the machine is, and used up exactly."""

from __future__ import annotations

import gzip
import importlib.resources
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.accelerators import MODELS
from components.contracts.capacity import IMAGES_GIB, Room, allocatable, available, replica
from components.contracts.machines import MACHINES, Machine
from components.contracts.services import ServiceSpec
from components.contracts.vocabulary import Accelerator, Cloud
from components.kubernetes import triton
from tests.components.contracts.services import services

CLOUDS = st.sampled_from(Cloud)
DISKS = st.integers(30, 16000)
MOST_PODS = st.integers(0, 250)
L4_MACHINES = st.builds(
    Machine,
    vcpus=st.integers(1, 256),
    memory_gib=st.integers(1, 4096),
    accelerator=st.just(Accelerator.L4),
    accelerators=st.integers(1, 16),
    eks_max_pods=MOST_PODS,
)
SERVICES = services(
    accelerator=st.just(Accelerator.L4),
    gpus_per_replica=st.integers(1, 8),
    vcpus_per_replica=st.integers(1, 64),
    memory_gib_per_replica=st.integers(1, 512),
    repository_gib=st.integers(1, 500),
)

SEEN = {
    # github.com/aws/aws-k8s-tester, pull request 471: Bottlerocket on g5.8xlarge, EKS 1.29, August 2024
    "g5.8xlarge": (Cloud.AWS, Machine(32, 128, eks_max_pods=234), 20, 31850, 127462076, 16129875940),
    # github.com/camunda/camunda, chaos day of 8 October 2026: GKE 1.36
    "n2-standard-4": (Cloud.GCP, Machine(4, 16), 100, 3920, 13591652, 47060071478),
    # github.com/2i2c-org/infrastructure, issue 2121: GKE 1.25, March 2023
    "n2-highmem-4": (Cloud.GCP, Machine(4, 32), 100, 3920, 29085928, 47060071478),
    "n2-highmem-16": (Cloud.GCP, Machine(16, 128), 100, 15890, 122210676, 47060071478),
    "n2-highmem-64": (Cloud.GCP, Machine(64, 512), 100, 63770, 510603916, 47060071478),
}
"""Machine → its sizes and disk (GiB), and what a real node said was allocatable: millicores, KiB, bytes of disk."""


@pytest.mark.parametrize("name", SEEN)
def test_no_more_is_promised_than_a_real_node_had(name: str) -> None:
    cloud, machine, disk_gib, cpu, memory_kib, disk_bytes = SEEN[name]
    room = allocatable(cloud, machine, disk_gib)
    assert room.cpu_millicores == cpu, "both clouds say exactly what they keep"
    assert room.memory_mib * 2**10 <= memory_kib
    assert room.disk_mib * 2**20 <= disk_bytes


@pytest.mark.parametrize("name", SEEN)
def test_little_is_held_back_that_a_real_node_had(name: str) -> None:
    cloud, machine, disk_gib, cpu, memory_kib, disk_bytes = SEEN[name]
    room = allocatable(cloud, machine, disk_gib)
    found = (room.cpu_millicores / cpu, room.memory_mib * 2**10 / memory_kib, room.disk_mib * 2**20 / disk_bytes)
    assert min(found) > 0.94, "an estimate that is far too low refuses settings that would run"


@pytest.mark.parametrize("disk_gib", [20, 100, 400])
def test_images_and_replicas_leave_the_disk_as_free_as_the_kubelet_wants_it(disk_gib: int) -> None:
    seen_gib = disk_gib * 17.8 / 20  # Bottlerocket, as in SEEN's first
    room = available(Cloud.AWS, MACHINES[Cloud.AWS]["g6.2xlarge"], disk_gib)
    assert room.disk_mib / 1024 <= max(0, seen_gib * (1 - 0.15) - IMAGES_GIB)


@given(CLOUDS, L4_MACHINES, DISKS, SERVICES)
def test_what_is_said_to_fit_fits(cloud: Cloud, machine: Machine, disk_gib: int, service: ServiceSpec) -> None:
    room, each = available(cloud, machine, disk_gib), replica(service)
    count = room.holds(each)
    taken = Room(count * each.gpus, count * each.cpu_millicores, count * each.memory_mib, count * each.disk_mib)
    assert room.less(taken).holds(each) == 0 <= count, "one more does not"
    assert taken.less(room) == Room(0, 0, 0, 0), "no more is taken than there is"


@given(CLOUDS, L4_MACHINES, DISKS, SERVICES, *[st.integers(0, 100) for _ in range(4)])
def test_a_larger_machine_never_holds_fewer(
    cloud: Cloud, machine: Machine, disk_gib: int, service: ServiceSpec, vcpus: int, memory: int, gpus: int, disk: int
) -> None:
    larger = replace(
        machine,
        vcpus=machine.vcpus + vcpus,
        memory_gib=machine.memory_gib + memory,
        accelerators=machine.accelerators + gpus,
    )
    before, after = (
        available(cloud, each, size).holds(replica(service))
        for each, size in ((machine, disk_gib), (larger, disk_gib + disk))
    )
    assert after >= before


@given(CLOUDS, L4_MACHINES, DISKS)
def test_the_fleet_gets_less_than_the_scheduler_gives_away(cloud: Cloud, machine: Machine, disk_gib: int) -> None:
    assert available(cloud, machine, disk_gib).less(allocatable(cloud, machine, disk_gib)) == Room(0, 0, 0, 0)


@given(SERVICES)
def test_a_pod_asks_for_what_the_arithmetic_counts(service: ServiceSpec) -> None:
    requests: Any = triton.resources(service).requests
    asked = replica(service)
    assert requests == {
        "cpu": str(asked.cpu_millicores / 1000).removesuffix(".0"),
        "memory": f"{asked.memory_mib / 1024:.0f}Gi",
        "ephemeral-storage": f"{asked.disk_mib / 1024:.0f}Gi",
        "nvidia.com/gpu": str(asked.gpus),
    }


EC2_NAMES = {gpu: str(gpu).partition("-")[0].upper() for gpu in Accelerator} | {
    Accelerator.RTX_PRO_6000: "RTX PRO Server 6000"
}


@pytest.fixture(scope="module")
def ec2() -> dict[str, Any]:
    """What EC2's DescribeInstanceTypes answered when moto was released."""
    packed = importlib.resources.files("moto.ec2").joinpath("resources/instance_types.json.gz").read_bytes()
    return json.loads(gzip.decompress(packed))


@pytest.mark.parametrize("name", sorted(MACHINES[Cloud.AWS]))
def test_a_machine_on_aws_is_what_ec2_says_it_is(ec2: dict[str, Any], name: str) -> None:
    told, machine = ec2[name], MACHINES[Cloud.AWS][name]
    gpus = [(g["Name"], g["MemoryInfo"]["SizeInMiB"], g["Count"]) for g in told.get("GpuInfo", {}).get("Gpus", [])]
    gpu, gigabytes = machine.accelerator, told.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)
    assert told["VCpuInfo"]["DefaultVCpus"] == machine.vcpus
    assert told["MemoryInfo"]["SizeInMiB"] == 1024 * machine.memory_gib
    assert gpus == ([(EC2_NAMES[gpu], MODELS[gpu].memory_mib, machine.accelerators)] if gpu else [])
    assert machine.nvme_gib == gigabytes * 10**9 // 2**30


@pytest.mark.parametrize("name", sorted(MACHINES[Cloud.AWS]))
def test_eks_lets_as_many_pods_run_as_the_first_network_card_has_addresses(ec2: dict[str, Any], name: str) -> None:
    network, machine = ec2[name]["NetworkInfo"], MACHINES[Cloud.AWS][name]
    interfaces = network["NetworkCards"][0]["MaximumNetworkInterfaces"]
    addresses = interfaces * (network["Ipv4AddressesPerInterface"] - 1) + 2
    assert machine.eks_max_pods == min(addresses, 110 if machine.vcpus < 30 else 250)
