"""When pulumi-kubernetes counts an object as ready: what it waits for, by kind.

Deployments, services and quotas: await/awaiters.go at 010f5d8, read 2026-11-21. That table waits for no namespace and
no definition of custom resources; here they are waited for, so that what comes next finds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.kubernetes.control_plane.client import ClusterClient


def what_is_missing(live: Mapping[str, Any], client: ClusterClient) -> str | None:
    """What an object lacks to be ready, in words; None if nothing."""
    match live["kind"]:
        case "Namespace":
            return None if (live.get("status") or {}).get("phase") == "Active" else "it is not active yet"
        case "Deployment":
            return _of_deployment(live, client)
        case "Service":
            return _of_service(live, client)
        case "ResourceQuota":
            hard = (live.get("status") or {}).get("hard")
            return None if hard == live["spec"].get("hard") else "the quota is not counted yet"
        case "CustomResourceDefinition":
            conditions = (live.get("status") or {}).get("conditions") or []
            return None if _is_so(conditions, "Established") else "its API is not served yet"
        case _:
            return None


def _of_deployment(live: Mapping[str, Any], client: ClusterClient) -> str | None:
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return "no controller has seen it yet"
    conditions = status.get("conditions") or []
    counts = {key: int(status.get(key) or 0) for key in ("updatedReplicas", "readyReplicas", "replicas")}
    is_current = counts["updatedReplicas"] >= wanted and counts["replicas"] == counts["updatedReplicas"]
    is_up = wanted == 0 or (_is_so(conditions, "Available") and counts["readyReplicas"] >= wanted)
    if is_current and is_up:
        return None
    told = f"{counts['readyReplicas']} of {wanted} replicas are ready, {counts['updatedReplicas']} are up to date"
    return "; ".join([told, *_complaints(live, conditions, client)])


def _complaints(live: Mapping[str, Any], conditions: list[Mapping[str, Any]], client: ClusterClient) -> list[str]:
    """What the controllers and the scheduler say of a deployment that does not come up."""
    told = [
        str(c.get("message"))
        for c in conditions
        if (c["type"], c["status"]) in (("ReplicaFailure", "True"), ("Progressing", "False"))
    ]
    selector = ",".join(f"{key}={value}" for key, value in live["spec"]["selector"].get("matchLabels", {}).items())
    for pod in client.list("v1", "Pod", live["metadata"]["namespace"], selector):
        for condition in (pod.get("status") or {}).get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                told.append(str(condition.get("message")))
    return list(dict.fromkeys(told))


def _of_service(live: Mapping[str, Any], client: ClusterClient) -> str | None:
    spec = live["spec"]
    if not spec.get("selector") or spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName":
        return None
    metadata = live["metadata"]
    slices = client.list(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        metadata["namespace"],
        f"kubernetes.io/service-name={metadata['name']}",
    )
    endpoints = [endpoint for found in slices for endpoint in found.get("endpoints") or []]
    if any((endpoint.get("conditions") or {}).get("ready") for endpoint in endpoints):
        return None
    return "it has no ready endpoint: its selector finds no ready pod"


def _is_so(conditions: list[Mapping[str, Any]], kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)
