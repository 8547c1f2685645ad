"""Containers: sized, and unable to write to their image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.checks import all_of, not_applicable
from policies.cluster_objects import is_envoys
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.nodes import Node, must, must_be_true
from policies.quantities import quantity
from policies.tokens import DEPLOYMENT
from policies.workloads import (
    WORKLOADS,
    container_nodes,
    unreadable_containers,
)

family = Family("Containers")

_POD: Final = "spec.template.spec"
_CONTAINER: Final = f"{_POD}.containers.0"
_INIT: Final = f"{_POD}.initContainers.0"
_BOTH: Final = (_CONTAINER, _INIT)
_SIZES: Final = ("requests.cpu", "requests.memory", "limits.memory")
_GPU: Final = "nvidia.com/gpu"


@family.rule(
    "k8s-resources-sized",
    Severity.MEDIUM,
    "Containers state what they need, and limits that hold",
    types=WORKLOADS,
    rationale="An unsized container is placed blindly, and may starve its neighbours on a GPU machine.",
    remedy="Set requests for cpu and memory, a limit for memory not below the request, and the same GPUs in both.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_10", "CKV_K8S_12", "CKV_K8S_13")},
    examples=lambda: examples(
        given(DEPLOYMENT, {f"{container}.resources.{size}": "8Gi" for container in _BOTH for size in _SIZES}),
        broken={
            **{
                f"{container}.resources.{size} is absent": drop(f"{container}.resources.{size}")
                for container in _BOTH
                for size in _SIZES
            },
            f'{_CONTAINER}.resources.limits.memory is "4Gi"': put(f"{_CONTAINER}.resources.limits.memory", "4Gi"),
            f'{_CONTAINER}.resources.requests.cpu is "0"': put(f"{_CONTAINER}.resources.requests.cpu", "0"),
            f'{_CONTAINER}.resources.requests.memory is "much"': put(
                f"{_CONTAINER}.resources.requests.memory", "much"
            ),
        },
        undecided={f"{_POD}.containers is known only to the provider": put(f"{_POD}.containers", Hidden())},
        accepted={"": put(f"{_CONTAINER}.resources.limits.memory", "16Gi")},
    ),
)
def resources_sized(workload: Resource, _: Inventory) -> Judgement:
    return unreadable_containers(workload) or all_of(
        each for container in container_nodes(workload) for each in _sized(container.at("resources"))
    )


def _sized(resources: Node) -> Iterator[Judgement]:
    for size in _SIZES:
        yield must(resources.at(*size.split(".")), "a quantity above 0", lambda value: (quantity(value) or 0) > 0)
    asked, limit = quantity(resources.at("requests", "memory").value), resources.at("limits", "memory")
    if asked is not None and not limit.absent and not limit.hidden:
        yield must(limit, "at least the request", lambda value: (quantity(value) or asked) >= asked)
    gpus = [resources.at(field, _GPU) for field in ("requests", "limits")]
    if any(not each.absent for each in gpus):
        limited = gpus[1]
        yield must(
            limited, "whole GPUs", lambda value: (quantity(value) or 0) >= 1 and (quantity(value) or 0) % 1 == 0
        )
        if not gpus[0].absent and not limited.absent and not gpus[0].hidden:
            yield must(gpus[0], "the limit", lambda value: quantity(value) == quantity(limited.value))


@family.rule(
    "k8s-containers-read-only",
    Severity.MEDIUM,
    "Containers cannot write to their image",
    types=WORKLOADS,
    rationale="Who gets into a container that can change its programs stays there until it is replaced.",
    remedy="Set readOnlyRootFilesystem, and mount an emptyDir where the program writes.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_22",)},
    examples=lambda: examples(
        given(DEPLOYMENT, {f"{container}.securityContext.readOnlyRootFilesystem": True for container in _BOTH}),
        broken={
            f"{_CONTAINER}.securityContext.readOnlyRootFilesystem is false": put(
                f"{_CONTAINER}.securityContext.readOnlyRootFilesystem", False
            ),
            f"{_INIT}.securityContext.readOnlyRootFilesystem is absent": drop(
                f"{_INIT}.securityContext.readOnlyRootFilesystem"
            ),
        },
        undecided={f"{_POD}.containers is known only to the provider": put(f"{_POD}.containers", Hidden())},
        accepted={"": drop(f"{_POD}.initContainers")},
    ),
)
def containers_read_only(workload: Resource, _: Inventory) -> Judgement:
    if is_envoys(workload):
        return not_applicable("Envoy writes its bootstrap where Envoy Gateway tells it to")
    return unreadable_containers(workload) or all_of(
        must_be_true(container.at("securityContext", "readOnlyRootFilesystem"))
        for container in container_nodes(workload)
    )
