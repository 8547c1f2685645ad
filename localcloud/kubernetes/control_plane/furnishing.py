"""What a cloud brings to its clusters beside the version's own API: its own definitions, and pods on every node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from components.contracts.capacity import DAEMONS
from components.contracts.vocabulary import Cloud
from localcloud.kubernetes.control_plane.plane import ControlPlane
from localcloud.kubernetes.waiting import what_is_missing

_ESTABLISHED_SECONDS: Final = 30.0


def furnish(plane: ControlPlane, cloud: Cloud) -> None:
    """Make the control plane one of `cloud`.

    Raises:
        UserError: it does not take a definition in time.
    """
    brought = [*DEFINITIONS[cloud], daemons(cloud)]
    for manifest in brought:
        plane.client.apply(manifest, manager=f"{cloud}-local")

    def is_established() -> bool:
        live = [plane.client.get(m["apiVersion"], m["kind"], m["metadata"]["name"]) for m in DEFINITIONS[cloud]]
        return all(found is not None and what_is_missing(found, plane.client) is None for found in live)

    plane.wait_until("the cloud's own APIs are served", _ESTABLISHED_SECONDS, is_established)


def daemons(cloud: Cloud) -> dict[str, Any]:
    """What runs on every node of the cloud beside the stack, as one DaemonSet that asks for as much."""
    room = DAEMONS[cloud]
    labels = {"app.kubernetes.io/name": "node-agents"}
    requests = {"cpu": f"{room.cpu_millicores}m", "memory": f"{room.memory_mib}Mi"}
    container = {"name": "agents", "image": "local/node-agents", "resources": {"requests": requests}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "node-agents", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [container],
                    "priorityClassName": "system-node-critical",
                    "tolerations": [{"operator": "Exists"}],
                },
            },
        },
    }


def _anything() -> dict[str, Any]:
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _compute_class() -> dict[str, Any]:
    """GKE's ComputeClass, with the fields of its reference that a stack may set; what is below others is not checked.

    cloud.google.com/kubernetes-engine/docs/reference/crds/computeclass, as read into `components.kubernetes.
    compute_class` on 2026-11-21; that GKE's definition refuses other fields is believed.
    """
    text, number = {"type": "string"}, {"type": "integer"}
    priority = {
        "type": "object",
        "properties": {
            "nodepools": {"type": "array", "items": text},
            "reservations": _anything(),
            "gpu": _anything(),
            "storage": _anything(),
            "flexStart": _anything(),
            "machineFamily": text,
            "machineType": text,
            "spot": {"type": "boolean"},
            "minCores": number,
            "minMemoryGb": number,
            "maxRunDurationSeconds": number,
        },
    }
    spec = {
        "type": "object",
        "required": ["priorities"],
        "properties": {
            "description": text,
            "priorities": {"type": "array", "items": priority},
            "nodePoolAutoCreation": {"type": "object", "properties": {"enabled": {"type": "boolean"}}},
            "whenUnsatisfiable": {"type": "string", "enum": ["DoNotScaleUp", "ScaleUpAnyway"]},
            "activeMigration": _anything(),
            "autoscalingPolicy": _anything(),
            "nodePoolConfig": _anything(),
            "priorityDefaults": _anything(),
        },
    }
    schema = {"type": "object", "properties": {"spec": spec, "status": _anything()}}
    return _definition("cloud.google.com", "v1", "ComputeClass", "computeclasses", schema)


def _definition(group: str, version: str, kind: str, plural: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    served = {
        "name": version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": "Cluster",
            "versions": [served],
        },
    }


DEFINITIONS: Final[Mapping[Cloud, tuple[Mapping[str, Any], ...]]] = {Cloud.AWS: (), Cloud.GCP: (_compute_class(),)}
"""The custom resources that a cloud's clusters have and stacks use."""
