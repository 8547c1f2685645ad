"""Machine types that pools may use, with their sizes and the GPUs they carry.

AWS: as EC2's DescribeInstanceTypes answers; a test compares them with the copy of its answers that moto carries.
Google Cloud: cloud.google.com/compute/docs/accelerator-optimized-machines and …/general-purpose-machines, read in
November 2026; what they call GB is 2^30 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.contracts.vocabulary import Accelerator, Cloud


@dataclass(frozen=True)
class Machine:
    """One machine type; `accelerators` counts whole GPUs."""

    vcpus: int
    memory_gib: int
    accelerator: Accelerator | None = None
    accelerators: int = 0
    eks_max_pods: int = 0
    """Pods that EKS lets run there, by which its kubelet keeps memory; 0 on Google Cloud.

    Addresses of the first network card less one for each of its interfaces, and two pods of the host's network; at
    most 110 below 30 vCPUs and 250 above (EKS user guide, "Assign more IP addresses to Amazon EKS nodes with
    prefixes", read in November 2026).
    """


_AWS: Mapping[str, Machine] = {
    "m7i.large": Machine(2, 8, eks_max_pods=29),
    "m7i.xlarge": Machine(4, 16, eks_max_pods=58),
    "m7i.2xlarge": Machine(8, 32, eks_max_pods=58),
    "g5.xlarge": Machine(4, 16, Accelerator.A10G, 1, eks_max_pods=58),
    "g5.2xlarge": Machine(8, 32, Accelerator.A10G, 1, eks_max_pods=58),
    "g5.12xlarge": Machine(48, 192, Accelerator.A10G, 4, eks_max_pods=250),
    "g6.xlarge": Machine(4, 16, Accelerator.L4, 1, eks_max_pods=58),
    "g6.2xlarge": Machine(8, 32, Accelerator.L4, 1, eks_max_pods=58),
    "g6.12xlarge": Machine(48, 192, Accelerator.L4, 4, eks_max_pods=234),
    "g6e.xlarge": Machine(4, 32, Accelerator.L40S, 1, eks_max_pods=58),
    "g6e.2xlarge": Machine(8, 64, Accelerator.L40S, 1, eks_max_pods=58),
    "g6e.12xlarge": Machine(48, 384, Accelerator.L40S, 4, eks_max_pods=250),
    "p4d.24xlarge": Machine(96, 1152, Accelerator.A100, 8, eks_max_pods=250),
    "p5.48xlarge": Machine(192, 2048, Accelerator.H100, 8, eks_max_pods=100),
}

_GCP: Mapping[str, Machine] = {
    "e2-standard-2": Machine(2, 8),
    "e2-standard-4": Machine(4, 16),
    "e2-standard-8": Machine(8, 32),
    "n2-standard-4": Machine(4, 16),
    "g2-standard-4": Machine(4, 16, Accelerator.L4, 1),
    "g2-standard-8": Machine(8, 32, Accelerator.L4, 1),
    "g2-standard-24": Machine(24, 96, Accelerator.L4, 2),
    "g2-standard-48": Machine(48, 192, Accelerator.L4, 4),
    "a2-highgpu-1g": Machine(12, 85, Accelerator.A100, 1),
    "a2-highgpu-4g": Machine(48, 340, Accelerator.A100, 4),
    "a3-highgpu-1g": Machine(26, 234, Accelerator.H100, 1),
    "a3-highgpu-8g": Machine(208, 1872, Accelerator.H100, 8),
}

MACHINES: Mapping[Cloud, Mapping[str, Machine]] = {Cloud.AWS: _AWS, Cloud.GCP: _GCP}
