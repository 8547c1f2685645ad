"""The Kubernetes objects of both clouds' production stacks, and a small evaluator of network policies."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from components.contracts.vocabulary import Cloud
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource

KNOWN_LATER: Final[Mapping[str, Any]] = {"stringData": {"auth": "a", "ca.pem": "b"}}
"""Plausible values of inputs that no plan knows, by the field's name; everything else becomes a word."""

POD_OWNERS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def filled(value: Any, key: str = "") -> Any:
    """A plan's input with plausible values where the plan knows or shows none."""
    if value in (UNKNOWN, SECRET):
        return KNOWN_LATER.get(key, "filled-in")
    if isinstance(value, Mapping):
        return {name: filled(item, name) for name, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Manifests:
    """What a stack lays on its cluster."""

    inventory: Inventory
    objects: tuple[dict[str, Any], ...]
    """Every Kubernetes object, as the API server receives it."""

    @property
    def cloud(self) -> str:
        return self.inventory.settings["cloud"]

    @property
    def version(self) -> str:
        """The cluster's Kubernetes version."""
        return self.inventory.settings["cluster"]["version"]

    @property
    def fleet(self) -> Mapping[str, Any]:
        """The fleet's settings."""
        return self.inventory.settings["fleet"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The only object of a kind with this name."""
        (found,) = (found for found in self.of(kind) if found["metadata"]["name"] == name)
        return found

    def pods(self) -> dict[str, dict[str, Any]]:
        """Pod templates by their owner's name."""
        owners = [found for kind in POD_OWNERS for found in self.of(kind)]
        return {owner["metadata"]["name"]: owner["spec"]["template"] for owner in owners}

    def container(self, owner: str) -> dict[str, Any]:
        """The only container of a workload."""
        (found,) = self.pods()[owner]["spec"]["containers"]
        return found

    def namespace_of(self, owner: str) -> str:
        """The namespace of a workload."""
        (found,) = (o for kind in POD_OWNERS for o in self.of(kind) if o["metadata"]["name"] == owner)
        return found["metadata"]["namespace"]

    def resource(self, kind: str, name: str) -> Resource:
        """The planned resource behind an object."""
        (found,) = (r for r in self.inventory.resources if r.inputs.get("kind") == kind and r.name == name)
        return found


@pytest.fixture
def lay_down(plan_platform: Any) -> Callable[..., Manifests]:
    """What a stack lays on its cluster: `lay_down(cloud, fleet={…})`; production's, if not told another."""

    def lay(cloud: Cloud, environment: str = "prod", **changes: Any) -> Manifests:
        inventory = plan_platform(cloud, environment=environment, **changes).inventory
        objects = (filled(dict(r.inputs)) for r in inventory.resources if r.custom and "apiVersion" in r.inputs)
        return Manifests(inventory, tuple(objects))

    return lay


@pytest.fixture
def manifests(cloud: Cloud, lay_down: Callable[..., Manifests]) -> Manifests:
    """The production stack of each cloud in turn."""
    return lay_down(cloud)


@pytest.fixture
def aws_manifests(lay_down: Callable[..., Manifests]) -> Manifests:
    """The production stack on AWS."""
    return lay_down(Cloud.AWS)


@pytest.fixture
def gcp_manifests(lay_down: Callable[..., Manifests]) -> Manifests:
    """The production stack on Google Cloud."""
    return lay_down(Cloud.GCP)


# Network policies


@dataclass(frozen=True)
class Peer:
    """Someone on the network: a pod (namespace and labels), or an address outside the cluster."""

    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything."""
    assert not selector.keys() - {"matchLabels"}, f"the evaluator knows no {selector}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _matches_peer(rule: Mapping[str, Any], other: Peer, policy_namespace: str) -> bool:
    # As Cilium has it, a range of addresses never means a pod: what must be allowed must be allowed there too.
    if "ipBlock" in rule:
        assert "except" not in rule["ipBlock"], "the evaluator knows no except"
        network = ipaddress.ip_network(rule["ipBlock"]["cidr"])
        return other.address is not None and ipaddress.ip_address(other.address) in network
    if other.namespace is None:
        return False
    if "namespaceSelector" in rule:
        labels = {"kubernetes.io/metadata.name": other.namespace, **other.namespace_labels}
        in_namespace = selects(rule["namespaceSelector"], labels)
    else:
        in_namespace = other.namespace == policy_namespace
    return in_namespace and selects(rule.get("podSelector", {}), other.labels)


def _matches_port(rule: Mapping[str, Any], port: int, protocol: str) -> bool:
    assert isinstance(rule["port"], int) and "endPort" not in rule, f"the evaluator knows no {rule}"
    return rule["port"] == port and rule.get("protocol", "TCP") == protocol


def _allows(rule: Mapping[str, Any], side: str, other: Peer, port: int, protocol: str, namespace: str) -> bool:
    peers, ports = rule.get(side, []), rule.get("ports", [])
    return (not peers or any(_matches_peer(peer, other, namespace) for peer in peers)) and (
        not ports or any(_matches_port(entry, port, protocol) for entry in ports)
    )


@dataclass(frozen=True)
class Firewall:
    """Judges connections of pods by the network policies of a stack, as Kubernetes defines them."""

    policies: Sequence[Mapping[str, Any]]

    def receives(self, pod: Peer, sender: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether `pod` accepts a connection of `sender`."""
        return self._judge("Ingress", "from", pod, sender, port, protocol)

    def sends(self, pod: Peer, receiver: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether `pod` may open a connection to `receiver`."""
        return self._judge("Egress", "to", pod, receiver, port, protocol)

    def _judge(self, direction: str, side: str, pod: Peer, other: Peer, port: int, protocol: str) -> bool:
        governing = [policy for policy in self._selecting(pod) if direction in policy["spec"]["policyTypes"]]
        rules = [
            (rule, policy["metadata"]["namespace"])
            for policy in governing
            for rule in policy["spec"].get(direction.lower(), [])
        ]
        return not governing or any(
            _allows(rule, side, other, port, protocol, namespace) for rule, namespace in rules
        )

    def _selecting(self, pod: Peer) -> Iterator[Mapping[str, Any]]:
        for policy in self.policies:
            if policy["metadata"]["namespace"] == pod.namespace and selects(
                policy["spec"]["podSelector"], pod.labels
            ):
                yield policy


@pytest.fixture
def firewall(manifests: Manifests) -> Firewall:
    """The stack's network policies at work."""
    return Firewall(manifests.of("NetworkPolicy"))


def _pod_of(manifests: Manifests) -> Callable[[str], Peer]:
    return lambda owner: Peer(manifests.namespace_of(owner), manifests.pods()[owner]["metadata"]["labels"])


@pytest.fixture
def pod(manifests: Manifests) -> Callable[[str], Peer]:
    """A pod of a workload, by the workload's name."""
    return _pod_of(manifests)


@pytest.fixture
def aws_network(aws_manifests: Manifests) -> tuple[Firewall, Callable[[str], Peer]]:
    """`firewall` and `pod` of the stack on AWS."""
    return Firewall(aws_manifests.of("NetworkPolicy")), _pod_of(aws_manifests)


@pytest.fixture
def stranger() -> Any:
    """Makes a pod of another namespace: `stranger(labels_of_the_namespace, name)`."""
    return lambda labels=None, name="elsewhere": Peer(name, {"app": "x"}, labels or {})


@pytest.fixture
def kube_system() -> Any:
    """Makes a pod of the cluster's own namespace, with labels."""
    return lambda **labels: Peer("kube-system", labels)


@pytest.fixture
def address() -> Any:
    """Makes an address outside the cluster."""
    return lambda text: Peer(address=text)


@pytest.fixture
def selector_matches() -> Any:
    """Whether a label selector matches labels."""
    return selects
