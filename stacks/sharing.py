"""Whether a pool's GPUs can be shared as its settings ask, and whether the serving image can use them at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from components.contracts.accelerators import MODELS
from components.contracts.drivers import IMAGE, NODES
from components.contracts.machines import MACHINES
from components.contracts.specs import NodePoolSpec, StackSpec
from components.contracts.vocabulary import Accelerator, Cloud, SharingStrategy
from stacks.problems import Problem

_NO_MPS: Final[Mapping[Cloud, str]] = {
    Cloud.AWS: "NVIDIA's device plugin puts MPS' 64 MiB over /dev/shm, where Triton's Python models keep tensors",
    Cloud.GCP: "GKE's MPS needs pods with hostIPC, which the cluster's pod security refuses",
}
"""Why MPS is no choice here; both believed, from k8s-device-plugin's and GKE's descriptions of MPS."""


def sharing_problems(stack: StackSpec) -> list[Problem]:
    """Impossible ways of sharing, pool by pool."""
    return [problem for key, pool in stack.pools.items() for problem in _pool_problems(stack, key, pool)]


def driver_problems(stack: StackSpec) -> list[Problem]:
    """A Kubernetes version whose machines bring a driver that is too old for the serving image, or an unknown one."""
    enough = [version for version, branch in NODES[stack.cloud].items() if branch >= IMAGE.driver_branch]
    if stack.cluster.version in enough:
        return []
    found = NODES[stack.cloud].get(stack.cluster.version)
    has = f"has R{found}" if found else "is not in the table of drivers"
    allowed = (
        f"{', '.join(enough)}: Triton {IMAGE.release} is built on CUDA {IMAGE.cuda}, which needs driver "
        f"R{IMAGE.driver_branch}; {stack.cluster.version} {has}"
    )
    return [Problem("cluster.version", stack.cluster.version, allowed, "Choose one of these versions.")]


def _pool_problems(stack: StackSpec, key: str, pool: NodePoolSpec) -> list[Problem]:
    if pool.sharing is None:
        return []
    machines = [MACHINES[stack.cloud].get(name) for name in pool.machine_types]
    accelerator = next((machine.accelerator for machine in machines if machine), None)
    path, strategy = f"pools.{key}.sharing", str(pool.sharing.strategy)
    if accelerator is None:
        return [Problem(path, strategy, "a pool whose machines have GPUs", "Remove sharing from this pool.")]
    if pool.sharing.strategy is SharingStrategy.MPS:
        allowed = f"time-slicing or mig: {_NO_MPS[stack.cloud]}"
        return [Problem(f"{path}.strategy", strategy, allowed, "Choose one of these.")]
    profiles = MODELS[accelerator].mig_profiles
    if pool.sharing.strategy is SharingStrategy.MIG and pool.sharing.profile not in profiles:
        return [_no_such_profile(path, pool.sharing.profile, accelerator)]
    allowed = f"1: replicas on the pool {key} have a share of a GPU, and cannot have two"
    return [
        Problem(
            f"fleet.services.{name}.gpus_per_replica",
            service.gpus_per_replica,
            allowed,
            f"Lower it, or remove {path}.",
        )
        for name, service in stack.fleet.services.items()
        if service.gpu is accelerator and service.gpus_per_replica > 1
    ]


def _no_such_profile(path: str, profile: str, accelerator: Accelerator) -> Problem:
    profiles = ", ".join(MODELS[accelerator].mig_profiles)
    if profiles:
        return Problem(
            f"{path}.profile", profile, f"{profiles}: what {accelerator} is cut into", "Choose one of these."
        )
    cut = ", ".join(str(gpu) for gpu, model in MODELS.items() if model.mig_profiles)
    return Problem(f"{path}.strategy", "mig", f"time-slicing: only {cut} can be cut", "Choose time-slicing.")
