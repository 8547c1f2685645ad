"""Rules for what runs in the cluster: pods, their network, their namespaces and their rights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from components.contracts.serving import GRPC_PORT, HTTP_PORT, METRICS_PORT
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    any_of,
    equals,
    expect,
    failed,
    holds_none,
    is_hidden,
    items,
    not_applicable,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Rule, Severity

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_SERVING = (DEPLOYMENT, "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet")
_CRON_JOB = "kubernetes:batch/v1:CronJob"
_WORKLOADS = (*_SERVING, "kubernetes:batch/v1:Job", _CRON_JOB)
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
NAMESPACE = "kubernetes:core/v1:Namespace"
_ROLES = ("kubernetes:rbac.authorization.k8s.io/v1:Role", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")

_TRITON_PORTS = frozenset({HTTP_PORT, GRPC_PORT, METRICS_PORT})
"""Triton authenticates nobody: who may reach these ports may use every model."""

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_ENFORCE = "pod-security.kubernetes.io/enforce"


def _template(workload: Resource) -> str:
    return "spec.jobTemplate.spec.template" if workload.type == _CRON_JOB else "spec.template"


def _containers(workload: Resource, *, with_init: bool = True) -> Iterator[str]:
    pod = f"{_template(workload)}.spec"
    yield from items(workload, f"{pod}.containers")
    if with_init:
        yield from items(workload, f"{pod}.initContainers")


def _hidden(workload: Resource) -> Judgement | None:
    """What follows if the containers cannot be read, or there are none."""
    pod, required = f"{_template(workload)}.spec", "containers that the plan tells"
    for field in ("containers", "initContainers"):
        hidden = unreadable(workload, f"{pod}.{field}", required)
        if hidden:
            return hidden
    path = f"{pod}.containers"
    value = read(workload, path)
    return None if isinstance(value, list) and value else failed(path, shown(value), "a list of containers")


def _restricted(workload: Resource, _: Inventory) -> Judgement:
    pod = f"{_template(workload)}.spec"
    hidden = _hidden(workload) or unreadable(workload, f"{pod}.volumes", "volumes that the plan tells")
    if hidden:
        return hidden
    host = (_not_true(workload, f"{pod}.{flag}") for flag in ("hostNetwork", "hostPID", "hostIPC"))
    volumes = (
        failed(f"{volume}.hostPath", shown(read(workload, f"{volume}.hostPath")), "no volume of the machine")
        for volume in items(workload, f"{pod}.volumes")
        if read(workload, f"{volume}.hostPath") is not ABSENT
    )
    containers = (
        judgement
        for container in _containers(workload)
        for judgement in _restricted_container(workload, container, f"{pod}.securityContext")
    )
    return all_of((*host, *volumes, *containers))


def _not_true(workload: Resource, path: str) -> Judgement:
    value = read(workload, path)
    if is_hidden(value):
        return unknown(path, "false")
    return failed(path, shown(value), "false") if value not in (ABSENT, False) else PASS


def _restricted_container(workload: Resource, container: str, pod_context: str) -> Iterator[Judgement]:
    own = f"{container}.securityContext"
    yield _not_true(workload, f"{own}.privileged")
    yield equals(workload, f"{own}.allowPrivilegeEscalation", False)
    yield expect(workload, f"{own}.capabilities.drop", '["ALL"]', lambda v: "ALL" in v)
    yield expect(workload, _effective(workload, own, pod_context, "runAsNonRoot"), "true", lambda v: v is True)
    profile = _effective(workload, own, pod_context, "seccompProfile")
    yield expect(
        workload, f"{profile}.type", "RuntimeDefault or Localhost", lambda v: v in ("RuntimeDefault", "Localhost")
    )


def _effective(workload: Resource, own: str, pod_context: str, field: str) -> str:
    """The container's own field where it has one, else the pod's."""
    return f"{own}.{field}" if read(workload, f"{own}.{field}") is not ABSENT else f"{pod_context}.{field}"


def _by_digest(workload: Resource, _: Inventory) -> Judgement:
    return _hidden(workload) or all_of(
        expect(workload, f"{c}.image", "an image by digest (…@sha256:…)", lambda v: bool(_DIGEST.search(v)))
        for c in _containers(workload)
    )


def _probed(workload: Resource, _: Inventory) -> Judgement:
    return _hidden(workload) or all_of(
        expect(workload, f"{c}.{probe}", "a probe", lambda v: bool(v))
        for c in _containers(workload, with_init=False)
        for probe in ("readinessProbe", "livenessProbe")
    )


def _sized(workload: Resource, _: Inventory) -> Judgement:
    return _hidden(workload) or all_of(
        expect(workload, f"{c}.resources.{size}", "a quantity", lambda v: bool(v))
        for c in _containers(workload)
        for size in ("requests.cpu", "requests.memory", "limits.memory")
    )


def _pod_labels(workload: Resource) -> Mapping[str, object]:
    labels = read(workload, f"{_template(workload)}.metadata.labels")
    return labels if isinstance(labels, Mapping) else {}


def _selecting(workload: Resource, inventory: Inventory) -> list[Resource]:
    """The network policies of the workload's namespace that select its pods."""
    namespace, labels = read(workload, "metadata.namespace"), _pod_labels(workload)
    return [
        policy
        for policy in inventory.of_type(_POLICY)
        if _same_namespace(inventory, policy, workload, namespace) and _selects(policy, labels)
    ]


