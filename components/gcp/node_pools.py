"""Node pools: equal machines that GKE adds and removes; GPU pools are tainted, labelled, and may be empty.

A pool of the settings is one node pool for each way of buying and machine type. Left to itself GKE's autoscaler takes
the cheapest that fits; the order is a compute class's, which names these pools rank by rank (`nodepools` of its
priorities). The class does not make pools by itself: what GKE makes is no resource of the stack, has no key of the
stack on its disks, and is in no plan (About custom ComputeClasses, read on 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.container import (
    NodePoolNodeConfigArgsDict,
    NodePoolNodeConfigGuestAcceleratorArgsDict,
    NodePoolNodeConfigGuestAcceleratorGpuSharingConfigArgsDict,
    NodePoolNodeConfigReservationAffinityArgsDict,
    NodePoolNodeConfigTaintArgsDict,
    NodePoolUpgradeSettingsArgsDict,
)

from components.contracts import serving
from components.contracts.capacity import Room, available, disk_of
from components.contracts.choices import GKE_CRITICAL_PODS_SECONDS, Choice, choices, replacing_name, served_on
from components.contracts.component import Component, ready
from components.contracts.drivers import GKE_DRIVER
from components.contracts.machines import MACHINES, Machine
from components.contracts.naming import PRODUCT
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, KeysRef, NetworkRef, NodeGroupRef, NodePoolRef, NodePoolsRef
from components.contracts.services import CPU
from components.contracts.specs import NodePoolSpec, SharingSpec
from components.contracts.vocabulary import Accelerator, Capacity, Cloud, SharingStrategy
from components.gcp.network import node_tag

ACCELERATOR_TYPES: Final[Mapping[Accelerator, str]] = {
    Accelerator.T4: "nvidia-tesla-t4",
    Accelerator.L4: "nvidia-l4",
    Accelerator.A100: "nvidia-tesla-a100",
    Accelerator.A100_80GB: "nvidia-a100-80gb",
    Accelerator.H100: "nvidia-h100-80gb",
    Accelerator.H200: "nvidia-h200-141gb",
    Accelerator.B200: "nvidia-b200",
    Accelerator.RTX_PRO_6000: "nvidia-rtx-pro-6000",
}
"""GKE's accelerator names for the machine types of `components.contracts.machines`."""

GKE_STRATEGIES: Final[Mapping[SharingStrategy, str]] = {
    SharingStrategy.TIME_SLICING: "TIME_SHARING",
    SharingStrategy.MPS: "MPS",
}

POOL_NAME_MAX: Final = 40
LOCAL_SSD_GIB: Final = 375
HYPERDISK_SERIES: Final = ("a3-ultragpu-", "a4-", "g4-")
FLEX_START_SECONDS: Final = 7 * 24 * 3600

