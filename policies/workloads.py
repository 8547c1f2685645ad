"""Workloads of Kubernetes: where each kind keeps its pods and containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, failed, is_hidden, items, read, shown, unreadable
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.tokens import DEPLOYMENT, NAMESPACE

NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
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


def network_policies(workload: Resource, inventory: Inventory) -> list[Resource]:
    """The network policies of the workload's namespace that select its pods."""
    labels = pod_labels(workload)
    return [
        policy
        for policy in inventory.of_type(NETWORK_POLICY)
        if _same_namespace(inventory, policy, workload) and _selects(policy, labels)
    ]


def _same_namespace(inventory: Inventory, policy: Resource, workload: Resource) -> bool:
    own, theirs = read(workload, "metadata.namespace"), read(policy, "metadata.namespace")
    if is_hidden(own) or is_hidden(theirs):
        linked = inventory.linked(workload, "metadata", NAMESPACE)
        return bool(linked) and linked == inventory.linked(policy, "metadata", NAMESPACE)
    return theirs == own


def _selects(policy: Resource, labels: Mapping[str, object]) -> bool:
    if read(policy, "spec.podSelector.matchExpressions") not in (ABSENT, []):
        return False
    wanted = read(policy, "spec.podSelector.matchLabels")
    if is_hidden(wanted):
        return False
    return not isinstance(wanted, Mapping) or all(labels.get(key) == value for key, value in wanted.items())


_PERCENT: Final = re.compile(r"(\d+)%")
_DURATION: Final = re.compile(r"([0-9]{1,5})(s|m|h)")
_OWN: Final = re.compile(r"^(oci://)?(\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com|[a-z0-9-]+-docker\.pkg\.dev)/")
HOLDS_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


def lets_some_go(value: Any) -> bool:
    """Whether a `maxUnavailable` lets a pod go: 1 or more, or a part of the replicas."""
    part = _PERCENT.fullmatch(str(value))
    return int(part[1]) > 0 if part else isinstance(value, (int, float)) and value >= 1


def seconds_of(duration: str) -> int:
    """A duration as the Gateway API writes whole ones; 0 for what is none."""
    found = _DURATION.fullmatch(duration)
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0


def is_own_image(image: str) -> bool:
    """Whether an image or a chart is a cloud registry's of one's own, and named by digest."""
    return bool(_OWN.match(image) and HOLDS_DIGEST.search(image))
