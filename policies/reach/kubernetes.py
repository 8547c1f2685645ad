"""Reach in a Kubernetes cluster: whom a network policy's peers are, and whom a load balancer answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any, Final

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    failed,
    is_hidden,
    is_masked,
    not_applicable,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.reach.addresses import Addresses, addresses
from policies.reach.declared import declared
from policies.reach.spans import spans
from policies.reach.traffic import FEW_PORTS
from policies.reach.values import mapping, members, number, paths, texts
from policies.tokens import EKS_CLUSTER, NAMESPACE

POLICY_PATCH: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch"
LINK_LOCAL: Final = addresses("169.254.0.0/16", "fd00:ec2::/32")
"""What answers on each machine itself: the agent that hands pods their identity, and the metadata server."""
_EVERY_NAMESPACE: Final = "kubernetes.io/metadata.name"
"""A label that each namespace has (kubernetes.io/docs, "Automatic Labelling", believed)."""
_SOME: Final = 3
_SAID_INTERNAL: Final = {
    "aws": {"service.beta.kubernetes.io/aws-load-balancer-internal": ("true",)},
    "gcp": {
        "networking.gke.io/load-balancer-type": ("internal",),
        "cloud.google.com/load-balancer-type": ("internal",),
    },
}
_SCHEME: Final = "service.beta.kubernetes.io/aws-load-balancer-scheme"


def restricts(selector: object) -> bool:
    """Whether a selector leaves something out for good: by a label that must be there, and not by ones that must not.

    A label of one's own choosing can be left out, so that what only forbids labels lets everyone in.
    """
    found = mapping(selector)
    if any(value not in (None, "") for value in mapping(found.get("matchLabels")).values()):
        return True
    return any(_requires(mapping(each)) for each in members(found.get("matchExpressions")))


def _requires(expression: Mapping[str, Any]) -> bool:
    operator = str(expression.get("operator"))
    if operator == "Exists":
        return expression.get("key") != _EVERY_NAMESPACE
    return operator == "In" and bool(members(expression.get("values")))


def selects(selector: object, labels: Mapping[str, Any]) -> bool:
    """Whether a selector selects what has these labels."""
    found = mapping(selector)
    if any(labels.get(key) != value for key, value in mapping(found.get("matchLabels")).items()):
        return False
    return all(_matches(mapping(each), labels) for each in members(found.get("matchExpressions")))


def _matches(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = str(expression.get("key")), members(expression.get("values"))
    return {
        "In": key in labels and labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }.get(str(expression.get("operator")), True)


def labels_of_namespaces(inventory: Inventory) -> tuple[Mapping[str, Any], ...]:
    """The labels of the stack's own namespaces."""
    found = list(inventory.of_type(NAMESPACE))
    return tuple(
        {**mapping(mapping(each.inputs.get("metadata")).get("labels")), _EVERY_NAMESPACE: each.get("metadata.name")}
        for each in found
    )


def judged_rules(policy: Resource, path: str, none: str, judge: Callable[[str], Iterator[Judgement]]) -> Judgement:
    """Judge each rule of a policy at `path`; `none` says what a policy without any does."""
    hidden = unreadable(policy, path, "rules that the plan knows")
    if hidden:
        return hidden
    rules = list(paths(policy, path))
    if not rules:
        return not_applicable(none)
    judged = all_of(each for rule in rules for each in judge(rule))
    return judged if judged.problems else PASS


def peers(policy: Resource, inventory: Inventory, path: str, *, inward: bool) -> Iterator[Judgement]:
    """What is wrong with the peers at `path`; nothing where each is a named one."""
    for peer in paths(policy, path):
        yield _peer(policy, inventory, peer, inward=inward)