REPLACING: Final = (
    "ephemeral_storage_local_ssd_config",
    "flex_start",
    "guest_accelerators",
    "max_run_duration",
    "metadata",
    "oauth_scopes",
    "reservation_affinity",
    "shielded_instance_config",
    "spot",
)
"""Arguments of a pool's machines, of those set here, that GKE cannot change in place (`replacement_gcp`)."""

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
        termination_seconds: int,
        cluster: ClusterRef,
        network: NetworkRef,  # noqa: ARG002 - GKE takes it from the cluster
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:NodePools", name, provider)
        self._termination_seconds = termination_seconds
        pools = {key: self._pool(key, place, pool, cluster, keys) for key, pool in spec.items()}
        self.ref = NodePoolsRef(pools)
        self.finish({key: pool.ready for key, pool in pools.items()})

    def _pool(self, key: str, place: Place, spec: NodePoolSpec, cluster: ClusterRef, keys: KeysRef) -> NodePoolRef:
        machines = [MACHINES[Cloud.GCP][name] for name in spec.machine_types]
        serves = served_on(key, machines[0])
        groups = [
            self._group(key, place, spec, choice, cluster, keys)
            for choice in choices(Cloud.GCP, key, spec, place.zones)
        ]
        return NodePoolRef(
            groups=tuple(groups),
            serves=serves,
            room=Room.least(available(Cloud.GCP, m, disk_of(m, spec), spec.sharing) for m in machines),
            max_nodes=spec.max_nodes,
            taint_keys=tuple(str(taint["key"]) for taint in serving_taints(serves)),
            ready=pulumi.Output.all(*(group.scaling_name for group in groups)).apply(lambda names: " ".join(names)),
            compute_class=compute_class(serves),
        )

    def _group(
        self, key: str, place: Place, spec: NodePoolSpec, choice: Choice, cluster: ClusterRef, keys: KeysRef
    ) -> NodeGroupRef:
        machine = MACHINES[Cloud.GCP][choice.machine_types[0]]
        config = self._node_config(place, spec, choice, machine, node_labels(key, machine), cluster, keys)
        name = pool_name(choice, config, keys.data.alias)
        pool = gcp.container.NodePool(
            choice.key,
            name=name,
            project=place.account,
            location=place.region,
            cluster=cluster.id,
            node_locations=list(choice.zones),
            initial_node_count=first_nodes_per_zone(choice),
            autoscaling={
                "total_min_node_count": choice.min_nodes,
                "total_max_node_count": choice.max_nodes,
                # Spot and GPU machines are taken where there are any; the rest is spread over the zones.
                "location_policy": "ANY" if _scarce(choice, machine) else "BALANCED",
            },
            # A flex-start machine is not repaired: it would lose its turn (GKE refuses the two together; believed).
            management={"auto_repair": choice.capacity is not Capacity.FLEX_START, "auto_upgrade": True},
            upgrade_settings=upgrade_settings(machine),
            network_config={"enable_private_nodes": True},
            node_config=config,
            opts=pulumi.ResourceOptions(
                parent=self,
                # The name changes with what replaces the pool; left to itself the provider would still delete first.
                delete_before_replace=False,
                ignore_changes=["initial_node_count", "node_count"],
            ),
        )
        return NodeGroupRef(name, choice.rank, choice.min_nodes, choice.max_nodes, ready(name, pool))

    def _node_config(
        self,
        place: Place,
        spec: NodePoolSpec,
        choice: Choice,
        machine: Machine,
        labels: Mapping[str, str],
        cluster: ClusterRef,
        keys: KeysRef,
    ) -> NodePoolNodeConfigArgsDict:
        return {
            "machine_type": choice.machine_types[0],
            "image_type": "COS_CONTAINERD",
            **bought(choice),
            **spot_grace(choice, self._termination_seconds, serves=serving.ACCELERATOR_LABEL in labels),
            "disk_size_gb": spec.disk_gib,
            "disk_type": boot_disk_type(choice.machine_types[0], machine),
            **local_disk(machine, spec),
            "boot_disk_kms_key": keys.data.id,
            "service_account": cluster.node_role,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "labels": dict(labels),
            "resource_labels": place.labels,
            "tags": [node_tag(place)],
            "taints": serving_taints(labels.get(serving.ACCELERATOR_LABEL, "")),
            "guest_accelerators": guest_accelerators(machine, spec.sharing),
            "gvnic": {"enabled": True},
            "metadata": {"disable-legacy-endpoints": "true"},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            "workload_metadata_config": {"mode": "GKE_METADATA"},
        }


def _scarce(choice: Choice, machine: Machine) -> bool:
    return machine.accelerator is not None or choice.capacity is Capacity.SPOT


def bought(choice: Choice) -> NodePoolNodeConfigArgsDict:
    """How the machines are bought, in GKE's words."""
    match choice.capacity:
        case Capacity.SPOT:
            return {"spot": True}
        case Capacity.FLEX_START:
            # GKE: at most seven days, from a node pool that takes no reservation (concepts/dws, read on 2026-11-21).
            return {
                "spot": False,
                "flex_start": True,
                "max_run_duration": f"{FLEX_START_SECONDS}s",
                "reservation_affinity": {"consume_reservation_type": "NO_RESERVATION"},
            }
        case Capacity.RESERVATION:
            reservation: NodePoolNodeConfigReservationAffinityArgsDict = {
                "consume_reservation_type": "SPECIFIC_RESERVATION",
                "key": "compute.googleapis.com/reservation-name",
                "values": [choice.reservation],
            }
            return {"spot": False, "reservation_affinity": reservation}
        case Capacity.ON_DEMAND:
            return {"spot": False}


def spot_grace(choice: Choice, termination_seconds: int, *, serves: bool) -> NodePoolNodeConfigArgsDict:
    """How long a spot machine that is taken back lets the fleet's pods end; GKE's default leaves them 15 seconds.

    The field is for spot machines alone, and GKE's from 1.35.0-gke.1171000 (concepts/spot-vms, read on 2026-11-21).
    """
    if choice.capacity is not Capacity.SPOT or not serves:
        return {}
    return {
        "kubelet_config": {
            "shutdown_grace_period_seconds": termination_seconds + GKE_CRITICAL_PODS_SECONDS,
            "shutdown_grace_period_critical_pods_seconds": GKE_CRITICAL_PODS_SECONDS,
        }
    }


