"""The status that controllers give to Kubernetes objects once they are ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def status_of(kind: str, spec: Mapping[str, Any], generation: int) -> dict[str, Any] | None:
    """The status of a ready object; None for kinds that have none."""
    replicas = int(spec.get("replicas", 1))
    ready = {"observedGeneration": generation, "replicas": replicas, "readyReplicas": replicas}
    match kind:
        case "Namespace":
            return {"phase": "Active"}
        case "Deployment":
            conditions = [_condition("Available"), _condition("Progressing")]
            return {**ready, "availableReplicas": replicas, "updatedReplicas": replicas, "conditions": conditions}
        case "Service":
            return {"loadBalancer": {}}
        case "HorizontalPodAutoscaler":
            current = int(spec.get("minReplicas", 1))
            scaling = [_condition("AbleToScale"), _condition("ScalingActive")]
            return {"currentReplicas": current, "desiredReplicas": current, "conditions": scaling}
        case "PodDisruptionBudget":
            counts = ("currentHealthy", "desiredHealthy", "expectedPods")
            return {"observedGeneration": generation, "disruptionsAllowed": 0, **dict.fromkeys(counts, 1)}
        case "APIService":
            return {"conditions": [_condition("Available")]}
        case _:
            return None


def _condition(kind: str) -> dict[str, str]:
    return {"type": kind, "status": "True"}
