"""What each service account of the stack may do: all that its program needs, and nothing beyond.

What a program needs stands here by its own documents, not by the stack's roles: so a role that lost a rule is seen,
and one that gained one too. Answers are the API server's own (SubjectAccessReview, SelfSubjectRulesReview).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.contracts import serving
from components.contracts.door import PROXY_NAMESPACE
from components.contracts.services import WARM_SUFFIX
from components.kubernetes.bandits import GATEWAY_GROUP, ROUTES, controller_name
from localcloud.cluster import ClusterClient
from ops.rehearse.chart_pods import stands_for_a_chart
from ops.rehearse.model import Table, text_table
from ops.rehearse.stage import FLEET, Stage, pod_template

AREA: Final = "rights"
METRICS: Final = "autoscaling-metrics"
SYSTEM: Final = "kube-system"
READ: Final = ("get", "list", "watch")


@dataclass(frozen=True)
class Right:
    """Verbs on a resource: of one namespace, or (None) of the whole cluster; of one object, if it is named."""

    verbs: tuple[str, ...]
    group: str
    resource: str
    """With its subresource after a slash."""
    namespace: str | None = None
    name: str = ""

    def singly(self) -> Iterator[Right]:
        """The same, verb by verb."""
        for verb in self.verbs:
            yield Right((verb,), self.group, self.resource, self.namespace, self.name)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{'/'.join(self.verbs)} {what}{f' {self.name}' if self.name else ''}{where}"


def _reads(group: str, *resources: str) -> tuple[Right, ...]:
    return tuple(Right(READ, group, resource) for resource in resources)


_LEASES: Final = "coordination.k8s.io"
NEEDS: Final[Mapping[tuple[str, str], tuple[Right, ...]]] = {
    (serving.NAMESPACE, FLEET): (),
    (METRICS, "prometheus"): (
        Right(READ, "", "pods", serving.NAMESPACE),
        Right(READ, "", "pods", PROXY_NAMESPACE),
    ),
    (METRICS, "prometheus-adapter"): (
        Right(READ, "", "pods"),
        Right(READ, "", "namespaces"),
        Right(("create",), "authentication.k8s.io", "tokenreviews"),
        Right(("create",), "authorization.k8s.io", "subjectaccessreviews"),
        Right(READ, "", "configmaps", SYSTEM, "extension-apiserver-authentication"),
    ),
    (SYSTEM, "cluster-autoscaler"): (
        *_reads("", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods"),
        *_reads("", "replicationcontrollers", "services"),
        *_reads("apps", "daemonsets", "replicasets", "statefulsets"),
        *_reads("batch", "cronjobs", "jobs"),
        *_reads("policy", "poddisruptionbudgets"),
        *_reads("resource.k8s.io", "deviceclasses", "resourceclaims", "resourceslices"),
        *_reads("storage.k8s.io", "csidrivers", "csinodes", "csistoragecapacities", "storageclasses"),
        *_reads("storage.k8s.io", "volumeattachments"),
        Right(("update",), "", "nodes"),
        Right(("create",), "", "pods/eviction"),
        Right(("update",), "", "pods/status"),
        Right(("create", "patch"), "", "events"),
        Right(("create",), _LEASES, "leases", SYSTEM),
        Right(("get", "update"), _LEASES, "leases", SYSTEM, "cluster-autoscaler"),
        Right(("create", "list", "watch"), "", "configmaps", SYSTEM),
        Right(("get", "update", "delete"), "", "configmaps", SYSTEM, "cluster-autoscaler-status"),
        Right(("get", "update", "delete"), "", "configmaps", SYSTEM, "cluster-autoscaler-priority-expander"),
    ),
}
"""By namespace and service account.

