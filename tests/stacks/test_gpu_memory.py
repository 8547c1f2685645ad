"""The models of a service are accepted exactly when they fit together on each GPU, beside what CUDA takes."""

from __future__ import annotations

from typing import Any

import pytest

from components.contracts.accelerators import CUDA_RESERVE_MIB, MODELS, memory_mib
from components.contracts.services import ChallengerSpec, ModelSpec
from components.contracts.specs import SharingSpec
from components.contracts.variant_specs import Shadow
from components.contracts.vocabulary import Accelerator, Cloud, SharingStrategy
from tests.stacks.test_fitting import PATH, RELEASE, a_service, pool, problems_of

MOST = MODELS[Accelerator.L4].memory_mib - CUDA_RESERVE_MIB
MIG = SharingSpec(strategy=SharingStrategy.MIG, profile="3g.40gb")
SLICED = SharingSpec(strategy=SharingStrategy.TIME_SLICING, replicas=4)


def model(**asked: Any) -> ModelSpec:
    """A model that takes what is asked."""
    return ModelSpec(**asked)


def refused(models: dict[str, ModelSpec], *, machine: str = "g6.12xlarge", **asked: Any) -> list[Any]:
    """What is wrong with a service of these models on L4s."""
    return problems_of(Cloud.AWS, {"gpu": pool(machine)}, a_service(models=models, **asked))


def test_models_that_just_fit_are_accepted() -> None:
    assert not refused({"a": model(gpu_memory_mib=1000, instances=2), "b": model(gpu_memory_mib=MOST - 2000)})


def test_one_mib_too_much_is_refused_with_the_numbers_and_a_remedy() -> None:
    [problem] = refused({"a": model(gpu_memory_mib=1000, instances=2), "b": model(gpu_memory_mib=MOST - 1999)})
    assert problem.path == f"{PATH}.models"
    assert problem.value == f"{MOST + 1} MiB on one GPU (a 2 × 1000 + b {MOST - 1999})"
    assert problem.allowed.startswith(f"at most {MOST} MiB: the l4 has {MOST + CUDA_RESERVE_MIB}")
    assert problem.remedy.startswith("Lower instances")


@pytest.mark.parametrize(("memory", "fits"), [(2 * MOST, True), (2 * MOST + 1, False)])
def test_a_model_over_two_gpus_takes_half_on_each(memory: int, fits: bool) -> None:
    found = refused({"wide": model(gpu_memory_mib=memory, gpus=2)}, gpus_per_replica=2)
    assert (not found) == fits


@pytest.mark.parametrize(
    ("sharing", "has"), [(MIG, 40 * 10**9 // 2**20), (SLICED, MODELS[Accelerator.H100].memory_mib // 4)], ids=str
)
def test_models_share_what_their_part_of_a_gpu_has(sharing: SharingSpec, has: int) -> None:
    pools = {"gpu": pool("a3-highgpu-1g", disk_gib=500, sharing=sharing)}
    for memory, fits in ((has - CUDA_RESERVE_MIB, True), (has - CUDA_RESERVE_MIB + 1, False)):
        asked = a_service(Accelerator.H100, models={"a": model(gpu_memory_mib=memory)})
        assert (not problems_of(Cloud.GCP, pools, asked)) == fits


def test_the_smallest_share_of_all_pools_that_may_serve_decides() -> None:
    pools = {"whole": pool("a3-highgpu-1g", disk_gib=500), "cut": pool("a3-highgpu-1g", disk_gib=500, sharing=MIG)}
    asked = a_service(Accelerator.H100, models={"a": model(gpu_memory_mib=60_000)})
    [problem] = problems_of(Cloud.GCP, pools, asked)
    assert "a share of the h100 has 38146" in problem.allowed
    assert not problems_of(Cloud.GCP, {"whole": pools["whole"]}, asked)


def test_a_challengers_own_models_are_counted_by_themselves() -> None:
    challenger = ChallengerSpec(release=RELEASE, max_replicas=1, models={"a": model(gpu_memory_mib=MOST + 1)})
    asked: dict[str, Any] = {"traffic": Shadow(challenger="b", percent=10), "challengers": {"b": challenger}}
    [problem] = refused({"a": model(gpu_memory_mib=900)}, **asked)
    assert problem.path == f"{PATH}.challengers.b.models"


def test_no_share_of_a_gpu_is_counted_larger_than_its_part() -> None:
    for accelerator, each in MODELS.items():
        for profile, count in each.mig_profiles.items():
            cut = SharingSpec(strategy=SharingStrategy.MIG, profile=profile)
            assert memory_mib(accelerator, cut) * count <= each.memory_mib, (accelerator, profile)