def _same_namespace(inventory: Inventory, policy: Resource, workload: Resource, namespace: object) -> bool:
    theirs = read(policy, "metadata.namespace")
    if is_hidden(namespace) or is_hidden(theirs):
        mine = inventory.linked(workload, "metadata", NAMESPACE)
        return bool(mine) and mine == inventory.linked(policy, "metadata", NAMESPACE)
    return theirs == namespace


def _selects(policy: Resource, labels: Mapping[str, object]) -> bool:
    if read(policy, "spec.podSelector.matchExpressions") not in (ABSENT, []):
        return False
    wanted = read(policy, "spec.podSelector.matchLabels")
    if is_hidden(wanted) or is_hidden(read(policy, "spec.podSelector")):
        return False
    return not isinstance(wanted, Mapping) or all(labels.get(key) == value for key, value in wanted.items())


def _fenced(workload: Resource, inventory: Inventory) -> Judgement:
    types = [
        kind
        for policy in _selecting(workload, inventory)
        if isinstance(kinds := read(policy, "spec.policyTypes"), list)
        for kind in kinds
    ]
    missing = [kind for kind in ("Ingress", "Egress") if kind not in types]
    if not missing:
        return PASS
    found = f"no network policy limits the {' and '.join(missing).lower()} of these pods"
    return failed("", found, "a NetworkPolicy in their namespace that selects them, for Ingress and Egress")


def _ports_covered(workload: Resource, inventory: Inventory) -> Judgement:
    ports = {
        number
        for container in _containers(workload, with_init=False)
        for port in items(workload, f"{container}.ports")
        if isinstance(number := read(workload, f"{port}.containerPort"), int)
    }
    policies = _selecting(workload, inventory)
    if not ports or not policies:
        return not_applicable("the pods listen on no port" if not ports else "no network policy selects the pods")
    rules = [(policy, rule) for policy in policies for rule in items(policy, "spec.ingress")]
    named = {number for policy, rule in rules for number in _rule_ports(policy, rule)}
    uncovered = sorted((ports & _TRITON_PORTS) - named)
    judged = [_narrow(policy, rule) for policy, rule in rules]
    if uncovered:
        judged.append(
            failed(
                "",
                f"ports {', '.join(map(str, uncovered))} are in no ingress rule",
                "a rule for each of Triton's ports",
            )
        )
    return all_of(judged)


def _rule_ports(policy: Resource, rule: str) -> Iterator[int]:
    """Triton's ports among those that an ingress rule names."""
    for port in items(policy, f"{rule}.ports"):
        first = read(policy, f"{port}.port")
        last = read(policy, f"{port}.endPort")
        if isinstance(first, int):
            yield from (p for p in _TRITON_PORTS if first <= p <= (last if isinstance(last, int) else first))


def _narrow(policy: Resource, rule: str) -> Judgement:
    ports = read(policy, f"{rule}.ports")
    if ports in (ABSENT, []):
        return failed(f"{policy.name}.{rule}.ports", "absent, so every port", "named ports")
    hidden = unreadable(policy, f"{rule}.ports", "named ports") or unreadable(policy, f"{rule}.from", "named peers")
    if hidden:
        return hidden
    if read(policy, f"{rule}.from") not in (ABSENT, []) or _TRITON_PORTS.isdisjoint(_rule_ports(policy, rule)):
        return PASS
    return failed(f"{policy.name}.{rule}.from", "absent, so everyone, on a port of Triton's", "named peers")


def _namespace_restricted(namespace: Resource, _: Inventory) -> Judgement:
    labels = read(namespace, "metadata.labels")
    if is_hidden(labels):
        return unknown("metadata.labels", f"{_ENFORCE}: restricted")
    level = labels.get(_ENFORCE, ABSENT) if isinstance(labels, Mapping) else ABSENT
    if level == "restricted":
        return PASS
    return failed(f"metadata.labels[{_ENFORCE}]", shown(level), '"restricted"')


def _no_wildcard_rights(role: Resource, _: Inventory) -> Judgement:
    if read(role, "rules") is ABSENT:
        return passed("the role aggregates others")
    return unreadable(role, "rules", "named rights") or all_of(
        holds_none(role, f"{rule}.{field}", "*", "named ones")
        for rule in items(role, "rules")
        for field in ("verbs", "resources", "apiGroups")
    )


