"""What may reach pods: named peers, in namespaces that let nothing in unless a policy says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.addresses import ANYWHERE
from policies.checks import (
    ABSENT,
    PASS,
    expect,
    failed,
    is_hidden,
    read,
    shown,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.kubernetes import POLICY_PATCH, judged_rules, peers, ports_named
from policies.tokens import NAMESPACE, NETWORK_POLICY

family = Family("What may reach pods")

_FROM: Final = "spec.ingress.0.from"
_PORTS: Final = "spec.ingress.0.ports"
_NOT_ONE: Final = {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}
_ANY_NAME: Final = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}
_ALL_BUT_TEN: Final = [
    *("0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/1"),
]


@family.rule(
    "k8s-ingress-bounded",
    Severity.HIGH,
    "Ingress rules name who may come in and on which ports, and no range or selector that means everyone",
    types=(NETWORK_POLICY, POLICY_PATCH),
    rationale="The door's pods, as Triton's, are made by controllers and in no plan: what may reach them stands "
    "in these rules alone.",
    remedy="Name the namespaces, pods or ranges that are meant, and the ports of the service.",
    examples=lambda: examples(
        given(
            NETWORK_POLICY,
            {"spec.ingress.0.from.0.namespaceSelector.matchLabels": {"client": "true"}, _PORTS: [{"port": 8000}]},
            "inward",
        ),
        broken={
            f"{_FROM} is absent, so everyone": (drop(_FROM), put(_FROM, [])),
            f"{_FROM}.0.namespaceSelector is {{}}": (
                put(_FROM, [{"namespaceSelector": {}}]),
                put(_FROM, [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "a"}}}]),
            ),
            f"{_FROM}.0.namespaceSelector is {shown(_NOT_ONE)}": put(_FROM, [{"namespaceSelector": _NOT_ONE}]),
            f"{_FROM}.0.namespaceSelector is {shown(_ANY_NAME)}": put(_FROM, [{"namespaceSelector": _ANY_NAME}]),
            f"{_FROM}.0.podSelector is {{}}": put(_FROM, [{"podSelector": {}}]),
            f"{_FROM}.0 is {{}}": put(_FROM, [{}]),
            **{
                f'{_FROM}.1.ipBlock.cidr is "{wide}"': put(f"{_FROM}.1", {"ipBlock": {"cidr": wide}})
                for wide in (*ANYWHERE, "0.0.0.0/1", "203.0.113.0/24")
            },
            f"{_PORTS} is absent, so every port": (drop(_PORTS), put(_PORTS, [])),
            f"{_PORTS}.0.port is absent, so every port": put(_PORTS, [{"protocol": "TCP"}]),
            f"{_PORTS}.0.endPort is 65535": put(_PORTS, [{"port": 1, "endPort": 65535}]),
        },
        undecided={
            f"{_FROM} is known only to the provider": put(_FROM, Hidden()),
            f"{_PORTS} is known only to the provider": put(_PORTS, Hidden()),
        },
        accepted={
            "it lets nothing in": drop("spec.ingress"),
            "": (
                put(_FROM, [{"ipBlock": {"cidr": "10.20.0.0/17"}}, {"ipBlock": {"cidr": "10.20.128.0/17"}}]),
                put(_FROM, [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _ALL_BUT_TEN}}]),
                put(_PORTS, [{"port": "8000", "endPort": "8002"}]),
                put(
                    _FROM,
                    [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}],
                ),
            ),
        },
    ),
)
def ingress_bounded(policy: Resource, inventory: Inventory) -> Judgement:
    return judged_rules(policy, "spec.ingress", "it lets nothing in", lambda rule: _rule(policy, inventory, rule))


def _rule(policy: Resource, inventory: Inventory, rule: str) -> Iterator[Judgement]:
    path = f"{rule}.from"
    yield ports_named(policy, rule)
    hidden = unreadable(policy, path, "named peers") or unreadable(policy, rule, "named peers")
    if hidden:
        yield hidden
    elif read(policy, path) in (ABSENT, []):
        yield failed(path, "absent, so everyone", "named peers")
    else:
        yield from peers(policy, inventory, path, inward=True)


@family.rule(
    "k8s-namespace-closed",
    Severity.HIGH,
    "Namespaces let nothing in or out unless a policy says so",
    types=(NAMESPACE,),
    rationale="A pod that no policy selects, as one that a controller or an intruder adds, is open to all others.",
    remedy="Lay a NetworkPolicy with an empty podSelector for Ingress and Egress, as `deny_all` does.",
    examples=lambda: examples(
        given(NAMESPACE, {"metadata.name": "closed"}),
        given(
            NETWORK_POLICY,
            {
                "metadata.namespace": "closed",
                "spec.podSelector": {},
                "spec.policyTypes": ["Ingress", "Egress"],
            },
            "deny-all",
        ),
        broken={
            'metadata.name is "closed", in which nothing is denied': (
                without(NETWORK_POLICY, "deny-all"),
                put("metadata.namespace", "elsewhere", NETWORK_POLICY, "deny-all"),
                put("spec.policyTypes", ["Ingress"], NETWORK_POLICY, "deny-all"),
                put("spec.podSelector.matchLabels", {"a": "b"}, NETWORK_POLICY, "deny-all"),
                put("spec.ingress", [{}], NETWORK_POLICY, "deny-all"),
            ),
        },
        undecided={"metadata.name is known only to the provider": put("metadata.name", Hidden())},
    ),
)
def namespace_closed(namespace: Resource, inventory: Inventory) -> Judgement:
    hidden = unreadable(namespace, "metadata.name", "a name that the plan knows")
    if hidden or is_hidden(read(namespace, "metadata")):
        return hidden or expect(namespace, "metadata", "a name", bool)
    name = read(namespace, "metadata.name")
    denying = (
        policy
        for policy in inventory.of_type(NETWORK_POLICY)
        if read(policy, "metadata.namespace") == name
        and _all_pods(read(policy, "spec.podSelector"))
        and _both(read(policy, "spec.policyTypes"))
        and all(read(policy, f"spec.{way}") in (ABSENT, []) for way in ("ingress", "egress"))
    )
    if any(denying):
        return PASS
    return failed("metadata.name", f"{shown(name)}, in which nothing is denied", "a policy that denies all")


def _all_pods(selector: object) -> bool:
    return isinstance(selector, Mapping) and not any(selector.values())


def _both(kinds: object) -> bool:
    return isinstance(kinds, list) and {"Ingress", "Egress"} <= {str(kind) for kind in kinds}
