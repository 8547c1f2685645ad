"""The Kubernetes objects of both clouds' production stacks, and their network policies at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from components.contracts.vocabulary import Cloud
from ops.rehearse.firewall import Firewall, Peer, selects
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
    def images(self) -> Mapping[str, Any]:
        """The fleet's images."""
        return self.inventory.settings["fleet"]["images"]

    @property
    def service(self) -> Mapping[str, Any]:
        """The settings of the one service of the committed stacks."""
        return self.inventory.settings["fleet"]["services"]["tumour-risk"]

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
    """What a stack lays on its cluster: `lay_down(cloud, service={…})`; production's, if not told another."""

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