def boot_disk_type(machine_type: str, machine: Machine) -> str:
    """The fastest kind of disk that a machine starts from: an image of many GiB is unpacked to it.

    The newest series take no Persistent Disk (disks/persistent-disks, "Machine series support"; believed). Images are
    not streamed: GKE does not stream those under a customer's key (how-to/image-streaming, read on 2026-11-21).
    """
    if machine_type.startswith(HYPERDISK_SERIES):
        return "hyperdisk-balanced"
    return "pd-ssd" if machine.accelerator else "pd-balanced"


def local_disk(machine: Machine, spec: NodePoolSpec) -> NodePoolNodeConfigArgsDict:
    """Put images and pods' data on the machine's own NVMe, where the pool asks for it."""
    if not spec.local_disk:
        return {}
    return {"ephemeral_storage_local_ssd_config": {"local_ssd_count": machine.nvme_gib // LOCAL_SSD_GIB}}


def pool_name(choice: Choice, config: NodePoolNodeConfigArgsDict, key: str) -> str:
    """The pool's physical name, which changes with all that GKE cannot change in place.

    `REPLACING` of `config`, and `key`, the alias of the disks' key; what else replaces a pool is the same for all
    pools of a stack.
    """
    replacing = {argument: value for argument, value in config.items() if argument in REPLACING}
    return replacing_name(choice.key, replacing=[replacing, key], max_length=POOL_NAME_MAX)


def compute_class(serves: str) -> str:
    """The compute class of all pools that serve on the same accelerator, or on cpu; empty for those that do not."""
    return f"{PRODUCT}-{serves}" if serves else ""


def node_labels(key: str, machine: Machine) -> dict[str, str]:
    """What a pod selects a pool by."""
    labels, serves = {serving.POOL_LABEL: key}, served_on(key, machine)
    if not serves:
        return labels
    return labels | {serving.ACCELERATOR_LABEL: serves, serving.COMPUTE_CLASS_LABEL: compute_class(serves)}


def serving_taints(serves: str) -> list[NodePoolNodeConfigTaintArgsDict]:
    """Keep machines that serve for replicas; without the taint any pod would keep one from scaling to zero.

    A pool that is made by hand belongs to a compute class by a label and a taint.
    """
    if not serves:
        return []
    own: NodePoolNodeConfigTaintArgsDict = (
        {"key": serving.CPU_TAINT_KEY, "value": "true", "effect": "NO_SCHEDULE"}
        if serves == CPU
        else {"key": serving.GPU_TAINT_KEY, "value": GPU_TAINT_VALUE, "effect": "NO_SCHEDULE"}
    )
    return [own, {"key": serving.COMPUTE_CLASS_LABEL, "value": compute_class(serves), "effect": "NO_SCHEDULE"}]


def guest_accelerators(
    machine: Machine, sharing: SharingSpec | None
) -> list[NodePoolNodeConfigGuestAcceleratorArgsDict]:
    """The GPUs that the machine type carries, how they are shared, and the driver that the serving image needs."""
    if machine.accelerator is None:
        return []
    gpus: NodePoolNodeConfigGuestAcceleratorArgsDict = {
        "type": ACCELERATOR_TYPES[machine.accelerator],
        "count": machine.accelerators,
        "gpu_driver_installation_config": {"gpu_driver_version": GKE_DRIVER},
    }
    if sharing is None:
        return [gpus]
    if sharing.strategy is SharingStrategy.MIG:
        return [{**gpus, "gpu_partition_size": sharing.profile}]
    shared: NodePoolNodeConfigGuestAcceleratorGpuSharingConfigArgsDict = {
        "gpu_sharing_strategy": GKE_STRATEGIES[sharing.strategy],
        "max_shared_clients_per_gpu": sharing.replicas,
    }
    return [{**gpus, "gpu_sharing_config": shared}]


def first_nodes_per_zone(choice: Choice) -> int:
    """Machines per zone to start with: enough for `min_nodes`, and none where that is 0."""
    return -(-choice.min_nodes // len(choice.zones))


def upgrade_settings(machine: Machine) -> NodePoolUpgradeSettingsArgsDict:
    """GPU quota seldom has a machine to spare, so GPU pools give one up during an upgrade; others get one more."""
    spare = 0 if machine.accelerator else 1
    return {"strategy": "SURGE", "max_surge": spare, "max_unavailable": 1 - spare}
