"""What every pod of the platform has in common: labels, a restricted security context, probes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    ContainerPortArgs,
    ExecActionArgs,
    HTTPGetActionArgs,
    PodSecurityContextArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
    ServiceAccount,
    TopologySpreadConstraintArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components.contracts.component import ready
from components.contracts.refs import IdentityRef

RESTRICTED: Final = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""Namespace labels that refuse any pod outside Kubernetes' restricted Pod Security Standard."""
IDENTITY_ANNOTATION: Final = "seawall.dev/identity"
"""On a service account: the cloud's name for what its pods become, known once they can."""


def app_labels(app: str) -> dict[str, str]:
    """The recommended labels that select one application's pods."""
    return {"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "seawall"}


def metadata(
    name: str | None = None,
    namespace: str | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
) -> ObjectMetaArgs:
    """An object's metadata; the name is always ours, so that nothing is renamed behind a reviewer's back."""
    return ObjectMetaArgs(name=name, namespace=namespace, labels=labels, annotations=annotations)


@dataclass(frozen=True)
class Account:
    """A service account, and its name for pods that must not start before it."""

    resource: ServiceAccount
    name: pulumi.Output[str]


def account(
    identity: IdentityRef, parent: pulumi.Resource, *, automount: bool, after: Sequence[pulumi.Resource] = ()
) -> Account:
    """The service account of an identity: a pod that takes its name from here starts after the identity is ready.

    EKS puts a pod's credentials in place when the pod is admitted, and never later: a pod made before its association
    has none, and a restart of its containers does not help (EKS user guide, "Understand how EKS Pod Identity works",
    read 2026-11-21).
    """
    made = ServiceAccount(
        identity.service_account,
        metadata=metadata(
            identity.service_account,
            identity.namespace,
            annotations={**identity.annotations, IDENTITY_ANNOTATION: identity.ready},
        ),
        automount_service_account_token=automount,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(after)),
    )
    return Account(made, ready(identity.service_account, made))


def selecting(labels: Mapping[str, str]) -> LabelSelectorArgs:
    """The objects that bear `labels`."""
    return LabelSelectorArgs(match_labels=labels)


def spread(constraints: Iterable[Mapping[str, Any]]) -> list[TopologySpreadConstraintArgs]:
    """Constraints of `components.contracts.apart` for a pod's template."""
    return [
        TopologySpreadConstraintArgs(
            max_skew=each["maxSkew"],
            topology_key=each["topologyKey"],
            when_unsatisfiable=each["whenUnsatisfiable"],
            label_selector=selecting(each["labelSelector"]["matchLabels"]),
            match_label_keys=each["matchLabelKeys"],
            min_domains=each.get("minDomains"),
            node_taints_policy=each.get("nodeTaintsPolicy"),
        )
        for each in constraints
    ]


def at_most_one_away(
    app: str, namespace: str, labels: Mapping[str, str], options: pulumi.ResourceOptions
) -> PodDisruptionBudget:
    """One replica away for upkeep at a time; an unhealthy one never holds a drain up."""
    return PodDisruptionBudget(
        app,
        metadata=metadata(app, namespace, labels=labels),
        spec=PodDisruptionBudgetSpecArgs(
            max_unavailable=1, selector=selecting(labels), unhealthy_pod_eviction_policy="AlwaysAllow"
        ),
        opts=options,
    )


def memory_bound(cpu: str, request: str, limit: str) -> ResourceRequirementsArgs:
    """Requests for both, a limit for memory only: a CPU limit would throttle a probe into failing."""
    return ResourceRequirementsArgs(requests={"cpu": cpu, "memory": request}, limits={"memory": limit})


def pod_security(uid: int) -> PodSecurityContextArgs:
    """A pod that runs as an ordinary user under the runtime's own seccomp profile."""
    return PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=uid,
        run_as_group=uid,
        fs_group=uid,
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security() -> SecurityContextArgs:
    """A container that cannot gain rights nor write to its image."""
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
    )


def http_probe(
    path: str, port: str, *, period_seconds: int, failure_threshold: int, scheme: str = "HTTP", after_seconds: int = 0
) -> ProbeArgs:
    """A probe that begins `after_seconds`, and gives up after `period_seconds` × `failure_threshold`."""
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path=path, port=port, scheme=scheme),
        period_seconds=period_seconds,
        failure_threshold=failure_threshold,
        initial_delay_seconds=after_seconds or None,
        timeout_seconds=min(5, period_seconds),
    )


def command_probe(
    command: Sequence[str], *, period_seconds: int, failure_threshold: int, timeout_seconds: int
) -> ProbeArgs:
    """A probe that runs a program in the container, which may take `timeout_seconds`."""
    return ProbeArgs(
        exec_=ExecActionArgs(command=list(command)),
        period_seconds=period_seconds,
        failure_threshold=failure_threshold,
        timeout_seconds=timeout_seconds,
    )


def port(name: str, number: int) -> ContainerPortArgs:
    """A named TCP port."""
    return ContainerPortArgs(name=name, container_port=number, protocol="TCP")


def checksum(text: str) -> str:
    """A value for a pod annotation, so that a changed configuration rolls the pods."""
    return hashlib.sha256(text.encode()).hexdigest()
