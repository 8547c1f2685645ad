"""The network of pods: what reaches them, what they reach, and on which ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.contracts.serving import GRPC_PORT, HTTP_PORT, METRICS_PORT
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    failed,
    is_hidden,
    items,
    not_applicable,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Given, Hidden, Output, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import DEPLOYMENT, NAMESPACE
from policies.workloads import LONG_RUNNING, containers, pod_labels

family = Family("Network of pods")

_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_SERVICE = "kubernetes:core/v1:Service"
_INTERNAL = ("service.beta.kubernetes.io/aws-load-balancer-internal", "networking.gke.io/load-balancer-type")
_TRITON_PORTS = (HTTP_PORT, GRPC_PORT, METRICS_PORT)
"""Triton authenticates nobody: who may reach these ports may use every model."""


def _triton() -> tuple[Given, ...]:
    labels = {"app.kubernetes.io/name": "triton"}
    return (
        given(
            DEPLOYMENT,
            {
                "metadata.namespace": "serving",
                "spec.template.metadata.labels": labels,
                "spec.template.spec.containers.0.ports": [{"containerPort": port} for port in _TRITON_PORTS],
            },
        ),
        given(
            _POLICY,
            {
                "metadata.namespace": "serving",
                "spec.podSelector.matchLabels": labels,
                "spec.policyTypes": ["Ingress", "Egress"],
                "spec.ingress.0.from": [{"namespaceSelector": {"matchLabels": {"client": "true"}}}],
                "spec.ingress.0.ports": [{"port": port} for port in _TRITON_PORTS],
            },
        ),
    )


def _selecting(workload: Resource, inventory: Inventory) -> list[Resource]:
    """The network policies of the workload's namespace that select its pods."""
    labels = pod_labels(workload)
    return [
        policy
        for policy in inventory.of_type(_POLICY)
        if _same_namespace(inventory, policy, workload) and _selects(policy, labels)
    ]


def _same_namespace(inventory: Inventory, policy: Resource, workload: Resource) -> bool:
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


@family.rule(
    "k8s-network-fenced",
    Severity.MEDIUM,
    "Network policies limit what pods receive and send",
    types=LONG_RUNNING,
    rationale="Without them every pod of the cluster reaches every other, and the internet.",
    remedy="Add a NetworkPolicy for Ingress and Egress that selects the pods.",
    frameworks={Framework.CHECKOV: ("CKV2_K8S_6",)},
    examples=lambda: examples(
        *_triton(),
        broken={
            "no network policy limits the ingress and egress of these pods": (
                without(_POLICY),
                put("metadata.namespace", "elsewhere", on=_POLICY),
                put("metadata.namespace", Output(NAMESPACE), on=_POLICY),
                put("metadata.namespace", Output(NAMESPACE)),
                both(put("metadata.namespace", Hidden()), put("metadata.namespace", Hidden(), on=_POLICY)),
                put("spec.podSelector.matchLabels", {"app.kubernetes.io/name": "other"}, on=_POLICY),
                put("spec.podSelector.matchExpressions", [{"key": "a", "operator": "Exists"}], on=_POLICY),
                put("spec.podSelector", Hidden(), on=_POLICY),
                put("spec.podSelector.matchLabels", Hidden(), on=_POLICY),
            ),
            "no network policy limits the egress of these pods": put("spec.policyTypes", ["Ingress"], on=_POLICY),
        },
        accepted={
            "": (
                put("spec.podSelector", {}, on=_POLICY),
                both(*(put("metadata.namespace", Output(NAMESPACE), on=token) for token in ("", _POLICY))),
            )
        },
    ),
)
def network_fenced(workload: Resource, inventory: Inventory) -> Judgement:
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


@family.rule(
    "k8s-network-ports-named",
    Severity.MEDIUM,
    "Ingress rules name ports, cover Triton's, and say who may reach those",
    types=LONG_RUNNING,
    rationale="Triton authenticates nobody, so the rules must; a port without one cannot be served or scraped.",
    remedy="Give each ingress rule ports, each of Triton's ports a rule, and those rules a from.",
    examples=lambda: examples(
        *_triton(),
        broken={
            "ports 8002 are in no ingress rule": put(
                "spec.ingress.0.ports", [{"port": 8000, "endPort": 8001}], on=_POLICY
            ),
            "ports 8000, 8001, 8002 are in no ingress rule": put("spec.ingress", [], on=_POLICY),
            "example.spec.ingress.0.from is absent, so everyone, on a port of Triton's": drop(
                "spec.ingress.0.from", on=_POLICY
            ),
            "example.spec.ingress.0.ports is absent, so every port": drop("spec.ingress.0.ports", on=_POLICY),
        },
        undecided={
            "spec.ingress.0.from is known only to the provider": put("spec.ingress.0.from", Hidden(), on=_POLICY)
        },
        accepted={
            "": put("spec.ingress.1.ports", [{"port": 9999}], on=_POLICY),
            "no network policy selects the pods": without(_POLICY),
            "the pods listen on no port": drop("spec.template.spec.containers.0.ports"),
        },
    ),
)
def network_ports_named(workload: Resource, inventory: Inventory) -> Judgement:
    ports = {
        number
        for container in containers(workload, with_init=False)
        for port in items(workload, f"{container}.ports")
        if isinstance(number := read(workload, f"{port}.containerPort"), int)
    }
    policies = _selecting(workload, inventory)
    if not ports or not policies:
        return not_applicable("the pods listen on no port" if not ports else "no network policy selects the pods")
    rules = [(policy, rule) for policy in policies for rule in items(policy, "spec.ingress")]
    named = {number for policy, rule in rules for number in _rule_ports(policy, rule)}
    uncovered = ", ".join(str(port) for port in _TRITON_PORTS if port in ports - named)
    judged = [_narrow(policy, rule) for policy, rule in rules]
    if uncovered:
        judged.append(failed("", f"ports {uncovered} are in no ingress rule", "a rule for each of Triton's ports"))
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
    if read(policy, f"{rule}.from") not in (ABSENT, []) or not any(_rule_ports(policy, rule)):
        return PASS
    return failed(f"{policy.name}.{rule}.from", "absent, so everyone, on a port of Triton's", "named peers")


@family.rule(
    "k8s-service-inside-only",
    Severity.HIGH,
    "Services are not open to the internet",
    types=(_SERVICE,),
    rationale="Triton authenticates nobody: whoever reaches it may use every model.",
    remedy="Use ClusterIP, or mark the load balancer as internal.",
    examples=lambda: examples(
        given(_SERVICE, {"spec.type": "ClusterIP"}),
        broken={f'spec.type is "{kind}"': put("spec.type", kind) for kind in ("LoadBalancer", "NodePort")},
        undecided={"spec.type is known only to the provider": put("spec.type", Hidden())},
        accepted={
            "": (
                drop("spec.type"),
                both(put("spec.type", "LoadBalancer"), put("metadata.annotations", {_INTERNAL[0]: "true"})),
            )
        },
    ),
)
def service_inside_only(service: Resource, _: Inventory) -> Judgement:
    kind = read(service, "spec.type")
    if kind in (ABSENT, "ClusterIP", "ExternalName"):
        return PASS
    if is_hidden(kind):
        return unknown("spec.type", "ClusterIP")
    annotations = read(service, "metadata.annotations")
    notes = annotations if isinstance(annotations, Mapping) else {}
    if any(str(notes.get(key, "")).lower() in ("true", "internal") for key in _INTERNAL):
        return PASS
    return failed("spec.type", shown(kind), "ClusterIP, or a load balancer marked as internal")
