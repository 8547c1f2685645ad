"""Node pools: equal machines that GKE adds and removes; GPU pools are tainted, labelled, and may be empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.container import (
    NodePoolNodeConfigArgsDict,
    NodePoolNodeConfigGuestAcceleratorArgsDict,
    NodePoolNodeConfigTaintArgsDict,
    NodePoolUpgradeSettingsArgsDict,
)

from components.contracts import serving
from components.contracts.capacity import available
from components.contracts.component import Component
from components.contracts.machines import MACHINES, Machine
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, KeysRef, NetworkRef, NodePoolRef, NodePoolsRef
from components.contracts.specs import NodePoolSpec
from components.contracts.vocabulary import Accelerator, Capacity, Cloud
from components.gcp.network import node_tag

ACCELERATOR_TYPES: Final[Mapping[Accelerator, str]] = {
    Accelerator.L4: "nvidia-l4",
    Accelerator.A100: "nvidia-tesla-a100",
    Accelerator.H100: "nvidia-h100-80gb",
}
"""GKE's accelerator names for the machine types of `components.contracts.machines`."""

GPU_TAINT_VALUE: Final = "present"
"""The value of the taint that GKE adds by itself, but only if the cluster has another pool by then.

A node cannot bear the key and effect twice, so ours must be the same.
"""


class NodePools(Component):
    """The machines, one pool per key. Every disk is under the stack's key, no machine has a public address."""

    ref: NodePoolsRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: Mapping[str, NodePoolSpec],
        *,
        cluster: ClusterRef,
        network: NetworkRef,  # noqa: ARG002 - GKE takes it from the cluster
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:NodePools", name, provider)
        pools = {key: self._pool(key, place, pool, cluster, keys) for key, pool in spec.items()}
        self.ref = NodePoolsRef(pools)
        self.finish({key: pool.ready for key, pool in pools.items()})

    def _pool(self, key: str, place: Place, spec: NodePoolSpec, cluster: ClusterRef, keys: KeysRef) -> NodePoolRef:
        machine = MACHINES[Cloud.GCP][spec.machine_type]
        labels = node_labels(key, machine)
        pool = gcp.container.NodePool(
            key,
            name=key,
            project=place.account,
            location=place.region,
            cluster=cluster.id,
            node_locations=list(spec.zones or place.zones),
            initial_node_count=first_nodes_per_zone(spec, len(spec.zones or place.zones)),
            autoscaling={
                "total_min_node_count": spec.min_nodes,
                "total_max_node_count": spec.max_nodes,
                # Spot and GPU machines are taken where there are any; the rest is spread over the zones.
                "location_policy": "ANY" if _scarce(spec, machine) else "BALANCED",
            },
            management={"auto_repair": True, "auto_upgrade": True},
            upgrade_settings=upgrade_settings(machine),
            network_config={"enable_private_nodes": True},
            node_config=self._node_config(place, spec, machine, labels, cluster, keys),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["initial_node_count", "node_count"]),
        )
        return NodePoolRef(
            name=key,
            accelerator=machine.accelerator,
            room=available(Cloud.GCP, machine, spec.disk_gib),
            taint_key=serving.GPU_TAINT_KEY if machine.accelerator else None,
            ready=pool.id,
        )

    def _node_config(
        self,
        place: Place,
        spec: NodePoolSpec,
        machine: Machine,
        labels: Mapping[str, str],
        cluster: ClusterRef,
        keys: KeysRef,
    ) -> NodePoolNodeConfigArgsDict:
        return {
            "machine_type": spec.machine_type,
            "image_type": "COS_CONTAINERD",
            "spot": spec.capacity is Capacity.SPOT,
            "disk_size_gb": spec.disk_gib,
            "disk_type": "pd-balanced",
            "boot_disk_kms_key": keys.data.id,
            "service_account": cluster.node_role,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "labels": dict(labels),
            "resource_labels": place.labels,
            "tags": [node_tag(place)],
            "taints": gpu_taints(machine),
            "guest_accelerators": guest_accelerators(machine),
            "gvnic": {"enabled": True},
            "metadata": {"disable-legacy-endpoints": "true"},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            "workload_metadata_config": {"mode": "GKE_METADATA"},
        }


def _scarce(spec: NodePoolSpec, machine: Machine) -> bool:
    return machine.accelerator is not None or spec.capacity is Capacity.SPOT


def node_labels(key: str, machine: Machine) -> dict[str, str]:
    """What a pod selects a pool by."""
    labels = {serving.POOL_LABEL: key}
    return labels | {serving.ACCELERATOR_LABEL: str(machine.accelerator)} if machine.accelerator else labels


def gpu_taints(machine: Machine) -> list[NodePoolNodeConfigTaintArgsDict]:
    """Keep GPU machines for pods that ask for them; without the taint any pod would keep one from scaling to zero."""
    if machine.accelerator is None:
        return []
    return [{"key": serving.GPU_TAINT_KEY, "value": GPU_TAINT_VALUE, "effect": "NO_SCHEDULE"}]


def guest_accelerators(machine: Machine) -> list[NodePoolNodeConfigGuestAcceleratorArgsDict]:
    """The GPUs that the machine type carries, with the driver that GKE tests with its node version."""
    if machine.accelerator is None:
        return []
    return [
        {
            "type": ACCELERATOR_TYPES[machine.accelerator],
            "count": machine.accelerators,
            "gpu_driver_installation_config": {"gpu_driver_version": "DEFAULT"},
        }
    ]


def first_nodes_per_zone(spec: NodePoolSpec, zones: int) -> int:
    """Machines per zone to start with: enough for `min_nodes`, and none where that is 0."""
    return -(-spec.min_nodes // zones)


def upgrade_settings(machine: Machine) -> NodePoolUpgradeSettingsArgsDict:
    """GPU quota seldom has a machine to spare, so GPU pools give one up during an upgrade; others get one more."""
    spare = 0 if machine.accelerator else 1
    return {"strategy": "SURGE", "max_surge": spare, "max_unavailable": 1 - spare}
