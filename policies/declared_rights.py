"""What each program of the platform needs to do in the cluster: its roles may hold this, and nothing wider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from components.contracts import serving
from policies.rbac import READS, Right

_METRICS: Final = "autoscaling-metrics"
_SYSTEM: Final = "kube-system"
_DOOR: Final = "envoy-gateway-system"
_ALL: Final = "*"
"""As a scope: the whole cluster."""


@dataclass(frozen=True)
class Need:
    """Verbs on resources of a group, in these namespaces or in the whole cluster."""

    scopes: tuple[str, ...]
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    named: bool = False
    """Only where the objects are named."""

    def covers(self, right: Right, scope: str) -> bool:
        """Whether a right that is held in `scope` is no wider than this."""
        return (
            (scope in self.scopes or _ALL in self.scopes)
            and right.group == self.group
            and right.resource in self.resources
            and right.verb in self.verbs
            and (bool(right.names) or not self.named)
        )


@dataclass(frozen=True)
class Account:
    """A program's service account, what it needs, and which roles of Kubernetes' own it takes."""

    namespace: str
    name: str
    """May hold `*`, for a program of which each service has one."""
    needs: tuple[Need, ...]
    taken: tuple[tuple[str, str, str], ...] = ()
    """(scope, kind, name) of roles that come with Kubernetes."""

    def covers(self, right: Right, scope: str) -> bool:
        """Whether the program needs a right."""
        return any(need.covers(right, scope) for need in self.needs)


def _steps(group: str, *resources: str) -> tuple[Need, ...]:
    """What steps releases makes objects, which have no name before, and changes them by name."""
    return (
        Need((serving.NAMESPACE,), group, resources, ("create",)),
        Need((serving.NAMESPACE,), group, resources, ("get", "update"), named=True),
    )


DECLARED: Final[tuple[Account, ...]] = (
    Account(_METRICS, "prometheus", (Need((serving.NAMESPACE, _DOOR), "", ("pods",), READS),)),
    Account(
        _METRICS,
        "prometheus-adapter",
        (Need((_ALL,), "", ("namespaces", "pods"), READS),),
        (
            (_ALL, "ClusterRole", "system:auth-delegator"),
            (_SYSTEM, "Role", "extension-apiserver-authentication-reader"),
        ),
    ),
    # cluster-autoscaler 1.35, deploy/gce and cloudprovider/aws/examples, less what its flags switch off.
    Account(
        _SYSTEM,
        "cluster-autoscaler",
        (
            Need(
                (_ALL,),
                "",
                (
                    "namespaces",
                    "nodes",
                    "persistentvolumeclaims",
                    "persistentvolumes",
                    "pods",
                    "replicationcontrollers",
                    "services",
                ),
                READS,
            ),
            Need((_ALL,), "apps", ("daemonsets", "replicasets", "statefulsets"), READS),
            Need((_ALL,), "batch", ("cronjobs", "jobs"), READS),
            Need((_ALL,), "policy", ("poddisruptionbudgets",), READS),
            Need((_ALL,), "resource.k8s.io", ("deviceclasses", "resourceclaims", "resourceslices"), READS),
            Need(
                (_ALL,),
                "storage.k8s.io",
                ("csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"),
                READS,
            ),
            Need((_ALL,), "", ("nodes", "pods/status"), ("update",)),
            Need((_ALL,), "", ("pods/eviction",), ("create",)),
            Need((_ALL,), "", ("events",), ("create", "patch")),
            Need((_SYSTEM,), "coordination.k8s.io", ("leases",), ("create",)),
            Need((_SYSTEM,), "coordination.k8s.io", ("leases",), ("get", "update"), named=True),
            Need((_SYSTEM,), "", ("configmaps",), ("create", "list", "watch")),
            Need((_SYSTEM,), "", ("configmaps",), ("get", "update", "delete"), named=True),
        ),
    ),
    Account(
        "flagger-system",
        "flagger",
        (
            Need((serving.NAMESPACE,), "flagger.app", ("canaries", "metrictemplates", "alertproviders"), READS),
            Need((serving.NAMESPACE,), "flagger.app", ("canaries/status", "canaries/finalizers"), ("update",), True),
            *_steps("apps", "deployments"),
            *_steps("autoscaling", "horizontalpodautoscalers"),
            *_steps("", "services", "configmaps"),
            *_steps("gateway.networking.k8s.io", "httproutes"),
            *_steps("coordination.k8s.io", "leases"),
            Need((serving.NAMESPACE,), "", ("events",), ("create", "patch")),
        ),
    ),
    Account(
        serving.NAMESPACE,
        "fleet-hours",
        (
            Need((serving.NAMESPACE,), "apps", ("deployments",), ("get",), named=True),
            Need((serving.NAMESPACE,), "apps", ("deployments/scale",), ("get", "patch", "update"), named=True),
        ),
    ),
    Account(
        serving.NAMESPACE,
        "*-weights",
        (
            Need(
                (serving.NAMESPACE,),
                "gateway.networking.k8s.io",
                ("httproutes", "grpcroutes"),
                ("get", "patch"),
                named=True,
            ),
        ),
    ),
)


def account_of(namespace: object, name: object) -> Account | None:
    """The program that a service account belongs to."""
    return next(
        (each for each in DECLARED if each.namespace == namespace and fnmatchcase(str(name), each.name)), None
    )


def accounts_in(subjects: object, namespace: object) -> Iterator[tuple[str, str, str]]:
    """(kind, namespace, name) of each subject of a binding; a service account without a namespace takes its own."""
    for each in subjects if isinstance(subjects, list) else [subjects]:
        if isinstance(each, Mapping):
            kind = str(each.get("kind", ""))
            place = each.get("namespace") or (namespace if kind == "ServiceAccount" else "")
            yield kind, str(place), str(each.get("name", ""))
