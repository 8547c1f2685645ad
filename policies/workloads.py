"""Workloads of Kubernetes: where each kind keeps its pods and containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.checks import failed, items, read, shown, unreadable
from policies.inventory import Resource
from policies.model import Judgement
from policies.tokens import DEPLOYMENT

_CRON_JOB = "kubernetes:batch/v1:CronJob"

LONG_RUNNING = (DEPLOYMENT, "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet")
WORKLOADS = (*LONG_RUNNING, "kubernetes:batch/v1:Job", _CRON_JOB)


def _template(workload: Resource) -> str:
    return "spec.jobTemplate.spec.template" if workload.type == _CRON_JOB else "spec.template"


def pod_path(workload: Resource) -> str:
    """The path of the pod's spec."""
    return f"{_template(workload)}.spec"


def pod_labels(workload: Resource) -> Mapping[str, object]:
    """The labels of its pods; none where the plan does not know them."""
    labels = read(workload, f"{_template(workload)}.metadata.labels")
    return labels if isinstance(labels, Mapping) else {}


def containers(workload: Resource, *, with_init: bool = True) -> Iterator[str]:
    """The paths of its containers."""
    pod = pod_path(workload)
    yield from items(workload, f"{pod}.containers")
    if with_init:
        yield from items(workload, f"{pod}.initContainers")


def unreadable_containers(workload: Resource) -> Judgement | None:
    """What follows if the containers cannot be read, or there are none."""
    pod, required = pod_path(workload), "containers that the plan knows"
    for field in ("containers", "initContainers"):
        hidden = unreadable(workload, f"{pod}.{field}", required)
        if hidden:
            return hidden
    path = f"{pod}.containers"
    value = read(workload, path)
    return None if isinstance(value, list) and value else failed(path, shown(value), "a list of containers")
