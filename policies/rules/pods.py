"""Pods: restricted, probed and sized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    equals,
    expect,
    failed,
    is_hidden,
    items,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import DEPLOYMENT, NAMESPACE
from policies.workloads import LONG_RUNNING, WORKLOADS, containers, pod_path, unreadable_containers

family = Family("Pods")

_POD = "spec.template.spec"
_CONTAINER = f"{_POD}.containers.0"
_INIT = f"{_POD}.initContainers.0"
_CONTEXT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_ENFORCE = "pod-security.kubernetes.io/enforce"
_BOTH = (_CONTAINER, _INIT)
_SIZES = ("requests.cpu", "requests.memory", "limits.memory")
_PROBES = ("readinessProbe", "livenessProbe")
_HOST_FLAGS = ("hostNetwork", "hostPID", "hostIPC")


@family.rule(
    "k8s-pods-restricted",
    Severity.HIGH,
    "Pods meet Kubernetes' restricted Pod Security Standard",
    types=WORKLOADS,
    rationale="A container that runs as root or gains rights is a short step from the machine and its GPUs.",
    remedy="Set runAsNonRoot, seccompProfile RuntimeDefault, allowPrivilegeEscalation false, and drop ALL.",
    frameworks={
        Framework.CHECKOV: ("CKV_K8S_16", "CKV_K8S_20", "CKV_K8S_23", "CKV_K8S_31", "CKV_K8S_37"),
    },
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                f"{_POD}.securityContext.runAsNonRoot": True,
                f"{_POD}.securityContext.seccompProfile.type": "RuntimeDefault",
                f"{_CONTAINER}.securityContext": _CONTEXT,
                f"{_INIT}.securityContext": _CONTEXT,
                f"{_POD}.volumes.0": {"name": "scratch", "emptyDir": {}},
            },
        ),
        broken={
            f"{_POD}.securityContext.runAsNonRoot is false": put(f"{_POD}.securityContext.runAsNonRoot", False),
            f"{_POD}.securityContext.seccompProfile.type is absent": drop(f"{_POD}.securityContext.seccompProfile"),
            f"{_CONTAINER}.securityContext.capabilities.drop is []": put(
                f"{_CONTAINER}.securityContext.capabilities.drop", []
            ),
            **{
                f"{_CONTAINER}.securityContext.{field} is {word}": put(f"{_CONTAINER}.securityContext.{field}", value)
                for field, word, value in (
                    ("allowPrivilegeEscalation", "true", True),
                    ("privileged", "true", True),
                    ("runAsNonRoot", "false", False),
                )
            },
            f"{_INIT}.securityContext.allowPrivilegeEscalation is absent": drop(f"{_INIT}.securityContext"),
            **{f"{_POD}.{flag} is true": put(f"{_POD}.{flag}", True) for flag in _HOST_FLAGS},
            f'{_POD}.volumes.1.hostPath is {{"path": "/"}}': put(
                f"{_POD}.volumes.1", {"name": "x", "hostPath": {"path": "/"}}
            ),
        },
        undecided={
            f"{_POD}.{field} is known only to the provider": put(f"{_POD}.{field}", Hidden())
            for field in ("containers", "volumes", "hostNetwork")
        },
    ),
)
def pods_restricted(workload: Resource, _: Inventory) -> Judgement:
    pod = pod_path(workload)
    hidden = unreadable_containers(workload) or unreadable(workload, f"{pod}.volumes", "volumes that the plan knows")
    if hidden:
        return hidden
    host = (_not_true(workload, f"{pod}.{flag}") for flag in _HOST_FLAGS)
    volumes = (
        failed(f"{volume}.hostPath", shown(read(workload, f"{volume}.hostPath")), "no volume of the machine")
        for volume in items(workload, f"{pod}.volumes")
        if read(workload, f"{volume}.hostPath") is not ABSENT
    )
    restricted = (
        judgement
        for container in containers(workload)
        for judgement in _restricted_container(workload, container, f"{pod}.securityContext")
    )
    return all_of((*host, *volumes, *restricted))


def _not_true(workload: Resource, path: str) -> Judgement:
    value = read(workload, path)
    if is_hidden(value):
        return unknown(path, "false")
    return failed(path, shown(value), "false") if value not in (ABSENT, False) else PASS


def _restricted_container(workload: Resource, container: str, pod_context: str) -> Iterator[Judgement]:
    own = f"{container}.securityContext"
    profiles = ("RuntimeDefault", "Localhost")
    yield _not_true(workload, f"{own}.privileged")
    yield equals(workload, f"{own}.allowPrivilegeEscalation", False)
    yield expect(workload, f"{own}.capabilities.drop", '["ALL"]', lambda v: "ALL" in v)
    yield equals(workload, _effective(workload, own, pod_context, "runAsNonRoot"), True)
    profile = _effective(workload, own, pod_context, "seccompProfile")
    yield expect(workload, f"{profile}.type", " or ".join(profiles), lambda v: v in profiles)


def _effective(workload: Resource, own: str, pod_context: str, field: str) -> str:
    """The container's own field where it has one, else the pod's."""
    return f"{own}.{field}" if read(workload, f"{own}.{field}") is not ABSENT else f"{pod_context}.{field}"


@family.rule(
    "k8s-namespace-restricted",
    Severity.HIGH,
    "Namespaces enforce the restricted Pod Security Standard",
    types=(NAMESPACE,),
    rationale="Admission stops the pod that a later change or an intruder adds.",
    remedy=f"Label the namespace {_ENFORCE}: restricted.",
    frameworks={Framework.CIS_GKE: ("4.2.1",)},
    examples=lambda: examples(
        given(NAMESPACE, {"metadata.labels": {_ENFORCE: "restricted"}}),
        broken={
            f'metadata.labels[{_ENFORCE}] is "baseline"': put("metadata.labels", {_ENFORCE: "baseline"}),
            f"metadata.labels[{_ENFORCE}] is absent": drop("metadata.labels"),
        },
        undecided={"metadata.labels is known only to the provider": put("metadata.labels", Hidden())},
    ),
)
def namespace_restricted(namespace: Resource, _: Inventory) -> Judgement:
    labels = read(namespace, "metadata.labels")
    if is_hidden(labels):
        return unknown("metadata.labels", f"{_ENFORCE}: restricted")
    level = labels.get(_ENFORCE, ABSENT) if isinstance(labels, Mapping) else ABSENT
    return PASS if level == "restricted" else failed(f"metadata.labels[{_ENFORCE}]", shown(level), '"restricted"')


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
    frameworks={Framework.CHECKOV: ("CKV_K8S_10", "CKV_K8S_11", "CKV_K8S_12", "CKV_K8S_13")},
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
