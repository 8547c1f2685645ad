"""What pods may send to: named ranges and ports, never the internet, never a machine's own metadata."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Final

from components.contracts.vocabulary import Cloud
from policies.addresses import ANYWHERE
from policies.checks import (
    ABSENT,
    PASS,
    failed,
    read,
    shown,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.addresses import addresses, is_wide
from policies.reach.kubernetes import POLICY_PATCH, judged_rules, peers, ports_named
from policies.reach.values import paths, texts
from policies.settings_view import SettingsView
from policies.tokens import NETWORK_POLICY

family = Family("What pods may reach")

NODE_METADATA: Final = addresses("169.254.169.254", "fd00:ec2::254")
"""The machine's own on AWS; on GKE its metadata server stands in its place, which hands pods their own identity."""
_TO: Final = "spec.egress.0.to.0"


@family.rule(
    "k8s-egress-bounded",
    Severity.HIGH,
    "Egress rules name ranges that somebody has, and ports",
    types=(NETWORK_POLICY, POLICY_PATCH),
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
                for wide in (*ANYWHERE, "0.0.0.0/1", "128.0.0.0/1", "8.8.8.8/32", "not a network")
            },
            f'{_TO}.ipBlock.cidr is "169.254.0.0/16"': put(f"{_TO}.ipBlock.cidr", "169.254.0.0/16"),
            f"{_TO}.namespaceSelector is {{}}": put("spec.egress.0.to", [{"namespaceSelector": {}}]),
            f"{_TO}.podSelector is {{}}": put("spec.egress.0.to", [{"podSelector": {}}]),
            "spec.egress.0.ports.0.endPort is 65535": put("spec.egress.0.ports.0.endPort", 65535),
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
                put(f"{_TO}.ipBlock", {"cidr": "169.254.0.0/16", "except": ["169.254.169.254/32"]}),
            ),
            "it lets nothing out": (drop("spec.egress"), put("spec.egress", [])),
        },
    ),
)
def egress_bounded(policy: Resource, inventory: Inventory) -> Judgement:
    return judged_rules(policy, "spec.egress", "it lets nothing out", lambda rule: _bounded(policy, inventory, rule))


def _bounded(policy: Resource, inventory: Inventory, rule: str) -> Iterator[Judgement]:
    on_aws = SettingsView.of(inventory.settings).cloud is Cloud.AWS
    path = f"{rule}.to"
    yield ports_named(policy, rule)
    hidden = unreadable(policy, path, "named to") or unreadable(policy, rule, "named to")
    if hidden:
        yield hidden
    elif read(policy, path) in (ABSENT, []):
        yield failed(path, "absent, so everyone", "named to")
    else:
        yield from peers(policy, inventory, path, inward=False)
        for peer in paths(policy, path) if on_aws else ():
            yield _without_metadata(policy, f"{peer}.ipBlock")


def _without_metadata(policy: Resource, block: str) -> Judgement:
    cidrs, _ = texts(policy, f"{block}.cidr")
    left_out, _ = texts(policy, f"{block}.except")
    found = reduce(lambda kept, cut: kept - addresses(cut), left_out, addresses(*cidrs))
    if found & NODE_METADATA and not is_wide(found):
        value = shown(read(policy, f"{block}.cidr"))
        return failed(f"{block}.cidr", value, "the address of the Pod Identity agent, without the machine's metadata")
    return PASS
