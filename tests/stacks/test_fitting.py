"""A fleet is accepted exactly when the pools can hold it, and a refusal's numbers are the limits themselves."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.contracts.capacity import (
    GKE_NODES_MAX,
    available,
    disk_of,
    replica,
)
from components.contracts.machines import MACHINES
from components.contracts.scaling import ROLLOUT_SURGE
from components.contracts.services import CPU, ModelSpec, ObjectiveSpec, ReleaseSpec, ServiceSpec
from components.contracts.specs import FleetSpec, ImagesSpec, NodePoolSpec
from components.contracts.variant_specs import FallbackSpec
from components.contracts.vocabulary import Accelerator, Capacity, Cloud, OptOut
from stacks.files import platform_names
from stacks.fitting import fleet_problems, kept, replicas_by_pool
from stacks.settings import Settings, stack_file
from tests.components.kubernetes.gateway.doors import a_door

QUANTITIES = ("gpus_per_replica", "vcpus_per_replica", "memory_gib_per_replica", "repository_gib")


RELEASE = ReleaseSpec(version="1.0.1", manifest_sha256="0" * 64)


def a_service(accelerator: Accelerator | Literal["cpu"] = Accelerator.L4, **asked: Any) -> ServiceSpec:
    """A service of one replica."""
    known: dict[str, Any] = {
        "release": RELEASE,
        "min_replicas": 1,
        "max_replicas": 1,
        "models": {} if accelerator == CPU else {"classifier": ModelSpec(gpu_memory_mib=900)},
        "objective": ObjectiveSpec(p99_ms=250, availability_percent=99.0),
        "fallback": FallbackSpec(none_because="no other model answers this question"),
    } | asked
    return ServiceSpec(accelerator=accelerator, **known)


NAME = "risk"
PATH = f"fleet.services.{NAME}"


def fleet(**services: ServiceSpec) -> FleetSpec:
    """A fleet of some services, the first of which is drilled."""
    images = ImagesSpec(serving=f"sha256:{'0' * 64}")
    return FleetSpec(images=images, door=a_door(), services=services, drilled=next(iter(services)))


def problems_of(cloud: Cloud, pools: dict[str, NodePoolSpec], asked: ServiceSpec) -> list[Any]:
    """What is refused of a fleet of one service."""
    return fleet_problems(cloud, pools, fleet(**{NAME: asked}))


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
def services(draw: st.DrawFn, accelerator: Accelerator) -> ServiceSpec:
    """A service that asks for little or for much."""
    return a_service(
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
    asked = data.draw(services(accelerator))
    places = 0
    for each in pools.values():
        machine = MACHINES[cloud][each.machine_types[0]]
        if machine.accelerator is accelerator:
            places += each.max_nodes * available(cloud, machine, each.disk_gib).holds(replica(asked))
    assert (not problems_of(cloud, pools, asked)) == (places >= asked.max_replicas + ROLLOUT_SURGE)


@given(gpu_pools(), st.data())
def test_a_refusals_numbers_are_the_limit_itself(
    drawn: tuple[Cloud, dict[str, NodePoolSpec], Accelerator], data: st.DataObject
) -> None:
    cloud, pools, accelerator = drawn
    asked = data.draw(services(accelerator))
    for problem in problems_of(cloud, pools, asked):
        setting = problem.path.removeprefix(f"{PATH}.")
        assume(setting in (*QUANTITIES, "max_replicas"))
        value, most = getattr(asked, setting), int(problem.allowed.partition("at most ")[2].split(":")[0])
        assert most < value == problem.value
        assume(most >= 1)
        repaired = asked.model_copy(update={setting: most})
        assert not [p for p in problems_of(cloud, pools, repaired) if p.path == problem.path]


@pytest.mark.parametrize("setting", QUANTITIES)
@pytest.mark.parametrize("stack", platform_names())
def test_one_unit_more_than_fits_is_refused(stack: str, setting: str) -> None:
    settings = Settings.load(stack_file(stack))
    machine = MACHINES[settings.cloud][settings.pools["gpu"].machine_types[0]]
    room = available(settings.cloud, machine, disk_of(machine, settings.pools["gpu"]))
    grown = settings.fleet.services["tumour-risk"]
    while room.holds(replica(grown)):
        assert f"{PATH}.{setting}" not in [p.path for p in problems_of(settings.cloud, settings.pools, grown)]
        grown = grown.model_copy(update={setting: getattr(grown, setting) + 1})
    assert [p.path for p in problems_of(settings.cloud, settings.pools, grown)] == [f"{PATH}.{setting}"]


def test_the_refusal_of_a_giant_says_what_a_machine_leaves() -> None:
    asked = a_service(vcpus_per_replica=64, memory_gib_per_replica=1024)
    problems = problems_of(Cloud.AWS, {"gpu": pool("g6.2xlarge")}, asked)
    assert [(p.path, p.value) for p in problems] == [
        (f"{PATH}.vcpus_per_replica", 64),
        (f"{PATH}.memory_gib_per_replica", 1024),
    ]
    assert "at most 7: a g6.2xlarge of the pool gpu leaves 1 GPU, 7.71 vCPUs" in problems[0].allowed


def test_what_no_single_machine_has_together_is_refused_as_a_whole() -> None:
    pools = {"many": pool("g6.12xlarge", disk_gib=60), "wide": pool("g6.xlarge", disk_gib=500)}
    asked = a_service(vcpus_per_replica=8, repository_gib=200)
    [problem] = problems_of(Cloud.AWS, pools, asked)
    assert problem.path == PATH
    assert "the pool many leaves" in problem.allowed and "the pool wide leaves" in problem.allowed


def test_replicas_share_a_machine_with_several_gpus() -> None:
    assert replicas_by_pool(Cloud.AWS, {"gpu": pool("g6.12xlarge", 3)}, a_service()) == {"gpu": 12}


def test_memory_may_hold_fewer_than_the_gpus_would() -> None:
    assert replicas_by_pool(Cloud.AWS, {"gpu": pool("g6.12xlarge", 3)}, a_service(memory_gib_per_replica=60)) == {
        "gpu": 6
    }


def test_the_disk_may_hold_fewer_than_the_gpus_would() -> None:
    assert replicas_by_pool(Cloud.AWS, {"gpu": pool("g6.12xlarge", 3)}, a_service(repository_gib=20)) == {"gpu": 6}


def test_a_disk_that_the_images_fill_holds_none() -> None:
    [problem] = problems_of(Cloud.AWS, {"gpu": pool("g6.xlarge", disk_gib=30)}, a_service())
    assert (problem.path, problem.remedy) == (
        f"{PATH}.repository_gib",
        "Lower repository_gib, or raise the pool's disk_gib; with local_disk, choose larger machine_types.",
    )


def test_pools_add_up() -> None:
    pools = {
        "small": pool("g6.xlarge", 2),
        "large": pool("g6.12xlarge", 1, capacity=(Capacity.SPOT,)),
        "a10g": pool("g5.xlarge"),
    }
    assert replicas_by_pool(Cloud.AWS, pools, a_service()) == {"small": 2, "large": 4}
    assert kept(Cloud.AWS, pools, fleet(**{NAME: a_service(min_replicas=6, max_replicas=6)})) == {NAME: 2}


def test_a_pool_that_is_too_small_does_not_stop_the_others() -> None:
    pools = {"old": pool("g6.xlarge", 4), "new": pool("g6.12xlarge", 2)}
    asked = a_service(gpus_per_replica=4)
    assert replicas_by_pool(Cloud.AWS, pools, asked) == {"new": 2}
    assert not problems_of(Cloud.AWS, pools, asked), "while a fleet moves to larger machines both must be there"


def test_a_rollout_needs_room_beside_all_replicas() -> None:
    [problem] = problems_of(Cloud.AWS, {"gpu": pool("g6.xlarge", 4)}, a_service(max_replicas=4))
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


def test_services_share_the_machines_of_a_pool() -> None:
    pools = {"gpu": pool("g6.12xlarge", 2)}
    both = {"a": a_service(max_replicas=3), "b": a_service(max_replicas=3)}
    assert not fleet_problems(Cloud.AWS, pools, fleet(**both)), "eight GPUs hold both and their rollouts"
    more = {**both, "b": a_service(max_replicas=4)}
    [problem] = fleet_problems(Cloud.AWS, pools, fleet(**more))
    assert "at most 3" in problem.allowed and "beside a at their most" in problem.allowed


def test_a_large_replica_finds_no_room_beside_many_small_ones() -> None:
    pools = {"gpu": pool("g6.12xlarge", 2)}
    wide, small = a_service(gpus_per_replica=4), a_service(max_replicas=1)
    problems = fleet_problems(Cloud.AWS, pools, fleet(wide=wide, small=small))
    assert [p.path for p in problems] == ["fleet.services.small.max_replicas"], "with a rollout of both"


def test_warm_replicas_and_challengers_take_room_too() -> None:
    pools = {"gpu": pool("g6.xlarge", 4)}
    assert not problems_of(Cloud.AWS, pools, a_service(max_replicas=3))
    [problem] = problems_of(Cloud.AWS, pools, a_service(max_replicas=3, warm_replicas=1))
    assert "at most 2" in problem.allowed and "1 are kept warm" in problem.allowed


@pytest.mark.parametrize(("cloud", "machine"), [(Cloud.AWS, "m7i.xlarge"), (Cloud.GCP, "e2-standard-8")])
def test_a_service_on_cpu_takes_a_pool_without_gpus_that_is_not_the_systems(cloud: Cloud, machine: str) -> None:
    asked = a_service("cpu", memory_gib_per_replica=4)
    [problem] = problems_of(cloud, {"system": pool(machine, 9)}, asked)
    assert (problem.path, problem.value) == (f"{PATH}.accelerator", "cpu")
    assert not problems_of(cloud, {"system": pool(machine, 9), "serving": pool(machine)}, asked)


def test_a_fallback_that_would_never_be_asked_is_refused() -> None:
    small = a_service(CPU)
    late = a_service(CPU, fallback=FallbackSpec(service="small", after_ms=2000))
    door = {"limits": {"request_seconds": 2}, "retries": {"attempt_seconds": 1}}
    images = ImagesSpec(serving=f"sha256:{'0' * 64}")
    with pytest.raises(ValidationError, match="gives a request up after 2000 ms"):
        FleetSpec(images=images, door=a_door(**door), services={NAME: late, "small": small}, drilled=NAME)
