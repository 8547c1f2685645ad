"""What pods may send to: named ranges and ports, never the internet, never a machine's own metadata."""

from __future__ import annotations

import ipaddress
from typing import Final

from components.contracts.vocabulary import Cloud
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
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.settings_view import SettingsView
from policies.workloads import NETWORK_POLICY

family = Family("What pods may reach")

NODE_METADATA: Final = ipaddress.ip_address("169.254.169.254")
"""The machine's own on AWS; on GKE its metadata server stands in its place, which hands pods their own identity."""
_TO: Final = "spec.egress.0.to.0"


@family.rule(
    "k8s-egress-bounded",
    Severity.HIGH,
    "Egress rules name ranges that somebody has, and ports",
    types=(NETWORK_POLICY,),
    rationale="A pod that reaches any address can carry data, and its token, anywhere.",
    remedy="Name the ranges of the stores, credentials and APIs that the pods use, and their ports.",
    examples=lambda: examples(
        given(
            NETWORK_POLICY,
            {
                "spec.policyTypes": ["Ingress", "Egress"],
                "spec.egress.0.to.0.ipBlock.cidr": "10.20.225.0/24",
                "spec.egress.0.ports": [{"port": 443, "protocol": "TCP"}],
            },
        ),
        broken={
            **{
                f'{_TO}.ipBlock.cidr is "{wide}"': put(f"{_TO}.ipBlock.cidr", wide)
                for wide in (*ANYWHERE, "0.0.0.0/1", "128.0.0.0/1", "not a network")
            },
            "spec.egress.0.to is absent, so everyone": (drop("spec.egress.0.to"), put("spec.egress.0.to", [])),
            "spec.egress.0.ports is absent, so every port": (
                drop("spec.egress.0.ports"),
                put("spec.egress.0.ports", []),
            ),
        },
        undecided={
            f"{_TO}.ipBlock.cidr is known only to the provider": put(f"{_TO}.ipBlock.cidr", Hidden()),
            "spec.egress.0.to is known only to the provider": put("spec.egress.0.to", Hidden()),
            "spec.egress is known only to the provider": put("spec.egress", Hidden()),
        },
        accepted={
            "": (
                put("spec.egress.0.to", [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]),
                put(f"{_TO}.ipBlock.cidr", "169.254.170.23/32"),
            ),
            "it lets nothing out": (drop("spec.egress"), put("spec.egress", [])),
        },
    ),
)
def egress_bounded(policy: Resource, inventory: Inventory) -> Judgement:
    hidden = unreadable(policy, "spec.egress", "rules that the plan knows")
    if hidden:
        return hidden
    rules = list(items(policy, "spec.egress"))
    if not rules:
        return not_applicable("it lets nothing out")
    on_aws = SettingsView.of(inventory.settings).cloud is Cloud.AWS
    return all_of(_bounded(policy, rule, on_aws=on_aws) for rule in rules)


def _bounded(policy: Resource, rule: str, *, on_aws: bool) -> Judgement:
    for field, everything in (("to", "everyone"), ("ports", "every port")):
        hidden = unreadable(policy, f"{rule}.{field}", f"named {field}")
        if hidden:
            return hidden
        if read(policy, f"{rule}.{field}") in (ABSENT, []):
            return failed(f"{rule}.{field}", f"absent, so {everything}", f"named {field}")
    return all_of(_peer(policy, peer, on_aws=on_aws) for peer in items(policy, f"{rule}.to"))


def _peer(policy: Resource, peer: str, *, on_aws: bool) -> Judgement:
    block = f"{peer}.ipBlock.cidr"
    cidr = read(policy, block)
    if cidr is ABSENT:
        return unreadable(policy, peer, "named peers") or PASS
    judged = expect(policy, block, "a network that somebody has", lambda found: not too_wide(found))
    if on_aws and not is_hidden(cidr) and not too_wide(cidr) and _holds_metadata(str(cidr)):
        return failed(block, shown(cidr), "the address of the Pod Identity agent, without the machine's metadata")
    return judged


def _holds_metadata(cidr: str) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    return network.version == NODE_METADATA.version and NODE_METADATA in network
