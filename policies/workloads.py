"""Workloads of Kubernetes: where each kind keeps its pods and containers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import ABSENT, failed, is_hidden, items, read, shown, unknown, unreadable
from policies.cluster_objects import POD, POD_TEMPLATE
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.nodes import Node, node
from policies.tokens import (
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    NAMESPACE,
    NETWORK_POLICY,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
)

CONTROLLED = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
BARE = (POD, REPLICA_SET, REPLICATION_CONTROLLER)
"""Pods that nothing rolls out, and some that nothing replaces."""
LONG_RUNNING = (*CONTROLLED, *BARE[1:])
WORKLOADS = (*LONG_RUNNING, JOB, CRON_JOB, POD, POD_TEMPLATE)
"""Every kind that makes pods; the pods of other kinds are judged as templates (`policies.cluster_objects`)."""

_TEMPLATES: Final[Mapping[str, str]] = {
    CRON_JOB: "spec.jobTemplate.spec.template.",
    POD: "",
    POD_TEMPLATE: "template.",
}
_KINDS_OF_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")


def _template(workload: Resource) -> str:
    return _TEMPLATES.get(workload.type, "spec.template.")


def pod_path(workload: Resource) -> str:
    """The path of the pod's spec."""
    return f"{_template(workload)}spec"


def pod_labels(workload: Resource) -> Mapping[str, object]:
    """The labels of its pods; none where the plan does not know them."""
    labels = read(workload, f"{_template(workload)}metadata.labels")
    return labels if isinstance(labels, Mapping) else {}


def pod_annotations(workload: Resource) -> Node:
    """The annotations of its pods."""
    return node(workload, f"{_template(workload)}metadata.annotations")


def containers(workload: Resource, *, with_init: bool = True) -> Iterator[str]:
    """The paths of its containers; with what runs before and beside them, or was put in to look around."""
    pod = pod_path(workload)
    for kind in _KINDS_OF_CONTAINERS if with_init else _KINDS_OF_CONTAINERS[:1]:
        yield from items(workload, f"{pod}.{kind}")


def container_nodes(workload: Resource) -> Iterator[Node]:
    """Its containers of every kind; what is no readable list is a container that the plan does not know."""
    pod = pod_path(workload)
    for kind in _KINDS_OF_CONTAINERS:
        yield from node(workload, f"{pod}.{kind}").members()


def unreadable_containers(workload: Resource) -> Judgement | None:
    """What follows if the containers cannot be read, or there are none."""
    pod, required = pod_path(workload), "containers that the plan knows"
    for kind in _KINDS_OF_CONTAINERS:
        hidden = unreadable(workload, f"{pod}.{kind}", required)
        if hidden and not (type(workload) is not Resource and kind != "containers"):
            return hidden
        value = read(workload, f"{pod}.{kind}")
        listed = value if isinstance(value, list) else []
        odd = value is not ABSENT and not is_hidden(value) and not isinstance(value, list)
        if odd or any(not isinstance(each, Mapping) for each in listed):
            unread = next((i for i, each in enumerate(listed) if is_hidden(each)), None)
            if unread is not None:
                return unknown(f"{pod}.{kind}.{unread}", required)
            return failed(f"{pod}.{kind}", shown(value), "a list of containers")
    path = f"{pod}.containers"
    value = read(workload, path)
    return None if isinstance(value, list) and value else failed(path, shown(value), "a list of containers")


def network_policies(workload: Resource, inventory: Inventory) -> list[Resource]:
    """The network policies of the workload's namespace that select its pods."""
    labels = pod_labels(workload)
    return [
        policy
        for policy in inventory.of_type(NETWORK_POLICY)
        if same_namespace(inventory, policy, workload) and _selects(policy, labels)
    ]


def same_namespace(inventory: Inventory, policy: Resource, workload: Resource) -> bool:
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
HOLDS_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}\Z")


def lets_some_go(value: Any) -> bool:
    """Whether a `maxUnavailable` lets a pod go: 1 or more, or a part of the replicas."""
    part = _PERCENT.fullmatch(str(value))
    if part:
        return int(part[1]) > 0
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    return isinstance(number, (int, float)) and not isinstance(number, bool) and number >= 1


def keeps_some(value: Any, replicas: int = 2) -> bool:
    """Whether a `maxUnavailable` lets a pod go, and leaves one of the fewest replicas that there may be."""
    part = _PERCENT.fullmatch(str(value))
    gone = math.ceil(int(part[1]) * replicas / 100) if part else float(value)
    return lets_some_go(value) and gone < replicas


def seconds_of(duration: str) -> int:
    """A duration as the Gateway API writes whole ones; 0 for what is none."""
    found = _DURATION.fullmatch(duration)
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0


def is_own_image(image: str) -> bool:
    """Whether an image or a chart is a cloud registry's of one's own, and named by digest."""
    return bool(_OWN.match(image) and HOLDS_DIGEST.search(image))
