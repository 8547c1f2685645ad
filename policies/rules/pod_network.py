"""The network of pods: what reaches them, what they reach, and on which ports."""

from __future__ import annotations

from collections.abc import Iterator

from components.contracts.serving import GRPC_PORT, HTTP_PORT, METRICS_PORT
from policies.addresses import ANYWHERE
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    failed,
    is_hidden,
    items,
    not_applicable,
    read,
    unreadable,
)
from policies.examples import Given, Hidden, Output, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.kubernetes import peers
from policies.reach.values import number
from policies.tokens import DEPLOYMENT, NAMESPACE, NETWORK_POLICY
from policies.workloads import LONG_RUNNING, containers, network_policies

family = Family("Network of pods")

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
            NETWORK_POLICY,
            {
                "metadata.namespace": "serving",
                "spec.podSelector.matchLabels": labels,
                "spec.policyTypes": ["Ingress", "Egress"],
                "spec.ingress.0.from": [{"namespaceSelector": {"matchLabels": {"client": "true"}}}],
                "spec.ingress.0.ports": [{"port": port} for port in _TRITON_PORTS],
            },
        ),
    )


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
                without(NETWORK_POLICY),
                put("metadata.namespace", "elsewhere", on=NETWORK_POLICY),
                put("metadata.namespace", Output(NAMESPACE), on=NETWORK_POLICY),
                put("metadata.namespace", Output(NAMESPACE)),
                both(put("metadata.namespace", Hidden()), put("metadata.namespace", Hidden(), on=NETWORK_POLICY)),
                put("spec.podSelector.matchLabels", {"app.kubernetes.io/name": "other"}, on=NETWORK_POLICY),
                put("spec.podSelector.matchExpressions", [{"key": "a", "operator": "Exists"}], on=NETWORK_POLICY),
                put("spec.podSelector", Hidden(), on=NETWORK_POLICY),
                put("spec.podSelector.matchLabels", Hidden(), on=NETWORK_POLICY),
            ),
            "no network policy limits the egress of these pods": (
                put("spec.policyTypes", ["Ingress"], on=NETWORK_POLICY),
                put("spec.egress", [{}], on=NETWORK_POLICY),
            ),
        },
        accepted={
            "": (
                put("spec.podSelector", {}, on=NETWORK_POLICY),
                both(
                    drop("spec.policyTypes", on=NETWORK_POLICY),
                    put("spec.egress", [{"to": [{"podSelector": {"matchLabels": {"a": "b"}}}]}], on=NETWORK_POLICY),
                ),
                both(*(put("metadata.namespace", Output(NAMESPACE), on=token) for token in ("", NETWORK_POLICY))),
            )
        },
    ),
)
def network_fenced(workload: Resource, inventory: Inventory) -> Judgement:
    policies = network_policies(workload, inventory)
    missing = [kind for kind in ("Ingress", "Egress") if not _limits(policies, kind)]
    if not missing:
        return PASS
    found = f"no network policy limits the {' and '.join(missing).lower()} of these pods"
    return failed("", found, "a NetworkPolicy in their namespace that selects them, for Ingress and Egress")


def _limits(policies: list[Resource], kind: str) -> bool:
    """Whether some policy speaks of this direction, and none lets everything through by an empty rule."""
    of_kind = [policy for policy in policies if kind in _kinds(policy)]
    rules = [(policy, f"spec.{kind.lower()}") for policy in of_kind]
    return bool(of_kind) and not any(
        is_hidden(read(policy, path)) or any(read(policy, rule) == {} for rule in items(policy, path))
        for policy, path in rules
    )


def _kinds(policy: Resource) -> tuple[str, ...]:
    """The directions that a policy speaks of; where it does not say, Ingress, and Egress if it has such rules
    (NetworkPolicySpec.policyTypes in Kubernetes' API reference)."""
    kinds = read(policy, "spec.policyTypes")
    if isinstance(kinds, list) and kinds:
        return tuple(map(str, kinds))
    if is_hidden(kinds):
        return ()
    return ("Ingress", "Egress") if read(policy, "spec.egress") not in (ABSENT, []) else ("Ingress",)


