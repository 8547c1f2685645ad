"""Machine types that pools may use, with their sizes and the GPUs they carry.

AWS: as EC2's DescribeInstanceTypes answers; a test compares them with the copy of its answers that moto carries.
Google Cloud: cloud.google.com/compute/docs/accelerator-optimized-machines and …/general-purpose-machines, read in
November 2026; what they call GB is 2^30 bytes. There an N1 machine carries the T4s that stand here with it: other
numbers of them are possible, and none.
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
    nvme_gib: int = 0
    """Local NVMe that comes with the machine and is lost with it; what can be added to it is not counted."""


_AWS: Mapping[str, Machine] = {
    "m7i.large": Machine(2, 8, eks_max_pods=29),
    "m7i.xlarge": Machine(4, 16, eks_max_pods=58),
    "m7i.2xlarge": Machine(8, 32, eks_max_pods=58),
    "g4dn.xlarge": Machine(4, 16, Accelerator.T4, 1, eks_max_pods=29, nvme_gib=116),
    "g4dn.2xlarge": Machine(8, 32, Accelerator.T4, 1, eks_max_pods=29, nvme_gib=209),
    "g4dn.12xlarge": Machine(48, 192, Accelerator.T4, 4, eks_max_pods=234, nvme_gib=838),
    "g5.xlarge": Machine(4, 16, Accelerator.A10G, 1, eks_max_pods=58, nvme_gib=232),
    "g5.2xlarge": Machine(8, 32, Accelerator.A10G, 1, eks_max_pods=58, nvme_gib=419),
    "g5.12xlarge": Machine(48, 192, Accelerator.A10G, 4, eks_max_pods=250, nvme_gib=3539),
    "g6.xlarge": Machine(4, 16, Accelerator.L4, 1, eks_max_pods=58, nvme_gib=232),
    "g6.2xlarge": Machine(8, 32, Accelerator.L4, 1, eks_max_pods=58, nvme_gib=419),
    "g6.12xlarge": Machine(48, 192, Accelerator.L4, 4, eks_max_pods=234, nvme_gib=3501),
    "g6e.xlarge": Machine(4, 32, Accelerator.L40S, 1, eks_max_pods=58, nvme_gib=232),
    "g6e.2xlarge": Machine(8, 64, Accelerator.L40S, 1, eks_max_pods=58, nvme_gib=419),
    "g6e.12xlarge": Machine(48, 384, Accelerator.L40S, 4, eks_max_pods=250, nvme_gib=3539),
    "g7e.2xlarge": Machine(8, 64, Accelerator.RTX_PRO_6000, 1, eks_max_pods=110, nvme_gib=1769),
    "g7e.12xlarge": Machine(48, 512, Accelerator.RTX_PRO_6000, 2, eks_max_pods=250, nvme_gib=3539),
    "p4d.24xlarge": Machine(96, 1152, Accelerator.A100, 8, eks_max_pods=250, nvme_gib=7450),
    "p4de.24xlarge": Machine(96, 1152, Accelerator.A100_80GB, 8, eks_max_pods=250, nvme_gib=7450),
    "p5.4xlarge": Machine(16, 256, Accelerator.H100, 1, eks_max_pods=110, nvme_gib=3539),
    "p5.48xlarge": Machine(192, 2048, Accelerator.H100, 8, eks_max_pods=100, nvme_gib=28312),
    "p5e.48xlarge": Machine(192, 2048, Accelerator.H200, 8, eks_max_pods=100, nvme_gib=28312),
    "p5en.48xlarge": Machine(192, 2048, Accelerator.H200, 8, eks_max_pods=198, nvme_gib=28312),
    "p6-b200.48xlarge": Machine(192, 2048, Accelerator.B200, 8, eks_max_pods=198, nvme_gib=28312),
}

_GCP: Mapping[str, Machine] = {
    "e2-standard-2": Machine(2, 8),
    "e2-standard-4": Machine(4, 16),
    "e2-standard-8": Machine(8, 32),
    "n2-standard-4": Machine(4, 16),
    "n1-standard-4": Machine(4, 15, Accelerator.T4, 1),
    "n1-standard-8": Machine(8, 30, Accelerator.T4, 1),
    "n1-standard-16": Machine(16, 60, Accelerator.T4, 4),
    "g2-standard-4": Machine(4, 16, Accelerator.L4, 1),
    "g2-standard-8": Machine(8, 32, Accelerator.L4, 1),
    "g2-standard-24": Machine(24, 96, Accelerator.L4, 2),
    "g2-standard-48": Machine(48, 192, Accelerator.L4, 4),
    "g4-standard-48": Machine(48, 180, Accelerator.RTX_PRO_6000, 1),
    "a2-highgpu-1g": Machine(12, 85, Accelerator.A100, 1),
    "a2-highgpu-4g": Machine(48, 340, Accelerator.A100, 4),
    "a2-ultragpu-1g": Machine(12, 170, Accelerator.A100_80GB, 1, nvme_gib=375),
    "a2-ultragpu-4g": Machine(48, 680, Accelerator.A100_80GB, 4, nvme_gib=1500),
    "a3-highgpu-1g": Machine(26, 234, Accelerator.H100, 1, nvme_gib=750),
    "a3-highgpu-8g": Machine(208, 1872, Accelerator.H100, 8, nvme_gib=6000),
    "a3-ultragpu-8g": Machine(224, 2952, Accelerator.H200, 8, nvme_gib=12000),
    "a4-highgpu-8g": Machine(224, 3968, Accelerator.B200, 8, nvme_gib=12000),
}

MACHINES: Mapping[Cloud, Mapping[str, Machine]] = {Cloud.AWS: _AWS, Cloud.GCP: _GCP}
