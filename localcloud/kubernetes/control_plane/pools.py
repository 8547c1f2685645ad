"""The simulated node groups of a stack: sized and made as its settings say, labelled and tainted as deployed.

What EKS and GKE add to a node by themselves is added here, as far as a pod can select by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from common.errors import UserError
from components.contracts.capacity import GKE_PODS_PER_NODE, allocatable, disk_of
from components.contracts.choices import Choice, choices
from components.contracts.machines import MACHINES, Machine
from components.contracts.serving import GPU_TAINT_KEY
from components.contracts.specs import NodePoolSpec
from components.contracts.vocabulary import Capacity, Cloud
from localcloud.kubernetes.control_plane.nodes import NodeGroup, Taint

EKS_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
GKE_POOL: Final = "gcp:container/nodePool:NodePool"
_EFFECTS: Final = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}
"""Both clouds' words for a taint's effect (EKS' and GKE's API references, believed, 2026-11-21)."""


class DeployedResource(Protocol):
    """A resource of a stack, as its plan or its state has it."""

    @property
    def type(self) -> str:
        """Pulumi's type token."""
        ...

    @property
    def name(self) -> str:
        """The logical name: of a group of machines, its `Choice.key`."""
        ...

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What it was deployed with."""
        ...


def node_groups(
    cloud: Cloud,
    region: str,
    zones: Sequence[str],
    pools: Mapping[str, NodePoolSpec],
    resources: Iterable[DeployedResource],
) -> tuple[NodeGroup, ...]:
    """The groups of machines of a stack, each with its fewest nodes.

    Args:
        zones: the stack's. On AWS their ids, which stand for the names that EKS' nodes bear: those differ by account.
        pools: the settings' pools by key.
        resources: what the stack deployed.

    Raises:
        UserError: the settings have a group that the stack did not deploy.
    """
    token = EKS_GROUP if cloud is Cloud.AWS else GKE_POOL
    deployed = {resource.name: resource.inputs for resource in resources if resource.type == token}
    found: list[NodeGroup] = []
    for key, spec in sorted(pools.items()):
        for choice in choices(cloud, key, spec, zones):
            if choice.key not in deployed:
                raise UserError(
                    f"the stack deployed no {token} called {choice.key}", f"pools.{key}", "Deploy the stack anew."
                )
            found.append(_group(cloud, region, spec, choice, deployed[choice.key]))
    return tuple(found)


def _group(cloud: Cloud, region: str, spec: NodePoolSpec, choice: Choice, inputs: Mapping[str, Any]) -> NodeGroup:
    machine_type = choice.machine_types[0]
    machine = MACHINES[cloud][machine_type]
    if cloud is Cloud.AWS:
        name, labels, taints = str(inputs["nodeGroupName"]), _eks_labels(inputs), inputs.get("taints")
        pods = machine.eks_max_pods
    else:
        config = inputs["nodeConfig"]
        name, labels, taints = str(inputs["name"]), _gke_labels(inputs, choice), config.get("taints")
        pods = GKE_PODS_PER_NODE
    return NodeGroup(
        name=name,
        room=allocatable(cloud, machine, disk_of(machine, spec), spec.sharing),
        zones=choice.zones,
        region=region,
        machine_type=machine_type,
        min_nodes=choice.min_nodes,
        max_nodes=choice.max_nodes,
        nodes=choice.min_nodes,
        labels=labels,
        taints=tuple(_taints(cloud, machine, taints or [])),
        pods=pods,
    )


def _eks_labels(inputs: Mapping[str, Any]) -> dict[str, str]:
    """With what EKS adds in a managed group (EKS guide, "Understand each phase of node updates", names the
    first label: awsdocs/amazon-eks-user-guide of 2024-12, read 2026-11-21; the second is believed)."""
    own = {
        "eks.amazonaws.com/nodegroup": str(inputs["nodeGroupName"]),
        "eks.amazonaws.com/capacityType": str(inputs.get("capacityType") or "ON_DEMAND"),
    }
    return {**(inputs.get("labels") or {}), **own}


def _gke_labels(inputs: Mapping[str, Any], choice: Choice) -> dict[str, str]:
    """With those that GKE gives to every node (GKE guide, "About node labels": believed, 2026-11-21)."""
    config = inputs["nodeConfig"]
    own = {
        "cloud.google.com/gke-nodepool": str(inputs["name"]),
        "cloud.google.com/machine-family": choice.machine_types[0].partition("-")[0],
        "cloud.google.com/gke-os-distribution": "cos",
    }
    if choice.capacity is Capacity.SPOT:
        own["cloud.google.com/gke-spot"] = "true"
    for gpus in config.get("guestAccelerators") or []:
        own["cloud.google.com/gke-accelerator"] = str(gpus["type"])
        own["cloud.google.com/gke-accelerator-count"] = str(gpus["count"])
    return {**(config.get("labels") or {}), **own}


def _taints(cloud: Cloud, machine: Machine, given: Iterable[Mapping[str, Any]]) -> Iterator[Taint]:
    """Those of the stack; on GKE also the one that it gives to machines with GPUs where the cluster has others."""
    keys: set[str] = set()
    for taint in given:
        keys.add(str(taint["key"]))
        yield Taint(str(taint["key"]), str(taint.get("value") or ""), _EFFECTS[str(taint["effect"])])
    if cloud is Cloud.GCP and machine.accelerator is not None and GPU_TAINT_KEY not in keys:
        yield Taint(GPU_TAINT_KEY, "present", "NoSchedule")
