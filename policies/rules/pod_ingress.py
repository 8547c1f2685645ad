"""What may reach pods: named peers, in namespaces that let nothing in unless a policy says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.addresses import ANYWHERE, too_wide
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    expect,
    failed,
    is_hidden,
    items,
    not_applicable,
    read,
    shown,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import NAMESPACE
from policies.workloads import NETWORK_POLICY

family = Family("What may reach pods")

_FROM: Final = "spec.ingress.0.from"


@family.rule(
    "k8s-ingress-bounded",
    Severity.HIGH,
    "Ingress rules name who may come in, and no range or selector that means everyone",
    types=(NETWORK_POLICY,),
    rationale="The door's pods, as Triton's, are made by controllers and in no plan: what may reach them stands "
    "in these rules alone.",
    remedy="Name the namespaces, pods or ranges that are meant.",
    examples=lambda: examples(
        given(NETWORK_POLICY, {"spec.ingress.0.from.0.namespaceSelector.matchLabels": {"client": "true"}}),
        broken={
            f"{_FROM} is absent, so everyone": (drop(_FROM), put(_FROM, [])),
            f"{_FROM}.0.namespaceSelector is {{}}": put(_FROM, [{"namespaceSelector": {}}]),
            **{
                f'{_FROM}.1.ipBlock.cidr is "{wide}"': put(f"{_FROM}.1", {"ipBlock": {"cidr": wide}})
                for wide in (*ANYWHERE, "0.0.0.0/1")
            },
        },
        undecided={f"{_FROM} is known only to the provider": put(_FROM, Hidden())},
        accepted={
            "it lets nothing in": drop("spec.ingress"),
            "": put(_FROM, [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "a"}}}]),
        },
    ),
)
def ingress_bounded(policy: Resource, _: Inventory) -> Judgement:
    hidden = unreadable(policy, "spec.ingress", "rules that the plan knows")
    if hidden:
        return hidden
    rules = list(items(policy, "spec.ingress"))
    return all_of(_rule(policy, rule) for rule in rules) if rules else not_applicable("it lets nothing in")


def _rule(policy: Resource, rule: str) -> Judgement:
    path = f"{rule}.from"
    hidden = unreadable(policy, path, "named peers")
    if hidden:
        return hidden
    if read(policy, path) in (ABSENT, []):
        return failed(path, "absent, so everyone", "named peers")
    return all_of(_peer(policy, peer) for peer in items(policy, path))


def _peer(policy: Resource, peer: str) -> Judgement:
    block, selector = f"{peer}.ipBlock.cidr", f"{peer}.namespaceSelector"
    if read(policy, block) is not ABSENT:
        return expect(policy, block, "a network that somebody has", lambda cidr: not too_wide(cidr))
    if read(policy, selector) == {} and read(policy, f"{peer}.podSelector") in (ABSENT, {}):
        return failed(selector, "{}", "labels of the namespaces that are meant")
    return unreadable(policy, peer, "named peers") or PASS


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