def _inside_only(service: Resource, _: Inventory) -> Judgement:
    kind = read(service, "spec.type")
    if kind in (ABSENT, "ClusterIP", "ExternalName"):
        return PASS
    if is_hidden(kind):
        return unknown("spec.type", "ClusterIP")
    internal = ("service.beta.kubernetes.io/aws-load-balancer-internal", "networking.gke.io/load-balancer-type")
    annotations = read(service, "metadata.annotations")
    notes = annotations if isinstance(annotations, Mapping) else {}
    marked = (str(notes.get(key, "")).lower() in ("true", "internal") for key in internal)
    return any_of(
        (PASS for found in marked if found),
        otherwise=failed("spec.type", shown(kind), "ClusterIP, or a load balancer marked as internal"),
    )


KUBERNETES: tuple[Rule, ...] = (
    Rule(
        id="k8s-pods-restricted",
        severity=Severity.HIGH,
        title="Pods meet Kubernetes' restricted Pod Security Standard",
        rationale="A container that runs as root or gains rights is a short step from the machine and its GPUs.",
        remedy="Set runAsNonRoot, seccompProfile RuntimeDefault, allowPrivilegeEscalation false, and drop ALL.",
        types=_WORKLOADS,
        check=_restricted,
        frameworks={
            Framework.CHECKOV: ("CKV_K8S_16", "CKV_K8S_20", "CKV_K8S_23", "CKV_K8S_31", "CKV_K8S_37"),
        },
    ),
    Rule(
        id="k8s-images-by-digest",
        severity=Severity.MEDIUM,
        title="Images are named by digest",
        rationale="A tag can be moved; a digest is the very image that was reviewed.",
        remedy="Write the image as repository@sha256:….",
        types=_WORKLOADS,
        check=_by_digest,
        frameworks={Framework.CHECKOV: ("CKV_K8S_43",)},
    ),
    Rule(
        id="k8s-probes",
        severity=Severity.MEDIUM,
        title="Containers have readiness and liveness probes",
        rationale="Without readiness, requests reach a server that is loading models; without liveness, a hung one.",
        remedy="Add a readinessProbe and a livenessProbe to each container.",
        types=_SERVING,
        check=_probed,
        frameworks={Framework.CHECKOV: ("CKV_K8S_8", "CKV_K8S_9")},
    ),
    Rule(
        id="k8s-resources-sized",
        severity=Severity.MEDIUM,
        title="Containers state what they need, and a memory limit",
        rationale="An unsized container is placed blindly, and may starve its neighbours on a GPU machine.",
        remedy="Set requests for cpu and memory, and a limit for memory.",
        types=_WORKLOADS,
        check=_sized,
        frameworks={Framework.CHECKOV: ("CKV_K8S_10", "CKV_K8S_11", "CKV_K8S_12", "CKV_K8S_13")},
    ),
    Rule(
        id="k8s-network-fenced",
        severity=Severity.MEDIUM,
        title="Network policies limit what pods receive and send",
        rationale="Without them every pod of the cluster reaches every other, and the internet.",
        remedy="Add a NetworkPolicy for Ingress and Egress that selects the pods.",
        types=_SERVING,
        check=_fenced,
        frameworks={Framework.CHECKOV: ("CKV2_K8S_6",)},
    ),
    Rule(
        id="k8s-network-ports-named",
        severity=Severity.MEDIUM,
        title="Ingress rules name ports, cover Triton's, and say who may reach those",
        rationale="Triton authenticates nobody, so the rules must; a port without one cannot be served or scraped.",
        remedy="Give each ingress rule ports, each of Triton's ports a rule, and those rules a from.",
        types=_SERVING,
        check=_ports_covered,
    ),
    Rule(
        id="k8s-namespace-restricted",
        severity=Severity.HIGH,
        title="Namespaces enforce the restricted Pod Security Standard",
        rationale="Admission stops the pod that a later change or an intruder adds.",
        remedy=f"Label the namespace {_ENFORCE}: restricted.",
        types=(NAMESPACE,),
        check=_namespace_restricted,
        frameworks={Framework.CIS_GKE: ("4.2.1",)},
    ),
    Rule(
        id="k8s-rbac-no-wildcards",
        severity=Severity.HIGH,
        title="Roles name verbs, resources and groups",
        rationale="A wildcard grants what future versions add, secrets included.",
        remedy="List what the workload uses.",
        types=_ROLES,
        check=_no_wildcard_rights,
        frameworks={Framework.CIS_GKE: ("4.1.3",)},
    ),
    Rule(
        id="k8s-service-inside-only",
        severity=Severity.HIGH,
        title="Services are not open to the internet",
        rationale="Triton authenticates nobody: whoever reaches it may use every model.",
        remedy="Use ClusterIP, or mark the load balancer as internal.",
        types=("kubernetes:core/v1:Service",),
        check=_inside_only,
    ),
)
