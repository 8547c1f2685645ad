"""Workloads: they run, and stand where they were meant to, behind what must go first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.contracts.serving import GPU_TAINT_KEY
from policies.checks import all_of, failed, read, shown, unknown
from policies.examples import Hidden, both, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.nodes import Node, must, must_not_be_true, node
from policies.quantities import quantity
from policies.tokens import CRON_JOB, DEPLOYMENT, JOB, PRIORITY
from policies.workloads import BARE, CONTROLLED, WORKLOADS, container_nodes, pod_path, unreadable_containers

family = Family("Where workloads run")

_JOBS: Final = (JOB, CRON_JOB)
_POD: Final = "spec.template.spec"
_GPU: Final = "nvidia.com/gpu"
_HIGHEST: Final = 1_000_000
"""What all services depend on; nothing of the platform goes before that."""
_SYSTEM: Final = ("system-node-critical", "system-cluster-critical")
_OF_SYSTEM: Final = (("kube-system", "cluster-autoscaler"),)
"""Workloads that may go first in the whole cluster."""


@family.rule(
    "k8s-workloads-run",
    Severity.HIGH,
    "Workloads run: none is stopped, paused, or a pod that nothing replaces",
    types=(*CONTROLLED, *BARE, *_JOBS),
    rationale="A Deployment without replicas or one that is paused looks as before, and answers nobody; a bare "
    "pod is gone with its machine.",
    remedy="Leave replicas to the autoscaler or keep one at least, and let a Deployment make the pods.",
    examples=lambda: examples(
        given(DEPLOYMENT, {"spec.replicas": 2}),
        broken={
            "spec.replicas is 0": put("spec.replicas", 0),
            "spec.paused is true": put("spec.paused", True),
            "spec.minReadySeconds is 86400": put("spec.minReadySeconds", 86400),
        },
        undecided={"spec.replicas is known only to the provider": put("spec.replicas", Hidden())},
        accepted={"": (drop("spec.replicas"), put("spec.paused", False))},
    ),
)
def workloads_run(workload: Resource, _: Inventory) -> Judgement:
    kind = workload.type.rsplit(":", 1)[-1]
    if workload.type in BARE:
        return failed("", f"a {kind} by itself", "a Deployment, which replaces and rolls out its pods")
    return all_of(
        (
            must(node(workload, "spec.replicas"), "1 or more", lambda v: (quantity(v) or 0) >= 1, given=False),
            must_not_be_true(node(workload, "spec.paused")),
            must_not_be_true(node(workload, "spec.suspend")),
            must(node(workload, "spec.minReadySeconds"), "minutes", lambda v: (quantity(v) or 0) <= 600, given=False),
        )
    )


@family.rule(
    "k8s-pods-placed-by-the-scheduler",
    Severity.MEDIUM,
    "Pods stand where the scheduler puts them, and on GPU machines only where they use a GPU",
    types=WORKLOADS,
    rationale="A pod that tolerates everything, or names its machine, takes a GPU's place or that of the control "
    "plane's own, and no drain moves it for long.",
    remedy=f"Remove nodeName and tolerations without a key; tolerate {GPU_TAINT_KEY} where a GPU is asked for.",
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                f"{_POD}.containers.0.resources.limits": {_GPU: "1"},
                f"{_POD}.tolerations.0": {"key": GPU_TAINT_KEY, "operator": "Exists", "effect": "NoSchedule"},
            },
            "placed",
        ),
        broken={
            f'{_POD}.nodeName is "machine-1"': put(f"{_POD}.nodeName", "machine-1"),
            f'{_POD}.schedulerName is "own"': put(f"{_POD}.schedulerName", "own"),
            f'{_POD}.tolerations.0 is {{"operator": "Exists"}}': put(f"{_POD}.tolerations.0", {"operator": "Exists"}),
            f'{_POD}.tolerations.0.key is "{GPU_TAINT_KEY}"': put(
                f"{_POD}.containers.0.resources", {"limits": {"memory": "1Gi"}}
            ),
        },
        undecided={
            f"{_POD}.nodeName is known only to the provider": put(f"{_POD}.nodeName", Hidden()),
            f"{_POD}.tolerations is known only to the provider": put(f"{_POD}.tolerations", Hidden()),
        },
        accepted={"": drop(f"{_POD}.tolerations")},
    ),
)
def placed_by_the_scheduler(workload: Resource, _: Inventory) -> Judgement:
    pod = node(workload, pod_path(workload))
    return unreadable_containers(workload) or all_of(_placed(pod, list(container_nodes(workload))))


def _placed(pod: Node, containers: list[Node]) -> Iterator[Judgement]:
    yield must(pod.at("nodeName"), "absent", lambda value: value == "", given=False)
    yield must(pod.at("schedulerName"), "the cluster's own", lambda value: value == "default-scheduler", given=False)
    gpus = [each.at("resources", field, _GPU) for each in containers for field in ("limits", "requests")]
    uses = any(not each.absent and not each.hidden for each in gpus)
    unread = next((each for each in gpus if each.hidden), None)
    for toleration in pod.at("tolerations").members():
        key = toleration.at("key")
        if toleration.hidden or key.hidden:
            yield unknown(toleration.path, "a named taint")
        elif key.absent or key.value == "":
            yield failed(toleration.path, shown(toleration.value), "a named taint")
        elif key.value == GPU_TAINT_KEY and not uses:
            judged = failed(key.path, shown(key.value), "only where a GPU is asked for")
            yield unknown(unread.path, "a number of GPUs") if unread else judged


@family.rule(
    "k8s-priorities-kept",
    Severity.MEDIUM,
    "Nothing goes before what all services depend on",
    types=(PRIORITY,),
    rationale="A class that is everyone's default, or above the door's, lets any pod take a replica's room.",
    remedy=f"Keep a class's value at {_HIGHEST} or below, and let pods name it.",
    examples=lambda: examples(
        given(PRIORITY, {"metadata.name": "kept", "value": 1000}, "kept"),
        broken={
            "globalDefault is true": put("globalDefault", True),
            "value is 2000000": put("value", 2_000_000),
            "value is absent": drop("value"),
        },
        undecided={"value is known only to the provider": put("value", Hidden())},
        accepted={"": put("globalDefault", False)},
    ),
)
def priorities_kept(priority: Resource, _: Inventory) -> Judgement:
    return all_of(
        (
            must_not_be_true(node(priority, "globalDefault")),
            must(node(priority, "value"), f"at most {_HIGHEST}", lambda value: (quantity(value) or 0) <= _HIGHEST),
        )
    )


@family.rule(
    "k8s-pods-of-known-priority",
    Severity.MEDIUM,
    "Pods take a priority class of the stack, and none of the system's",
    types=WORKLOADS,
    rationale="A class that is not there keeps pods from being made; the system's own lets them push anything out.",
    remedy="Name a class of components/kubernetes/priorities.py, or none.",
    examples=lambda: examples(
        given(DEPLOYMENT, {f"{_POD}.priorityClassName": "seawall-serving"}, "first"),
        given(PRIORITY, {"metadata.name": "seawall-serving", "value": 100}, "serving"),
        broken={
            f'{_POD}.priorityClassName is "{name}"': put(f"{_POD}.priorityClassName", name)
            for name in (*_SYSTEM, "gone")
        },
        undecided={
            f"{_POD}.priorityClassName is known only to the provider": put(f"{_POD}.priorityClassName", Hidden())
        },
        accepted={
            "": (
                drop(f"{_POD}.priorityClassName"),
                both(
                    put("metadata", {"namespace": "kube-system", "name": "cluster-autoscaler"}),
                    put(f"{_POD}.priorityClassName", _SYSTEM[1]),
                ),
            )
        },
    ),
)
def pods_of_known_priority(workload: Resource, inventory: Inventory) -> Judgement:
    named = node(workload, pod_path(workload)).at("priorityClassName")
    made = {str(read(each, "metadata.name")) for each in inventory.of_type(PRIORITY)}
    who = (str(read(workload, "metadata.namespace")), str(read(workload, "metadata.name")))
    allowed = made | (set(_SYSTEM) if who in _OF_SYSTEM else set())
    return must(named, "a class of the stack", lambda name: name in allowed, given=False)