@family.rule(
    "k8s-network-ports-named",
    Severity.MEDIUM,
    "Ingress rules name ports and who may reach them, and cover Triton's",
    types=LONG_RUNNING,
    rationale="Triton authenticates nobody, so the rules must; the metrics API is for the API server alone.",
    remedy="Give each ingress rule ports and a from, and each of Triton's ports a rule.",
    examples=lambda: examples(
        *_triton(),
        broken={
            "ports 8002 are in no ingress rule": put(
                "spec.ingress.0.ports", [{"port": 8000, "endPort": 8001}], on=NETWORK_POLICY
            ),
            "ports 8000, 8001, 8002 are in no ingress rule": put("spec.ingress", [], on=NETWORK_POLICY),
            "example.spec.ingress.0.from is absent, so everyone": drop("spec.ingress.0.from", on=NETWORK_POLICY),
            "example.spec.ingress.1.from is absent, so everyone": put(
                "spec.ingress.1.ports", [{"port": 9999}], on=NETWORK_POLICY
            ),
            **{
                f'spec.ingress.0.from.1.ipBlock.cidr is "{wide}"': put(
                    "spec.ingress.0.from.1", {"ipBlock": {"cidr": wide}}, on=NETWORK_POLICY
                )
                for wide in (*ANYWHERE, "0.0.0.0/1")
            },
            "example.spec.ingress.0.ports is absent, so every port": drop("spec.ingress.0.ports", on=NETWORK_POLICY),
        },
        undecided={
            "spec.ingress.0.from is known only to the provider": put(
                "spec.ingress.0.from", Hidden(), on=NETWORK_POLICY
            )
        },
        accepted={
            "": put("spec.ingress.0.from.1", {"ipBlock": {"cidr": "10.20.0.0/16"}}, on=NETWORK_POLICY),
            "no network policy selects the pods": without(NETWORK_POLICY),
            "the pods listen on no port": drop("spec.template.spec.containers.0.ports"),
        },
    ),
)
def network_ports_named(workload: Resource, inventory: Inventory) -> Judgement:
    ports = {
        found
        for container in containers(workload, with_init=False)
        for port in items(workload, f"{container}.ports")
        if (found := number(read(workload, f"{port}.containerPort"))) is not None
    }
    policies = network_policies(workload, inventory)
    if not ports or not policies:
        return not_applicable("the pods listen on no port" if not ports else "no network policy selects the pods")
    rules = [(policy, rule) for policy in policies for rule in items(policy, "spec.ingress")]
    named = {number for policy, rule in rules for number in _rule_ports(policy, rule)}
    uncovered = ", ".join(str(port) for port in _TRITON_PORTS if port in ports - named)
    judged = [_narrow(policy, inventory, rule) for policy, rule in rules]
    if uncovered:
        judged.append(failed("", f"ports {uncovered} are in no ingress rule", "a rule for each of Triton's ports"))
    return all_of(judged)


def _rule_ports(policy: Resource, rule: str) -> Iterator[int]:
    """Triton's ports among those that an ingress rule names."""
    for port in items(policy, f"{rule}.ports"):
        first, last = number(read(policy, f"{port}.port")), number(read(policy, f"{port}.endPort"))
        if first is not None:
            yield from (p for p in _TRITON_PORTS if first <= p <= (first if last is None else last))


def _narrow(policy: Resource, inventory: Inventory, rule: str) -> Judgement:
    ports = read(policy, f"{rule}.ports")
    if ports in (ABSENT, []):
        return failed(f"{policy.name}.{rule}.ports", "absent, so every port", "named ports")
    hidden = unreadable(policy, f"{rule}.ports", "named ports") or unreadable(policy, f"{rule}.from", "named peers")
    if hidden:
        return hidden
    if read(policy, f"{rule}.from") in (ABSENT, []):
        return failed(f"{policy.name}.{rule}.from", "absent, so everyone", "named peers")
    return all_of(peers(policy, inventory, f"{rule}.from", inward=True))
