"""Containers: probed by what can fail, and sized."""

from __future__ import annotations

from policies.checks import all_of, expect
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import DEPLOYMENT
from policies.workloads import LONG_RUNNING, WORKLOADS, containers, unreadable_containers

family = Family("Containers")

_POD = "spec.template.spec"
_CONTAINER = f"{_POD}.containers.0"
_INIT = f"{_POD}.initContainers.0"
_BOTH = (_CONTAINER, _INIT)
_SIZES = ("requests.cpu", "requests.memory", "limits.memory")
_PROBES = ("readinessProbe", "livenessProbe")


@family.rule(
    "k8s-probes",
    Severity.MEDIUM,
    "Containers have readiness and liveness probes",
    types=LONG_RUNNING,
    rationale="Without readiness, requests reach a server that is loading models; without liveness, a hung one.",
    remedy="Add a readinessProbe and a livenessProbe to each container.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_8", "CKV_K8S_9")},
    examples=lambda: examples(
        given(DEPLOYMENT, {f"{_CONTAINER}.{probe}.httpGet.path": "/v2/health/ready" for probe in _PROBES}),
        broken={f"{_CONTAINER}.{probe} is absent": drop(f"{_CONTAINER}.{probe}") for probe in _PROBES},
        undecided={f"{_POD}.containers is known only to the provider": put(f"{_POD}.containers", Hidden())},
    ),
)
def probes(workload: Resource, _: Inventory) -> Judgement:
    return unreadable_containers(workload) or all_of(
        expect(workload, f"{container}.{probe}", "a probe", bool)
        for container in containers(workload, with_init=False)
        for probe in _PROBES
    )


@family.rule(
    "k8s-resources-sized",
    Severity.MEDIUM,
    "Containers state what they need, and a memory limit",
    types=WORKLOADS,
    rationale="An unsized container is placed blindly, and may starve its neighbours on a GPU machine.",
    remedy="Set requests for cpu and memory, and a limit for memory.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_10", "CKV_K8S_12", "CKV_K8S_13")},
    examples=lambda: examples(
        given(DEPLOYMENT, {f"{container}.resources.{size}": "8Gi" for container in _BOTH for size in _SIZES}),
        broken={
            f"{container}.resources.{size} is absent": drop(f"{container}.resources.{size}")
            for container in _BOTH
            for size in _SIZES
        },
        undecided={f"{_POD}.containers is known only to the provider": put(f"{_POD}.containers", Hidden())},
    ),
)
def resources_sized(workload: Resource, _: Inventory) -> Judgement:
    return unreadable_containers(workload) or all_of(
        expect(workload, f"{container}.resources.{size}", "a quantity", bool)
        for container in containers(workload)
        for size in _SIZES
    )