def _peer(policy: Resource, inventory: Inventory, peer: str, *, inward: bool) -> Judgement:
    block = f"{peer}.ipBlock"
    if read(policy, block) is not ABSENT:
        return _block(policy, inventory, block, inward=inward)
    if is_masked(policy, peer) or is_hidden(read(policy, peer)):
        return unknown(peer, "named peers")
    spaces, pods = read(policy, f"{peer}.namespaceSelector"), read(policy, f"{peer}.podSelector")
    if spaces is ABSENT and pods is ABSENT:
        return failed(peer, shown(read(policy, peer)), "a peer")
    if spaces is ABSENT:
        return PASS if restricts(pods) else failed(f"{peer}.podSelector", shown(pods), "labels of the pods")
    known = inventory.derived(labels_of_namespaces)
    everywhere = not restricts(spaces) or (len(known) >= _SOME and all(selects(spaces, each) for each in known))
    if everywhere:
        wanted = "labels of the namespaces that are meant"
        return failed(f"{peer}.namespaceSelector", shown(spaces), wanted)
    return PASS


def _block(policy: Resource, inventory: Inventory, block: str, *, inward: bool) -> Judgement:
    required = "a network of the stack's, or one that the settings name"
    cidrs, hidden = texts(policy, f"{block}.cidr")
    if hidden or is_hidden(read(policy, block)) or is_hidden(read(policy, f"{block}.except")):
        return unknown(f"{block}.cidr", required)
    left_out, _ = texts(policy, f"{block}.except")
    found = reduce(lambda kept, cut: kept - addresses(cut), left_out, addresses(*cidrs))
    if not cidrs or found - named(inventory, inward=inward):
        return failed(f"{block}.cidr", shown(read(policy, f"{block}.cidr")), required)
    return PASS


def named(inventory: Inventory, *, inward: bool) -> Addresses:
    """The addresses that policies may name: what the settings do, and for egress what each cluster has itself."""
    networks = declared(inventory)
    if inward:
        return networks.private | networks.clients
    services = [
        str(cidr)
        for cluster in inventory.of_type(EKS_CLUSTER)
        if isinstance(cidr := cluster.get("kubernetesNetworkConfig.serviceIpv4Cidr"), str) and not is_hidden(cidr)
    ]
    apis = addresses("199.36.153.4/30", "199.36.153.8/30")
    return networks.private | networks.services | apis | LINK_LOCAL | addresses(*services)


def ports_named(policy: Resource, rule: str) -> Judgement:
    """Whether a rule of a policy names its ports, few of them."""
    path = f"{rule}.ports"
    required = "the ports of a service"
    if is_masked(policy, path) or is_hidden(read(policy, path)):
        return unknown(path, required)
    if read(policy, path) in (ABSENT, []):
        return failed(path, "absent, so every port", required)
    judged = all_of(_port(policy, port, required) for port in paths(policy, path))
    return judged if judged.problems else PASS


def _port(policy: Resource, port: str, required: str) -> Judgement:
    first, last = read(policy, f"{port}.port"), read(policy, f"{port}.endPort")
    if first is ABSENT:
        return failed(f"{port}.port", "absent, so every port", required)
    start, end = number(first), number(last)
    if last is not ABSENT and (start is None or end is None or spans([(start, end)]).size > FEW_PORTS):
        return failed(f"{port}.endPort", shown(last), required)
    return PASS


def balancer_is_inside(annotations: object, cloud: str) -> bool:
    """Whether a cloud's own controller makes the load balancer of these annotations an internal one."""
    notes = {str(key): str(value).strip().lower() for key, value in mapping(annotations).items()}
    if notes.get(_SCHEME, "internal") != "internal":
        return False
    said = _SAID_INTERNAL.get(cloud, {})
    found = [notes[key] in values for key, values in said.items() if key in notes]
    return bool(found) and all(found)


def is_standalone(annotations: object) -> bool:
    """Whether GKE makes groups of endpoints of a Service, to which a load balancer elsewhere may lead."""
    text = mapping(annotations).get("cloud.google.com/neg")
    try:
        told = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return True
    return isinstance(told, Mapping) and bool(told.get("exposed_ports"))


def ranges_within(resource: Resource, path: str, allowed: Addresses, required: str) -> Judgement:
    """Whether the ranges at `path` are there, and all of them within what is allowed."""
    found, hidden = texts(resource, path)
    value = read(resource, path)
    if addresses(*found) - allowed:
        return failed(path, shown(value), required)
    if hidden:
        return unknown(path, required)
    return PASS if found else failed(path, shown(value), required)
