"""The stack on its control plane, as the checks see it: its objects as they are there, and how to move it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from common.console import Steps
from components.contracts import serving
from components.contracts.services import Variant
from localcloud.cluster import ControlPlane, NodeGroup, RefusedError
from ops.rehearse.firewall import Firewall, Peer
from ops.rehearse.groups import GroupScaler
from ops.rehearse.model import Report
from ops.rehearse.tempo import Tempo
from stacks.settings import Settings

FLEET: Final = serving.APP
APP_LABEL: Final = "app.kubernetes.io/name"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
_POLL_SECONDS: Final = 0.1
MANAGER_ANNOTATION: Final = "seawall.dev/rehearsed-at"


@dataclass
class Stage:
    """Everything that a check may use; checks write into `report` and leave the stack as they found it."""

    plane: ControlPlane
    settings: Settings
    variant: Variant
    """Whose replicas are tried; the others' wait."""
    objects: Sequence[Mapping[str, Any]]
    """The stack's objects, as the API server has them."""
    scaler: GroupScaler
    tempo: Tempo
    report: Report
    steps: Steps
    patience_seconds: float = 120.0
    """After which something that has not come will not."""
    _peers: dict[str, Mapping[str, str]] = field(default_factory=dict)

    # Reading

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The stack's objects of a kind."""
        return [item for item in self.objects if item["kind"] == kind]

    def one(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The stack's object of that kind and name, if it has one."""
        return next((item for item in self.of(kind) if item["metadata"]["name"] == name), None)

    @property
    def name(self) -> str:
        """What the variant's objects are called."""
        return self.variant.object_name

    def on(self, variant: Variant) -> Stage:
        """The same stage, with another variant's replicas to try."""
        return replace(self, variant=variant)

    def pods(self) -> list[dict[str, Any]]:
        """The variant's pods that are not on their way out."""
        labels = {
            APP_LABEL: FLEET,
            serving.SERVICE_LABEL: self.variant.service,
            serving.VARIANT_LABEL: self.variant.name,
        }
        return self.pods_of(",".join(f"{key}={value}" for key, value in labels.items()), serving.NAMESPACE)

    def pods_of(self, selector: str, namespace: str) -> list[dict[str, Any]]:
        """Selected pods that are not on their way out."""
        found = self.plane.client.list("v1", "Pod", namespace, selector=selector)
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def ready(self) -> list[dict[str, Any]]:
        """The variant's pods that are ready."""
        return [pod for pod in self.pods() if is_ready(pod)]

    def deployment(self) -> dict[str, Any]:
        """The variant's, as it is now."""
        found = self.plane.client.get("apps/v1", "Deployment", self.name, serving.NAMESPACE)
        if found is None:
            raise LookupError(f"Deployment {serving.NAMESPACE}/{self.name}")
        return found

    def zones(self) -> dict[str, str]:
        """Node → zone."""
        nodes = self.plane.client.list("v1", "Node")
        return {node["metadata"]["name"]: node["metadata"]["labels"].get(ZONE_LABEL, "") for node in nodes}

    def serving_groups(self) -> list[NodeGroup]:
        """The groups of machines that serve on the variant's accelerator."""
        wanted = str(self.variant.spec.accelerator)
        return [g for g in self.plane.nodes.groups if dict(g.labels).get(serving.ACCELERATOR_LABEL) == wanted]

    def serving_nodes(self) -> list[str]:
        """Their machines."""
        return [name for group in self.serving_groups() for name in self.plane.nodes.names(group.name)]

    @property
    def machines(self) -> str:
        """What they are called in the report."""
        return "GPU machines" if self.variant.spec.gpu else "serving machines"

    def firewall(self) -> Firewall:
        """The stack's network policies."""
        return Firewall(self.of("NetworkPolicy"))

    def peer(self, app: str, namespace: str) -> Peer:
        """A pod of an application, by the labels of its template."""
        for item in self.objects:
            template = pod_template(item)
            if template and item["metadata"].get("namespace") == namespace:
                labels = template["metadata"].get("labels") or {}
                if labels.get(APP_LABEL) == app:
                    return Peer(namespace, labels, self.namespace_labels(namespace), ports=named_ports(template))
        raise LookupError(f"{namespace}/{app}")

    def namespace_labels(self, namespace: str) -> Mapping[str, str]:
        """The labels of a namespace, as the API server has them."""
        if namespace not in self._peers:
            found = self.plane.client.get("v1", "Namespace", namespace) or {"metadata": {}}
            self._peers[namespace] = found["metadata"].get("labels") or {}
        return self._peers[namespace]

    # Moving

    def scale(self, replicas: int) -> None:
        """Set the variant's number of replicas, as a person would."""
        self.plane.client.patch(
            "apps/v1", "Deployment", self.name, {"spec": {"replicas": replicas}}, serving.NAMESPACE, "scale"
        )

    def restart(self) -> None:
        """Begin a rollout, as `kubectl rollout restart`."""
        annotations = {MANAGER_ANNOTATION: f"{time.time():.3f}"}
        self.plane.client.patch(
            "apps/v1",
            "Deployment",
            self.name,
            {"spec": {"template": {"metadata": {"annotations": annotations}}}},
            serving.NAMESPACE,
        )

    def unmark(self) -> None:
        """Take a rollout's mark away, so that the template is the stack's again."""
        self.plane.client.patch(
            "apps/v1",
            "Deployment",
            self.name,
            {"spec": {"template": {"metadata": {"annotations": {MANAGER_ANNOTATION: None}}}}},
            serving.NAMESPACE,
        )

    def wait(self, is_so: Callable[[], bool], seconds: float | None = None) -> float | None:
        """Seconds until it was so; None if it did not become so in time.

        Raises:
            UserError: a part of the control plane died meanwhile.
        """
        began = time.monotonic()
        limit = seconds if seconds is not None else self.patience_seconds
        while True:
            self.plane.check()
            if self.scaler.error is not None:
                raise self.scaler.error
            try:
                if is_so():
                    return time.monotonic() - began
            except RefusedError as error:
                if error.status < 500:
                    raise
            if time.monotonic() - began > limit:
                return None
            time.sleep(_POLL_SECONDS)

    def settled(self, replicas: int) -> bool:
        """Whether the variant has exactly so many replicas of its newest template, all of them available."""
        found = self.deployment()
        status = found.get("status") or {}
        return (
            status.get("observedGeneration") == found["metadata"]["generation"]
            and found["spec"].get("replicas") == replicas
            and status.get("replicas", 0) == replicas
            and status.get("updatedReplicas", 0) == replicas
            and status.get("availableReplicas", 0) == replicas
            and len(self.pods()) == replicas
        )

    def why_not(self) -> str:
        """What keeps the variant from settling, in the words of the scheduler and the controllers."""
        status = self.deployment().get("status") or {}
        said = [
            f"{status.get('updatedReplicas', 0)} new, {status.get('availableReplicas', 0)} available of "
            f"{status.get('replicas', 0)}"
        ]
        said += [
            condition["message"]
            for condition in status.get("conditions") or ()
            if condition["type"] == "ReplicaFailure" or condition.get("reason") == "ProgressDeadlineExceeded"
        ]
        return "; ".join([*said, *unplaced(self.pods())])


def is_ready(item: Mapping[str, Any]) -> bool:
    """Whether a pod or node has the condition Ready."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def pod_template(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The template of a workload's pods; None of what makes none."""
    spec = item.get("spec") or {}
    if item["kind"] == "CronJob":
        return spec["jobTemplate"]["spec"]["template"]
    return spec["template"] if item["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job") else None


def named_ports(template: Mapping[str, Any]) -> dict[str, int]:
    """The pod's ports that have a name."""
    return {
        port["name"]: port["containerPort"]
        for container in template["spec"]["containers"]
        for port in container.get("ports") or ()
        if port.get("name")
    }


def unplaced(pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many of these pods wait for a machine, and why, in the scheduler's words; empty where none does."""
    waiting = [pod for pod in pods if not pod["spec"].get("nodeName")]
    messages = {
        condition.get("message", "")
        for pod in waiting
        for condition in (pod.get("status") or {}).get("conditions") or ()
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    }
    return [f"{len(waiting)} pods without a machine: {message}" for message in sorted(messages)[:1]]
