"""Which NVIDIA driver the serving image needs, and which one the clouds' machines bring.

CUDA 13 runs on any driver from branch R580 on (docs.nvidia.com/deploy/cuda-compatibility). An older one runs it on
data centre GPUs alone, through the image's compatibility libraries, which a stack must not lean on: Triton with CUDA
13 was seen to find no GPU on R570 (github.com/bottlerocket-os/bottlerocket-kernel-kit, issue 254).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.vocabulary import Cloud


@dataclass(frozen=True)
class Needs:
    """What one release of Triton's image asks of a machine."""

    release: str
    """The tag of the base image in `serving_image/Dockerfile`, without its suffix."""
    cuda: str
    driver_branch: int
    """The least driver branch: 580 stands for R580."""
    compute_capability: tuple[int, int]
    """The oldest GPU, by CUDA's compute capability."""


IMAGE: Final = Needs("26.07", "13.3", 580, (7, 5))
"""Of `serving_image/Dockerfile`.

Triton's page "compatibility" names 26.07's CUDA; the release notes of 26.02 to 26.10 ask for compute capability 7.5
(docs.nvidia.com/deeplearning/triton-inference-server/release-notes). Read on 2026-11-21.
"""

GKE_DRIVER: Final = "LATEST"
"""Which of the two drivers that a GKE version has: DEFAULT may be a branch behind, and is not tied to CUDA's."""

NODES: Final[Mapping[Cloud, Mapping[str, int]]] = {
    Cloud.AWS: {"1.33": 580, "1.34": 580, "1.35": 580, "1.36": 580},
    Cloud.GCP: {"1.34": 580, "1.35": 580, "1.36": 580},
}
"""Cloud → Kubernetes version → the driver branch of its machines.

AWS, Bottlerocket's NVIDIA variants: "All Bottlerocket AMIs are on 580" (bottlerocket-kernel-kit, issue 254, on
2026-01-29; 580.159.03 since its pull request 429). Google Cloud, Container-Optimized OS with LATEST: believed.
"""
