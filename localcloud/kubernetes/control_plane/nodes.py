"""Simulated nodes in groups, as a cloud's groups of machines: each joins with what its kubelet would say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from common.errors import UserError
from components.contracts.capacity import Room
from components.contracts.serving import GPU_RESOURCE
from localcloud.kubernetes.control_plane.client import ClusterClient, RefusedError, wait_until

GROUP_LABEL: Final = "seawall.dev/simulated-group"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
_REGION_LABEL: Final = "topology.kubernetes.io/region"
_NOT_READY: Final = "node.kubernetes.io/not-ready"
_READY_SECONDS: Final = 30.0
_NOT_FOUND: Final = 404
_AT_ONCE: Final = 4
_PODS_DEFAULT: Final = 110


@dataclass(frozen=True)
class Taint:
    """Keeps away the pods that do not tolerate it."""

    key: str
    value: str
    effect: str
    """As Kubernetes writes it: `NoSchedule`, `PreferNoSchedule`, `NoExecute`."""


@dataclass(frozen=True)
class NodeGroup:
    """Equal machines that come and go together, with the bounds of their number."""

    name: str
    room: Room
    """What the scheduler may give to pods on each: `status.allocatable`."""
    zones: tuple[str, ...]
    region: str = ""
    machine_type: str = ""
    min_nodes: int = 0
    max_nodes: int = 1
    nodes: int = 0
    """How many there are at first."""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    pods: int = _PODS_DEFAULT
    """Pods that may run on each."""


def node_name(group: NodeGroup, number: int) -> str:
    """The name of the group's node of this number, from 0."""
    return f"{group.name}-{number:03d}"


def node_zone(group: NodeGroup, number: int) -> str:
    """Machines are spread over the group's zones in turn, as both clouds balance a group over its zones."""
    return group.zones[number % len(group.zones)]


def node_manifest(group: NodeGroup, number: int, version: str, pod_range: str) -> dict[str, Any]:
    """The node as it registers itself.

    Args:
        version: its kubelet's, such as `1.35.4`.
        pod_range: the addresses of its pods.
    """
    name = node_name(group, number)
    zone = node_zone(group, number)
    quantities = {
        "cpu": f"{group.room.cpu_millicores}m",
        "memory": f"{group.room.memory_mib}Mi",
        "ephemeral-storage": f"{group.room.disk_mib}Mi",
        "pods": str(group.pods),
    }
    if group.room.gpus:
        quantities[GPU_RESOURCE] = str(group.room.gpus)
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": group.machine_type,
        _REGION_LABEL: group.region,
        ZONE_LABEL: zone,
        GROUP_LABEL: group.name,
        **group.labels,
    }
    taints = [{"key": t.key, "value": t.value, "effect": t.effect} for t in group.taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {key: value for key, value in labels.items() if value or key in group.labels},
        },
        "spec": {
            "podCIDR": pod_range,
            "podCIDRs": [pod_range],
            "providerID": f"local:///{zone}/{name}",
            "taints": taints,
        },
        "status": {
            "allocatable": quantities,
            "capacity": quantities,
            "nodeInfo": {"kubeletVersion": f"v{version}", "architecture": "amd64", "operatingSystem": "linux"},
        },
    }