Read 2026-11-21: prometheus-adapter's deploy/manifests at 0a6e74a (its cluster role, `system:auth-delegator`, and the
reader of `extension-apiserver-authentication`), of which measures of pods need no nodes and services: the rehearsal's
adapter runs without; cluster-autoscaler's chart (templates/clusterrole.yaml at 25913ca, with
`resource.k8s.io`, `volumeattachments` and `cronjobs`) and its AWS example (cluster-autoscaler-autodiscover.yaml at
046b7e8, with the names of its ConfigMaps). Believed: discovery of pods alone needs no more than to read pods, and
`kubectl scale` reads the object and patches its scale. Triton calls no API of the cluster.
"""

FORBIDDEN: Final[tuple[Right, ...]] = (
    *(Right(("get", "list"), "", "secrets", namespace) for namespace in (serving.NAMESPACE, METRICS, SYSTEM, None)),
    Right(("create",), "", "pods/exec", serving.NAMESPACE),
    Right(("create",), "", "pods/exec", SYSTEM),
    Right(("create",), "", "pods/ephemeralcontainers", serving.NAMESPACE),
    Right(("create",), "", "pods/portforward", serving.NAMESPACE),
    Right(("create",), "", "pods", serving.NAMESPACE),
    Right(("create",), "", "pods", SYSTEM),
    Right(("create",), "", "serviceaccounts/token", serving.NAMESPACE),
    Right(("create",), "", "serviceaccounts/token", SYSTEM),
    Right(("impersonate",), "", "users"),
    Right(("impersonate",), "", "groups"),
    Right(("impersonate",), "", "serviceaccounts", SYSTEM),
    Right(("escalate", "bind", "create", "update"), "rbac.authorization.k8s.io", "clusterroles"),
    Right(("create", "update"), "rbac.authorization.k8s.io", "clusterrolebindings"),
    Right(("escalate", "bind"), "rbac.authorization.k8s.io", "roles", serving.NAMESPACE),
    Right(("create", "update"), "rbac.authorization.k8s.io", "rolebindings", serving.NAMESPACE),
    Right(("create", "delete", "patch"), "", "nodes"),
    Right(("get", "create"), "", "nodes/proxy"),
    Right(("update",), "", "nodes/status"),
    Right(("get", "list"), "", "pods", "default"),
    Right(("delete",), "", "pods", serving.NAMESPACE),
    Right(("delete", "update"), "", "namespaces"),
    Right(("create", "update", "patch", "delete"), "apps", "deployments", serving.NAMESPACE),
    Right(("update", "patch"), "apps", "deployments/scale", METRICS),
    Right(("update", "delete"), "networking.k8s.io", "networkpolicies", serving.NAMESPACE),
    Right(("update", "delete"), "", "resourcequotas", serving.NAMESPACE),
    Right(("update",), "certificates.k8s.io", "certificatesigningrequests/approval"),
    Right(("create", "update"), "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    Right(("create", "update"), "apiregistration.k8s.io", "apiservices"),
)
"""What no pod of a stack may do, unless its program's needs say so: ways to secrets, to other rights, to machines."""

