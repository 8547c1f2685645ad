"""What each GPU model is: its memory, what CUDA calls it, and how it can be cut into instances (MIG).

Memory: EC2's DescribeInstanceTypes, and a test compares; compute capability: developer.nvidia.com/cuda-gpus. MIG
profiles: NVIDIA's MIG user guide (docs.nvidia.com/datacenter/tesla/mig-user-guide), those that Bottlerocket's MIG
manager approves. Read on 2026-11-21; Bottlerocket's pages name A100, H100 and H200, so B200 and RTX PRO 6000 there
are believed, and that GKE takes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from components.contracts.specs import SharingSpec
from components.contracts.vocabulary import Accelerator, SharingStrategy


@dataclass(frozen=True)
class Model:
    """One GPU model."""

    memory_mib: int
    compute_capability: tuple[int, int]
    bottlerocket_name: str = ""
    """What Bottlerocket's MIG manager calls it; empty where it cannot be cut."""
    mig_profiles: Mapping[str, int] = field(default_factory=dict)
    """Profile → how many instances of it one GPU is cut into."""


MODELS: Final[Mapping[Accelerator, Model]] = {
    Accelerator.T4: Model(16384, (7, 5)),
    Accelerator.A10G: Model(22888, (8, 6)),
    Accelerator.L4: Model(22888, (8, 9)),
    Accelerator.L40S: Model(45776, (8, 9)),
    Accelerator.A100: Model(40960, (8, 0), "a100.40gb", {"1g.5gb": 7, "2g.10gb": 3, "3g.20gb": 2, "7g.40gb": 1}),
    Accelerator.A100_80GB: Model(
        81920, (8, 0), "a100.80gb", {"1g.10gb": 7, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1}
    ),
    Accelerator.H100: Model(
        81920, (9, 0), "h100.80gb", {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1}
    ),
    Accelerator.H200: Model(
        144384, (9, 0), "h200.141gb", {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "7g.141gb": 1}
    ),
    Accelerator.B200: Model(
        183359, (10, 0), "b200.180gb", {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "7g.180gb": 1}
    ),
    Accelerator.RTX_PRO_6000: Model(98304, (12, 0), "rtxpro6000.96gb", {"1g.24gb": 4, "2g.48gb": 2, "4g.96gb": 1}),
}

NEAREST: Final[Mapping[Accelerator, Accelerator]] = {
    Accelerator.A10G: Accelerator.L4,
    Accelerator.L40S: Accelerator.RTX_PRO_6000,
}
"""What to take where a cloud has no such GPU: Google Cloud sells neither A10G nor L40S."""


CUDA_RESERVE_MIB: Final = 1536
"""Memory of each GPU, or share of it, that models cannot have: error correction, the driver, and CUDA's contexts.

Believed: a T4 shows 15360 MiB of its 16384 while it corrects errors, MIG's slices up to 782 MiB less than their
profile says, a driver keeps some hundreds for itself, and one context takes a few hundred more (2026-11-22).
"""


def memory_mib(accelerator: Accelerator, sharing: SharingSpec | None = None) -> int:
    """What one `nvidia.com/gpu` has: the whole GPU, its MIG instance, or the equal part of pods that take turns.

    A MIG profile's name says GB, which are taken as 10^9 bytes. Time-slicing divides nothing by itself: the driver
    lets each pod take all (NVIDIA's device plugin, "Shared Access to GPUs", believed), so that each is held to its
    part here, where the settings are read.
    """
    whole = MODELS[accelerator].memory_mib
    if sharing is None:
        return whole
    if sharing.strategy is SharingStrategy.MIG:
        _, _, gb = sharing.profile.removesuffix("gb").partition(".")
        return int(gb) * 10**9 // 2**20
    return whole // sharing.replicas


def shares(accelerator: Accelerator | None, sharing: SharingSpec | None) -> int:
    """How many pods one GPU takes; 1 for a MIG profile that it does not have, which settings refuse.

    Kubernetes is told of this many `nvidia.com/gpu` for each GPU, so a request of 1 is one share.
    """
    if accelerator is None or sharing is None:
        return 1
    if sharing.strategy is SharingStrategy.MIG:
        return MODELS[accelerator].mig_profiles.get(sharing.profile, 1)
    return sharing.replicas
