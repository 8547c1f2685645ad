"""Impossible ways of sharing GPUs, and versions whose driver is too old for the image, are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import serving_image
from components.contracts.accelerators import MODELS
from components.contracts.drivers import IMAGE, NODES
from components.contracts.machines import MACHINES
from components.contracts.vocabulary import Accelerator, Cloud
from stacks.fitting import fleet_problems
from stacks.settings import Settings, SettingsError

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]

SLICED = {"strategy": "time-slicing", "replicas": 4}


def with_h100(values: dict[str, Any], **sharing: Any) -> dict[str, Any]:
    """A stack on Google Cloud with H100s."""
    gpu = values["pools"]["gpu"]
    gpu |= {"machine_types": ["a3-highgpu-1g"], "capacity": ["spot"], "sharing": sharing}
    values["fleet"]["services"]["tumour-risk"]["accelerator"] = "h100"
    values["backup"]["region"] = "europe-north1"
    return values


@pytest.mark.parametrize(
    ("stack", "sharing", "path", "says"),
    [
        ("dev-aws", {"strategy": "time-slicing"}, "pools.gpu.sharing", "2 to 48 replicas"),
        ("dev-aws", {"strategy": "mig"}, "pools.gpu.sharing", "a profile, and no replicas"),
        ("dev-aws", {"strategy": "mig", "profile": "1g.5gb", "replicas": 2}, "pools.gpu.sharing", "no replicas"),
        ("dev-aws", {"strategy": "mig", "profile": "1g.5gb"}, "pools.gpu.sharing.strategy", "only a100, a100-80gb"),
        ("dev-aws", {"strategy": "mps", "replicas": 2}, "pools.gpu.sharing.strategy", "/dev/shm"),
        ("dev-gcp", {"strategy": "mps", "replicas": 2}, "pools.gpu.sharing.strategy", "hostIPC"),
        ("dev-gcp", {"strategy": "time-slicing", "replicas": 49}, "pools.gpu.sharing.replicas", "48"),
    ],
)
def test_an_impossible_way_of_sharing_is_refused_with_what_is_possible(
    values: Values, refusal: Refusal, stack: str, sharing: dict[str, Any], path: str, says: str
) -> None:
    broken = values(stack)
    broken["pools"]["gpu"]["sharing"] = sharing
    [problem] = [p for p in refusal(broken).problems if p.path == path]
    assert says in problem.allowed


def test_a_profile_of_another_gpu_is_refused_with_its_own(values: Values, refusal: Refusal) -> None:
    broken = with_h100(values("dev-gcp"), strategy="mig", profile="1g.5gb")
    [problem] = refusal(broken).problems
    assert (problem.path, problem.allowed.partition(":")[0]) == (
        "pools.gpu.sharing.profile",
        "1g.10gb, 1g.20gb, 2g.20gb, 3g.40gb, 7g.80gb",
    )


def test_a_pool_without_gpus_shares_none(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["pools"]["system"]["sharing"] = SLICED
    [problem] = refusal(broken).problems
    assert problem.path == "pools.system.sharing"


def test_a_replica_cannot_have_two_shares(values: Values, refusal: Refusal) -> None:
    broken = values("dev-aws")
    broken["pools"]["gpu"]["sharing"] = SLICED
    broken["fleet"]["services"]["tumour-risk"]["gpus_per_replica"] = 2
    assert "fleet.services.tumour-risk.gpus_per_replica" in {p.path for p in refusal(broken).problems}


@pytest.mark.parametrize(
    ("sharing", "holds"), [({"strategy": "mig", "profile": "3g.40gb"}, 2), ({**SLICED, "replicas": 2}, 2)]
)
def test_shares_are_room_for_replicas(values: Values, sharing: dict[str, Any], holds: int) -> None:
    shared = Settings.parse(with_h100(values("dev-gcp"), **sharing), "test")
    service = shared.fleet.services["tumour-risk"].model_copy(update={"max_replicas": 1000})
    asked = shared.fleet.model_copy(update={"services": {"tumour-risk": service}})
    [problem] = fleet_problems(Cloud.GCP, shared.pools, asked)
    assert f"room for {holds * shared.pools['gpu'].max_nodes} " in problem.allowed


def test_a_gpu_that_a_cloud_does_not_sell_is_refused_with_the_nearest(values: Values, refusal: Refusal) -> None:
    broken = values("dev-gcp")
    for wanted, nearest in (("a10g", "l4"), ("l40s", "rtx-pro-6000")):
        broken["fleet"]["services"]["tumour-risk"]["accelerator"] = wanted
        [problem] = [p for p in refusal(broken).problems if p.path == "fleet.services.tumour-risk.accelerator"]
        assert f"gcp sells no machine with {wanted}" in problem.allowed
        assert problem.remedy == f"Choose {nearest}, which is nearest to it."


def test_every_gpu_is_sold_by_a_cloud() -> None:
    sold = {machine.accelerator for machines in MACHINES.values() for machine in machines.values()}
    assert sold == {*Accelerator, None}


@pytest.mark.parametrize("stack", ["dev-aws", "dev-gcp"])
def test_a_version_without_a_known_driver_is_refused_with_those_that_have_one(
    values: Values, refusal: Refusal, stack: str
) -> None:
    broken = values(stack)
    broken["cluster"]["version"] = "1.29"
    [problem] = [p for p in refusal(broken).problems if "driver" in p.allowed]
    assert f"needs driver R{IMAGE.driver_branch}; 1.29 is not in the table" in problem.allowed


def test_the_images_needs_are_those_of_its_base() -> None:
    """Raised with the Dockerfile: look up the release's CUDA, driver and compute capability anew."""
    dockerfile = (Path(serving_image.__file__).parent / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^FROM \S+tritonserver:([\d.]+)-py3@", dockerfile, re.MULTILINE) == [IMAGE.release]


def test_every_gpu_is_new_enough_for_the_image() -> None:
    assert not [gpu for gpu, model in MODELS.items() if model.compute_capability < IMAGE.compute_capability]


@pytest.mark.parametrize("cloud", list(Cloud), ids=str)
def test_some_version_of_each_cloud_has_the_images_driver(cloud: Cloud) -> None:
    assert max(NODES[cloud].values()) >= IMAGE.driver_branch
