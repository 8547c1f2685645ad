"""Pods: restricted to what Kubernetes' Pod Security Standards allow, off their machine, in namespaces that say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.cluster_objects import Patch
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.nodes import node
from policies.pod_security import HOST_FLAGS, on_the_machine, restricted
from policies.tokens import DEPLOYMENT, NAMESPACE
from policies.workloads import WORKLOADS, container_nodes, pod_annotations, pod_path, unreadable_containers

family = Family("Pods")

_POD: Final = "spec.template.spec"
_CONTAINER: Final = f"{_POD}.containers.0"
_INIT: Final = f"{_POD}.initContainers.0"
_OWN: Final = f"{_CONTAINER}.securityContext"
_OF_ALL: Final = f"{_POD}.securityContext"
_ANNOTATIONS: Final = "spec.template.metadata.annotations"
_CONTEXT: Final = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_VERSION: Final = f"{_ENFORCE}-version"
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/triton"
_OLDEST_MINOR: Final = 34
"""The first version that judges the hosts of probes and hooks."""


@family.rule(
    "k8s-pods-restricted",
    Severity.HIGH,
    "Pods meet Kubernetes' restricted Pod Security Standard",
    types=WORKLOADS,
    rationale="A container that runs as root or gains rights is a short step from the machine and its GPUs.",
    remedy="Set runAsNonRoot, seccompProfile RuntimeDefault, allowPrivilegeEscalation false, and drop ALL.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_20", "CKV_K8S_23", "CKV_K8S_31", "CKV_K8S_37")},
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                f"{_OF_ALL}.runAsNonRoot": True,
                f"{_OF_ALL}.seccompProfile.type": "RuntimeDefault",
                _OWN: _CONTEXT,
                f"{_INIT}.securityContext": _CONTEXT,
                f"{_POD}.volumes.0": {"name": "scratch", "emptyDir": {}},
            },
        ),
        broken={
            f"{_OF_ALL}.runAsNonRoot is false": put(f"{_OF_ALL}.runAsNonRoot", False),
            f"{_OF_ALL}.seccompProfile.type is absent": drop(f"{_OF_ALL}.seccompProfile"),
            f"{_OWN}.capabilities.drop is []": put(f"{_OWN}.capabilities.drop", []),
            f'{_OWN}.capabilities.drop is ["NOT_ALL"]': put(f"{_OWN}.capabilities.drop", ["NOT_ALL"]),
            f'{_OWN}.capabilities.add.0 is "SYS_ADMIN"': put(f"{_OWN}.capabilities.add", ["SYS_ADMIN"]),
            f"{_OWN}.allowPrivilegeEscalation is true": put(f"{_OWN}.allowPrivilegeEscalation", True),
            f"{_OWN}.runAsNonRoot is false": put(f"{_OWN}.runAsNonRoot", False),
            f'{_OWN}.seccompProfile.type is "Unconfined"': put(f"{_OWN}.seccompProfile.type", "Unconfined"),
            f"{_INIT}.securityContext.allowPrivilegeEscalation is absent": drop(
                f"{_INIT}.securityContext.allowPrivilegeEscalation"
            ),
            **{
                f"{where}.{field} is 0": put(f"{where}.{field}", 0)
                for where, field in (
                    (_OWN, "runAsUser"),
                    (_OWN, "runAsGroup"),
                    (_OF_ALL, "runAsUser"),
                    (_OF_ALL, "runAsGroup"),
                    (_OF_ALL, "fsGroup"),
                )
            },
            f"{_OF_ALL}.supplementalGroups.1 is 0": put(f"{_OF_ALL}.supplementalGroups", [1000, 0]),
            f'{_POD}.volumes.1.nfs is {{"path": "/", "server": "files"}}': put(
                f"{_POD}.volumes.1", {"name": "x", "nfs": {"path": "/", "server": "files"}}
            ),
        },
        undecided={
            f"{_POD}.{field} is known only to the provider": put(f"{_POD}.{field}", Hidden())
            for field in ("containers", "volumes", "ephemeralContainers")
        },
        accepted={
            "": (
                put(f"{_OWN}.capabilities.add", ["NET_BIND_SERVICE"]),
                put(f"{_OWN}.seccompProfile", {"type": "Localhost", "localhostProfile": "triton.json"}),
            )
        },
    ),
)
def pods_restricted(workload: Resource, _: Inventory) -> Judgement:
    pod = node(workload, pod_path(workload))
    return unreadable_containers(workload) or all_of(restricted(pod, list(container_nodes(workload))))


@family.rule(
    "k8s-pods-off-the-machine",
    Severity.CRITICAL,
    "Pods share nothing with their machine",
    types=WORKLOADS,
    rationale="A privileged container, a path, a network or a port of the machine is the machine: its credentials, "
    "its other pods, its GPUs.",
    remedy="Remove the field; the pod's own network, volumes and profiles are the default.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_16",)},
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                f"{_CONTAINER}.ports.0.containerPort": 8000,
                f"{_POD}.volumes.0": {"name": "scratch", "emptyDir": {}},
            },
        ),
        broken={
            f"{_OWN}.privileged is true": put(f"{_OWN}.privileged", True),
            **{f"{_POD}.{flag} is true": put(f"{_POD}.{flag}", True) for flag in HOST_FLAGS},
            f'{_POD}.volumes.1.hostPath is {{"path": "/"}}': put(
                f"{_POD}.volumes.1", {"name": "x", "hostPath": {"path": "/"}}
            ),
            f"{_CONTAINER}.ports.0.hostPort is 8000": put(f"{_CONTAINER}.ports.0.hostPort", 8000),
            f'{_CONTAINER}.ports.0.hostIP is "0.0.0.0"': put(f"{_CONTAINER}.ports.0.hostIP", "0.0.0.0"),  # noqa: S104
            f'{_OWN}.procMount is "Unmasked"': put(f"{_OWN}.procMount", "Unmasked"),
            f'{_OF_ALL}.sysctls.0.name is "kernel.msgmax"': put(
                f"{_OF_ALL}.sysctls.0", {"name": "kernel.msgmax", "value": "1"}
            ),
            **{
                f"{where}.{field} is {shown(value)}": put(f"{where}.{field}", value)
                for where in (_OF_ALL, _OWN)
                for field, value in (
                    ("seLinuxOptions.type", "spc_t"),
                    ("seLinuxOptions.user", "system_u"),
                    ("seLinuxOptions.role", "sysadm_r"),
                    ("appArmorProfile.type", "Unconfined"),
                    ("windowsOptions.hostProcess", True),
                )
            },
            f'{_ANNOTATIONS}[{_APPARMOR}] is "unconfined"': put(_ANNOTATIONS, {_APPARMOR: "unconfined"}),
            f'{_CONTAINER}.lifecycle.postStart.httpGet.host is "169.254.169.254"': put(
                f"{_CONTAINER}.lifecycle.postStart.httpGet", {"host": "169.254.169.254", "port": 80}
            ),
        },
        undecided={
            f"{_POD}.{field} is known only to the provider": put(f"{_POD}.{field}", Hidden())
            for field in ("containers", "hostNetwork")
        },
        accepted={
            "": (
                put(f"{_CONTAINER}.ports.0.hostPort", 0),
                put(f"{_OF_ALL}.sysctls.0", {"name": "net.ipv4.tcp_syncookies", "value": "1"}),
                put(f"{_OF_ALL}.seLinuxOptions.type", "container_t"),
                put(_ANNOTATIONS, {_APPARMOR: "runtime/default"}),
            )
        },
    ),
)
def pods_off_the_machine(workload: Resource, _: Inventory) -> Judgement:
    pod, annotations = node(workload, pod_path(workload)), pod_annotations(workload)
    judged = unreadable_containers(workload)
    return judged or all_of(on_the_machine(pod, annotations, list(container_nodes(workload))))


@family.rule(
    "k8s-namespace-restricted",
    Severity.HIGH,
    "Namespaces enforce the restricted Pod Security Standard, in a version that judges all of it",
    types=(NAMESPACE,),
    rationale="Admission stops the pod that a later change or an intruder adds.",
    remedy=f"Label the namespace {_ENFORCE}: restricted, and give no version.",
    frameworks={Framework.CIS_GKE: ("4.2.1",)},
    examples=lambda: examples(
        given(NAMESPACE, {"metadata.labels": {_ENFORCE: "restricted"}}),
        broken={
            f'metadata.labels[{_ENFORCE}] is "baseline"': put("metadata.labels", {_ENFORCE: "baseline"}),
            f"metadata.labels[{_ENFORCE}] is absent": drop("metadata.labels"),
            f'metadata.labels[{_VERSION}] is "v1.22"': put(
                "metadata.labels", {_ENFORCE: "restricted", _VERSION: "v1.22"}
            ),
        },
        undecided={"metadata.labels is known only to the provider": put("metadata.labels", Hidden())},
        accepted={
            "": (
                put("metadata.labels", {_ENFORCE: "restricted", _VERSION: "latest"}),
                put("metadata.labels", {_ENFORCE: "restricted", _VERSION: "v1.35"}),
            )
        },
    ),
)
def namespace_restricted(namespace: Resource, _: Inventory) -> Judgement:
    labels, patched = read(namespace, "metadata.labels"), isinstance(namespace, Patch)
    if is_hidden(labels):
        return PASS if patched else unknown("metadata.labels", f"{_ENFORCE}: restricted")
    told = labels if isinstance(labels, Mapping) else {}
    judged = [_labelled(told, _VERSION, f"latest, or v1.{_OLDEST_MINOR} at least", _is_recent, given=False)]
    judged.append(_labelled(told, _ENFORCE, '"restricted"', lambda level: level == "restricted", given=not patched))
    return all_of(judged)


def _labelled(
    labels: Mapping[str, object], key: str, required: str, holds: Callable[[object], bool], *, given: bool
) -> Judgement:
    path, value = f"metadata.labels[{key}]", labels.get(key, ABSENT)
    if is_hidden(value):
        return unknown(path, required)
    met = not given if value is ABSENT else holds(value)
    return PASS if met else failed(path, shown(value), required)


def _is_recent(version: object) -> bool:
    found = re.fullmatch(r"v1\.(\d{1,3})", str(version))
    return version == "latest" or bool(found and int(found[1]) >= _OLDEST_MINOR)