EVERYBODY: Final = frozenset(
    {
        ("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
        ("create", "authorization.k8s.io", "selfsubjectrulesreviews"),
        ("create", "authentication.k8s.io", "selfsubjectreviews"),
    }
)
"""What Kubernetes gives to everyone who is known (`system:basic-user`)."""


def needs_of(stage: Stage, namespace: str, name: str) -> tuple[Right, ...] | None:
    """What an account's program needs; None for one that is not known."""
    moved = [service for service in stage.settings.fleet.services if name == controller_name(service)]
    if namespace == serving.NAMESPACE and moved:
        return tuple(Right(("get", "patch"), GATEWAY_GROUP, route, namespace, moved[0]) for route in ROUTES)
    if (namespace, name) != (serving.NAMESPACE, "fleet-hours"):
        return NEEDS.get((namespace, name))
    variants = [v for v in stage.settings.fleet.variants if v.spec.hours is not None]
    keeping = [v.object_name for v in variants]
    keeping += [f"{v.service}{WARM_SUFFIX}" for v in variants if v.stable and v.spec.warm_replicas]
    return tuple(
        right
        for deployment in keeping
        for right in (
            Right(("get",), "apps", "deployments", serving.NAMESPACE, deployment),
            Right(("get", "patch", "update"), "apps", "deployments/scale", serving.NAMESPACE, deployment),
        )
    )


def accounts(stage: Stage) -> list[tuple[str, str]]:
    """The service accounts that pods of the stack run as, by namespace and name; a chart's own are in none."""
    found = {
        (item["metadata"]["namespace"], template["spec"].get("serviceAccountName", "default"))
        for item in stage.objects
        if (template := pod_template(item)) and not stands_for_a_chart(item)
    }
    return sorted(found)


def rights(stage: Stage) -> None:
    """The matrix of what is needed and forbidden, and what is granted beyond the needs."""
    rows: list[tuple[str, str, str, str]] = []
    missing: list[str] = []
    excess: list[str] = []
    unknown: list[str] = []
    for namespace, name in accounts(stage):
        needs = needs_of(stage, namespace, name)
        if needs is None:
            unknown.append(f"{namespace}/{name}")
            needs = ()
        who = f"{namespace}/{name}"
        needed = [single for right in needs for single in right.singly()]
        forbidden = [one for right in FORBIDDEN for one in right.singly() if not any(_covers(n, one) for n in needed)]
        for right, wanted in (*((n, True) for n in needed), *((f, False) for f in forbidden)):
            may = allowed(stage.plane.client, namespace, name, right)
            rows.append((who, str(right), "needed" if wanted else "forbidden", "allowed" if may else "denied"))
            if may != wanted:
                (missing if wanted else excess).append(f"{who}: {right}")
        excess += [f"{who}: {right}" for right in _beyond(stage, namespace, name, needed)]
    stage.report.tables.append(Table("Rights", *text_table(("account", "right", "is", "answer"), rows)))
    asked = f"{sum(row[2] == 'needed' for row in rows)} asked"
    stage.report.add(
        AREA,
        "every account's program is known",
        not unknown,
        ", ".join(unknown) or f"{len(accounts(stage))} accounts",
    )
    stage.report.add(AREA, "every right that a program needs is granted", not missing, "; ".join(missing) or asked)
    denied = f"{sum(row[2] == 'forbidden' for row in rows)} denied, and no rule beyond the needs"
    stage.report.add(
        AREA,
        "no account has a right beyond its program's needs",
        not excess,
        "; ".join(dict.fromkeys(excess)) or denied,
    )


def tokens(stage: Stage) -> None:
    """The fleet's pods carry no token: nobody who takes one over can speak for the account."""
    names = {variant.object_name for variant in stage.settings.fleet.variants}
    templates = {
        str(item["metadata"]["name"]): template
        for item in stage.of("Deployment")
        if item["metadata"]["name"] in names and (template := pod_template(item))
    }
    carrying = sorted(
        name
        for name in names
        if name not in templates or templates[name]["spec"].get("automountServiceAccountToken", True)
    )
    seen = f"a token is mounted: {', '.join(carrying)}" if carrying else "none is mounted"
    stage.report.add(AREA, "the fleet's pods carry no token", not carrying, seen)


def _covers(need: Right, asked: Right) -> bool:
    """Whether a need grants what is asked, so that it is not forbidden."""
    same = (need.verbs, need.group, need.resource) == (asked.verbs, asked.group, asked.resource)
    return same and need.namespace in (None, asked.namespace) and need.name in ("", asked.name)


def allowed(client: ClusterClient, namespace: str, name: str, right: Right) -> bool:
    """What the API server says of one verb."""
    resource, _, sub = right.resource.partition("/")
    attributes = {
        "verb": right.verbs[0],
        "group": right.group,
        "resource": resource,
        "subresource": sub,
        "namespace": right.namespace or "",
        "name": right.name,
    }
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{name}",
            "groups": groups,
            "resourceAttributes": attributes,
        },
    }
    answer = client.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review).object
    return bool(answer["status"].get("allowed"))


def _beyond(stage: Stage, namespace: str, name: str, needed: Sequence[Right]) -> Iterable[str]:
    """Rules that the account has, by its own token, and that no need explains."""
    account = stage.plane.account(namespace, name)
    client = ClusterClient(account.kubeconfig)
    try:
        for where in sorted({namespace, serving.NAMESPACE, METRICS, SYSTEM, "default"}):
            spec = {"namespace": where}
            review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": spec}
            path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
            status = client.request("POST", path, review).object["status"]
            for rule in status.get("resourceRules") or ():
                yield from (f"{right}" for right in _unexplained(rule, where, needed))
    finally:
        client.close()


def _unexplained(rule: Mapping[str, Any], where: str, needed: Sequence[Right]) -> Iterator[Right]:
    for verb in rule["verbs"]:
        for group in rule.get("apiGroups") or ("",):
            for resource in rule.get("resources") or ():
                if (verb, group, resource) in EVERYBODY:
                    continue
                for name in rule.get("resourceNames") or ("",):
                    asked = Right((verb,), group, resource, where, name)
                    if not any(_covers(need, asked) for need in needed):
                        yield asked
