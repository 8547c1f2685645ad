"""Who goes first when machines are short: three classes of pods.

Not `system-cluster-critical`: GKE limits it to `kube-system` by a quota (Kubernetes' docs, "Limit Priority Class
consumption by default", believed for GKE). The node autoscaler lies there and has it: it must come before all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.kubernetes.pods import metadata

ESSENTIAL: Final = "seawall-essential"
"""What all services depend on: the measures that they grow by."""
SERVING: Final = "seawall-serving"
"""What answers requests."""
WARM: Final = "seawall-warm"
"""What holds machines ready, and gives way to everything else."""

VALUES: Final[Mapping[str, int]] = {ESSENTIAL: 1_000_000, SERVING: 100_000, WARM: -10}
"""Pods without a class have 0. Below -10 the node autoscalers add no machine for a pod (cluster-autoscaler's FAQ,
`--expendable-pods-priority-cutoff`, and GKE's guide "Provision extra compute capacity for rapid Pod scaling", whose
spare pods have -10; the number is believed, 2026-11-22)."""


def priority_class(name: str, description: str, options: pulumi.ResourceOptions) -> PriorityClass:
    """One of the classes of `VALUES`; pods of `WARM` push nobody out."""
    return PriorityClass(
        name,
        metadata=metadata(name),
        value=VALUES[name],
        preemption_policy="Never" if VALUES[name] < 0 else "PreemptLowerPriority",
        description=description,
        opts=options,
    )