class Nodes:
    """The nodes of one control plane, by group.

    Args:
        client: calls with the rights of the cloud that owns the machines.
        version: the kubelets'.
    """

    def __init__(self, client: ClusterClient, version: str, groups: Sequence[NodeGroup]) -> None:
        self._client = client
        self._version = version
        self._groups = {group.name: replace(group, nodes=0) for group in groups}
        self._numbers: dict[str, set[int]] = {group.name: set() for group in groups}
        self._ranges = 0
        if len(self._groups) != len(groups):
            raise ValueError("two node groups have one name")

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The groups as they are now."""
        return tuple(replace(g, nodes=len(self._numbers[g.name])) for g in self._groups.values())

    def names(self, group: str) -> tuple[str, ...]:
        """The names of a group's nodes."""
        found = self._group(group)
        return tuple(node_name(found, number) for number in sorted(self._numbers[group]))

    def resize(self, group: str, size: int, *, wait: bool = True, avoid: Sequence[str] = ()) -> None:
        """Make it `size` nodes: new ones join, the newest leave, with the pods on them.

        Args:
            avoid: zones in which no machine can be had.

        Raises:
            UserError: `size` is outside the group's bounds, or the new nodes are not ready in time.
        """
        found = self._group(group)
        if not 0 <= size <= found.max_nodes:
            raise UserError(
                f"{size} nodes: {group} has at most {found.max_nodes}", group, "Ask for no more than max_nodes."
            )
        has = self._numbers[group]
        # Beyond max_nodes: where a zone is avoided the others have more than their turn.
        every = range(found.max_nodes * len(found.zones))
        free = (number for number in every if number not in has and node_zone(found, number) not in avoid)
        added = [number for number, _ in zip(free, range(size - len(has)), strict=False)]
        self._add(found, added)
        self.remove([node_name(found, number) for number in sorted(has)[size:]])
        if wait and added:
            self.wait_ready()

    def remove(self, names: Sequence[str]) -> None:
        """Machines are gone, as when a zone fails: the cloud takes the nodes away, and their pods with them."""
        for group, numbers in self._numbers.items():
            for number in list(numbers):
                if node_name(self._groups[group], number) in names:
                    numbers.discard(number)
        for name in names:
            self._client.delete("v1", "Node", name)
        for pod in self._client.list("v1", "Pod"):
            if pod["spec"].get("nodeName") in names:
                metadata = pod["metadata"]
                self._client.delete("v1", "Pod", metadata["name"], metadata["namespace"], grace_seconds=0)

    def cordon(self, name: str, closed: bool) -> bool:
        """Let no pod come to a machine, or let them come again; whether it is there."""
        try:
            self._client.patch("v1", "Node", name, {"spec": {"unschedulable": closed or None}})
        except RefusedError as error:
            if error.status != _NOT_FOUND:
                raise
            return False
        return True

    def in_zone(self, zone: str) -> tuple[str, ...]:
        """The names of the nodes in a zone."""
        return tuple(
            node_name(group, number)
            for group in self._groups.values()
            for number in sorted(self._numbers[group.name])
            if node_zone(group, number) == zone
        )

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until every node is ready, and its controller has taken the taint away that keeps pods off until then.

        Raises:
            UserError: not within `seconds`.
        """
        expected = {name for group in self._groups for name in self.names(group)}

        def all_ready() -> bool:
            nodes = self._client.list("v1", "Node")
            return expected <= {n["metadata"]["name"] for n in nodes if is_ready(n) and not _is_held_back(n)}

        wait_until(f"{len(expected)} nodes are ready", seconds, all_ready)

    def _group(self, name: str) -> NodeGroup:
        if name not in self._groups:
            raise UserError(f"there is no node group {name}", ", ".join(self._groups), "Name one of these.")
        return self._groups[name]

    def _add(self, group: NodeGroup, numbers: Sequence[int]) -> None:
        manifests = []
        for number in numbers:
            self._ranges += 1
            pod_range = f"10.{128 + self._ranges // 256}.{self._ranges % 256}.0/24"
            manifests.append(node_manifest(group, number, self._version, pod_range))
        with ThreadPoolExecutor(_AT_ONCE) as several:
            list(several.map(self._client.create, manifests))
        self._numbers[group.name] |= set(numbers)


def _is_held_back(node: Mapping[str, Any]) -> bool:
    return any(taint["key"] == _NOT_READY for taint in node["spec"].get("taints") or ())


def is_ready(item: Mapping[str, Any]) -> bool:
    """Whether a node or a pod has the condition Ready."""
    conditions = (item.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
