"""What Kubernetes' network policies let through, computed from the objects: the simulated nodes enforce none.

Stricter than some data planes in one thing: a range of addresses never means a pod, as Cilium has it, so that what
must be allowed is allowed there too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Peer:
    """Someone on the network: a pod (namespace and labels), or an address outside the cluster."""

    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    """The pod's ports that have a name."""


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything.

    Raises:
        ValueError: an operator that Kubernetes does not have.
    """
    exact = (labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return all(exact) and all(_meets(term, labels) for term in selector.get("matchExpressions") or ())


def _meets(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = term["key"], term.get("values") or ()
    match term["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"no operator of a selector: {other}")


@dataclass(frozen=True)
class Firewall:
    """Judges connections of pods by network policies, as Kubernetes defines them."""

    policies: Sequence[Mapping[str, Any]]

    def passes(self, sender: Peer, receiver: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether `sender` may open a connection, and `receiver` accepts it."""
        return self.sends(sender, receiver, port, protocol) and self.receives(receiver, sender, port, protocol)

    def receives(self, pod: Peer, sender: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether `pod` accepts a connection of `sender`; what is no pod accepts all."""
        return pod.namespace is None or self._judge("Ingress", "from", pod, sender, pod, port, protocol)

    def sends(self, pod: Peer, receiver: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether `pod` may open a connection to `receiver`; what is no pod may."""
        return pod.namespace is None or self._judge("Egress", "to", pod, receiver, receiver, port, protocol)

    def _judge(
        self, direction: str, side: str, pod: Peer, other: Peer, target: Peer, port: int, protocol: str
    ) -> bool:
        governing = [policy for policy in self._selecting(pod) if direction in _directions(policy)]
        rules = [
            (rule, policy["metadata"]["namespace"])
            for policy in governing
            for rule in policy["spec"].get(direction.lower()) or ()
        ]
        return not governing or any(
            _matches_any_peer(rule.get(side) or (), other, namespace)
            and _matches_any_port(rule.get("ports") or (), target, port, protocol)
            for rule, namespace in rules
        )

    def _selecting(self, pod: Peer) -> Iterator[Mapping[str, Any]]:
        for policy in self.policies:
            if policy["metadata"]["namespace"] == pod.namespace and selects(
                policy["spec"].get("podSelector") or {}, pod.labels
            ):
                yield policy


def _directions(policy: Mapping[str, Any]) -> Sequence[str]:
    """Left out, a policy governs ingress, and egress where it has such rules (API reference, NetworkPolicySpec)."""
    spec = policy["spec"]
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _matches_any_peer(rules: Sequence[Mapping[str, Any]], other: Peer, policy_namespace: str) -> bool:
    return not rules or any(_matches_peer(rule, other, policy_namespace) for rule in rules)


def _matches_peer(rule: Mapping[str, Any], other: Peer, policy_namespace: str) -> bool:
    if rule.get("ipBlock"):
        return other.address is not None and _in_block(rule["ipBlock"], other.address)
    if other.namespace is None:
        return False
    if rule.get("namespaceSelector") is not None:
        labels = {NAME_LABEL: other.namespace, **other.namespace_labels}
        in_namespace = selects(rule["namespaceSelector"], labels)
    else:
        in_namespace = other.namespace == policy_namespace
    return in_namespace and selects(rule.get("podSelector") or {}, other.labels)


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    found = ipaddress.ip_address(address)
    within = found in ipaddress.ip_network(block["cidr"])
    return within and not any(found in ipaddress.ip_network(cidr) for cidr in block.get("except") or ())


def _matches_any_port(rules: Sequence[Mapping[str, Any]], target: Peer, port: int, protocol: str) -> bool:
    return not rules or any(_matches_port(rule, target, port, protocol) for rule in rules)


def _matches_port(rule: Mapping[str, Any], target: Peer, port: int, protocol: str) -> bool:
    if rule.get("protocol", "TCP") != protocol:
        return False
    first = rule.get("port")
    if first is None:
        return True
    if isinstance(first, str):
        return target.ports.get(first) == port
    return first <= port <= rule.get("endPort", first)
