"""A fleet is accepted exactly when the pools can hold it, and a refusal's numbers are the limits themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.contracts.capacity import (
    GKE_NODES_MAX,
    ROLLOUT_SURGE,
    available,
    disk_of,
    replica,
    replicas_per_machine,
)
from components.contracts.machines import MACHINES
from components.contracts.specs import FleetSpec, ImagesSpec, NodePoolSpec, ReleaseSpec
from components.contracts.vocabulary import Accelerator, Capacity, Cloud, OptOut
from stacks.files import platform_names
from stacks.fitting import fleet_problems, kept_replicas, replicas_by_pool
from stacks.settings import Settings, stack_file

QUANTITIES = ("gpus_per_replica", "vcpus_per_replica", "memory_gib_per_replica", "repository_gib")


def fleet(accelerator: Accelerator = Accelerator.L4, **asked: Any) -> FleetSpec:
    """A fleet of one replica."""
    known: dict[str, Any] = {"min_replicas": 1, "max_replicas": 1} | asked
    images, release = ImagesSpec(serving=f"sha256:{'0' * 64}"), ReleaseSpec(version="v1", manifest_sha256="0" * 64)
    return FleetSpec(images=images, model_release=release, accelerator=accelerator, **known)


def pool(machine_type: str, max_nodes: int = 2, disk_gib: int = 100, **asked: Any) -> NodePoolSpec:
    """A pool that may be empty."""
    return NodePoolSpec(machine_types=(machine_type,), min_nodes=0, max_nodes=max_nodes, disk_gib=disk_gib, **asked)


@st.composite
def gpu_pools(draw: st.DrawFn) -> tuple[Cloud, dict[str, NodePoolSpec], Accelerator]:
    """One to three pools of a cloud with GPUs, and the GPU of one of them."""
    cloud = draw(st.sampled_from(Cloud))
    kinds = sorted(name for name, machine in MACHINES[cloud].items() if machine.accelerator)
    pools = {
        f"gpu-{index}": pool(
            draw(st.sampled_from(kinds)),
            draw(st.integers(1, 20)),
            draw(st.integers(50, 2000)),
            capacity=(draw(st.sampled_from([Capacity.ON_DEMAND, Capacity.SPOT])),),
        )
        for index in range(draw(st.integers(1, 3)))
    }
    accelerator = MACHINES[cloud][draw(st.sampled_from([p.machine_types[0] for p in pools.values()]))].accelerator
    assert accelerator is not None
    return cloud, pools, accelerator


@st.composite
def fleets(draw: st.DrawFn, accelerator: Accelerator) -> FleetSpec:
    """A fleet that asks for little or for much."""
    return fleet(
        accelerator,
        gpus_per_replica=draw(st.integers(1, 8)),
        vcpus_per_replica=draw(st.integers(1, 200)),
        memory_gib_per_replica=draw(st.integers(1, 2100)),
        repository_gib=draw(st.integers(1, 1500)),
        max_replicas=draw(st.integers(1, 80)),
    )


@given(gpu_pools(), st.data())
def test_a_fleet_is_accepted_exactly_when_the_pools_hold_it_and_a_rollouts_surge(
    drawn: tuple[Cloud, dict[str, NodePoolSpec], Accelerator], data: st.DataObject
) -> None:
    cloud, pools, accelerator = drawn
    asked = data.draw(fleets(accelerator))
    places = 0
    for each in pools.values():
        machine = MACHINES[cloud][each.machine_types[0]]
        if machine.accelerator is accelerator:
            places += each.max_nodes * available(cloud, machine, each.disk_gib).holds(replica(asked))
    assert (not fleet_problems(cloud, pools, asked)) == (places >= asked.max_replicas + ROLLOUT_SURGE)


@given(gpu_pools(), st.data())
def test_a_refusals_numbers_are_the_limit_itself(
    drawn: tuple[Cloud, dict[str, NodePoolSpec], Accelerator], data: st.DataObject
) -> None:
    cloud, pools, accelerator = drawn
    asked = data.draw(fleets(accelerator))
    for problem in fleet_problems(cloud, pools, asked):
        setting = problem.path.removeprefix("fleet.")
        assume(setting in (*QUANTITIES, "max_replicas"))
        value, most = getattr(asked, setting), int(problem.allowed.partition("at most ")[2].split(":")[0])
        assert most < value == problem.value
        assume(most >= 1)
        repaired = asked.model_copy(update={setting: most})
        assert not [p for p in fleet_problems(cloud, pools, repaired) if p.path == problem.path]


@pytest.mark.parametrize("setting", QUANTITIES)
@pytest.mark.parametrize("stack", platform_names())
def test_one_unit_more_than_fits_is_refused(stack: str, setting: str) -> None:
    settings = Settings.load(stack_file(stack))
    machine = MACHINES[settings.cloud][settings.pools["gpu"].machine_types[0]]
    room = available(settings.cloud, machine, disk_of(machine, settings.pools["gpu"]))
    grown = settings.fleet
    while replicas_per_machine(machine.accelerator, room, grown):
        assert setting not in [p.path.removeprefix("fleet.") for p in _problems(settings, grown)]
        grown = grown.model_copy(update={setting: getattr(grown, setting) + 1})
    assert [p.path for p in _problems(settings, grown)] == [f"fleet.{setting}"]


def _problems(settings: Settings, changed: FleetSpec) -> list[Any]:
    return fleet_problems(settings.cloud, settings.pools, changed)


def test_the_refusal_of_a_giant_says_what_a_machine_leaves() -> None:
    asked = fleet(vcpus_per_replica=64, memory_gib_per_replica=1024)
    problems = fleet_problems(Cloud.AWS, {"gpu": pool("g6.2xlarge")}, asked)
    assert [(p.path, p.value) for p in problems] == [
        ("fleet.vcpus_per_replica", 64),
        ("fleet.memory_gib_per_replica", 1024),
    ]
    assert "at most 7: a g6.2xlarge of the pool gpu leaves 1 GPU, 7.71 vCPUs" in problems[0].allowed


def test_what_no_single_machine_has_together_is_refused_as_a_whole() -> None:
    pools = {"many": pool("g6.12xlarge", disk_gib=60), "wide": pool("g6.xlarge", disk_gib=500)}
    asked = fleet(vcpus_per_replica=8, repository_gib=200)
    [problem] = fleet_problems(Cloud.AWS, pools, asked)
    assert problem.path == "fleet"
    assert "the pool many leaves" in problem.allowed and "the pool wide leaves" in problem.allowed


def test_replicas_share_a_machine_with_several_gpus() -> None:
    assert replicas_by_pool(Cloud.AWS, {"gpu": pool("g6.12xlarge", 3)}, fleet()) == {"gpu": 12}


def test_memory_may_hold_fewer_than_the_gpus_would() -> None:
    assert replicas_by_pool(Cloud.AWS, {"gpu": pool("g6.12xlarge", 3)}, fleet(memory_gib_per_replica=60)) == {
        "gpu": 6
    }


def test_the_disk_may_hold_fewer_than_the_gpus_would() -> None:
    assert replicas_by_pool(Cloud.AWS, {"gpu": pool("g6.12xlarge", 3)}, fleet(repository_gib=20)) == {"gpu": 6}


def test_a_disk_that_the_images_fill_holds_none() -> None:
    [problem] = fleet_problems(Cloud.AWS, {"gpu": pool("g6.xlarge", disk_gib=30)}, fleet())
    assert (problem.path, problem.remedy) == (
        "fleet.repository_gib",
        "Lower repository_gib, or raise the pool's disk_gib; with local_disk, choose larger machine_types.",
    )


def test_pools_add_up() -> None:
    pools = {
        "small": pool("g6.xlarge", 2),
        "large": pool("g6.12xlarge", 1, capacity=(Capacity.SPOT,)),
        "a10g": pool("g5.xlarge"),
    }
    assert replicas_by_pool(Cloud.AWS, pools, fleet()) == {"small": 2, "large": 4}
    assert kept_replicas(Cloud.AWS, pools, fleet()) == 2


def test_a_pool_that_is_too_small_does_not_stop_the_others() -> None:
    pools = {"old": pool("g6.xlarge", 4), "new": pool("g6.12xlarge", 2)}
    asked = fleet(gpus_per_replica=4)
    assert replicas_by_pool(Cloud.AWS, pools, asked) == {"new": 2}
    assert not fleet_problems(Cloud.AWS, pools, asked), "while a fleet moves to larger machines both must be there"


def test_a_rollout_needs_room_beside_all_replicas() -> None:
    [problem] = fleet_problems(Cloud.AWS, {"gpu": pool("g6.xlarge", 4)}, fleet(max_replicas=4))
    assert "at most 3" in problem.allowed and "a rollout starts 1 replica before it stops one" in problem.allowed


def production(**changes: Any) -> list[str]:
    """Paths of what is wrong with the production stack on AWS when its pools and fleet are changed."""
    settings = Settings.load(stack_file("prod-aws")).model_copy(update=changes)
    return [problem.path for problem in settings.cross_section_problems()]


def test_production_keeps_its_least_replicas_off_spot_machines() -> None:
    pools = Settings.load(stack_file("prod-aws")).pools
    mixed = {**pools, "gpu": pool("g6.2xlarge", 2), "spot": pool("g6.2xlarge", 20, capacity=(Capacity.SPOT,))}
    assert production(pools=mixed) == ["pools"], "min_replicas is 3"
    assert production(pools={**mixed, "gpu": pool("g6.2xlarge", 3)}) == []
    assert production(pools=mixed, opt_outs={OptOut.ON_DEMAND_CAPACITY: "batch scoring only"}) == []


@pytest.mark.parametrize(("cloud", "paths"), [(Cloud.AWS, []), (Cloud.GCP, ["pools"])])
def test_pools_that_outgrow_the_pods_addresses_are_refused(cloud: Cloud, paths: list[str]) -> None:
    settings = Settings.load(stack_file(f"dev-{cloud}"))
    room = GKE_NODES_MAX - settings.pools["system"].max_nodes
    for max_nodes, refused in ((room, []), (room + 1, paths)):
        pools = {**settings.pools, "gpu": settings.pools["gpu"].model_copy(update={"max_nodes": max_nodes})}
        found = settings.model_copy(update={"pools": pools}).cross_section_problems()
        # EKS' own bound on a group is `stacks.pools`'.
        assert [problem.path for problem in found if problem.path != "pools.gpu.max_nodes"] == refused
