"""The machines: EKS managed node groups on Bottlerocket; GPU pools are tainted and may scale from zero.

A pool is one node group for each way of buying, in the order that the cluster autoscaler's priority expander is told.
Not Karpenter: what it starts is no resource of the stack, so that no plan shows it, no policy judges its disks, and a
destroy leaves it behind; and it needs a managed node group anyway to run on. What it would do better, choosing
among machine types, an EKS node group does too: on-demand in the order of the list, spot by price and by how likely
a machine is to stay (EKS user guide, "Managed node group capacity types", read on 2026-11-21).

How many machines run is never EKS' to decide. Any change of `scaling_config` sends `desired_size` as it was last
recorded, which would take a busy pool down to it, and EKS refuses a least size above the present one (provider's
`node_group.go`; terraform-aws-modules/terraform-aws-eks#748). So a group is born with its fewest machines between 0
and `EKS_GROUP_NODES_MAX`, and no later change is sent: the pool's bounds are the autoscaler's arguments.

Who sees a spot machine off is EKS: its groups rebalance, and drain a machine on AWS' two minutes' notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws import bottlerocket
from components.aws.cluster import addon
from components.aws.documents import service_trust
from components.aws.network import subnet_cidr
from components.aws.roles import MadeRole, make_role
from components.contracts.capacity import Room, allocatable, available, disk_of
from components.contracts.choices import EKS_GROUP_NODES_MAX, Choice, choices, replacing_name, served_on
from components.contracts.component import Component, ready
from components.contracts.machines import MACHINES, Machine
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, KeysRef, NetworkRef, NodeGroupRef, NodePoolRef, NodePoolsRef
from components.contracts.releases import Resolved
from components.contracts.services import CPU
from components.contracts.serving import ACCELERATOR_LABEL, CPU_TAINT_KEY, GPU_RESOURCE, GPU_TAINT_KEY, POOL_LABEL
from components.contracts.specs import NodePoolSpec
from components.contracts.vocabulary import Capacity, Cloud

NODE_GROUP_NAME_MAX: Final = 63
GPU_DISK_MIBPS: Final = 500
"""Throughput of a GPU machine's data volume, to which an image of many GiB is unpacked; gp3 gives 125 unasked.

Its 3,000 operations a second carry up to 750 MiB/s, and a g6.xlarge takes 625 (EC2's DescribeInstanceTypes).
"""
AMI_TYPES: Final = {False: "BOTTLEROCKET_x86_64", True: "BOTTLEROCKET_x86_64_NVIDIA"}
"""The image by whether the machine has GPUs."""
AUTOSCALER_GPU_LABEL: Final = "k8s.amazonaws.com/accelerator"
"""Tells the cluster autoscaler that a node is not ready before its GPU shows (its AWS provider's own label)."""

_CAPACITY_TYPES: Final = {
    Capacity.RESERVATION: "ON_DEMAND",
    Capacity.ON_DEMAND: "ON_DEMAND",
    Capacity.SPOT: "SPOT",
}
"""EKS' word for each; flex-start is refused by the settings. A reservation is on-demand, aimed by the template."""
_TEMPLATE_TAG: Final = "k8s.io/cluster-autoscaler/node-template"


def node_labels(key: str, machine: Machine) -> dict[str, str]:
    """What a pod selects a pool by."""
    labels = {POOL_LABEL: key}
    serves = served_on(key, machine)
    if serves:
        labels[ACCELERATOR_LABEL] = serves
    if machine.accelerator:
        labels[AUTOSCALER_GPU_LABEL] = f"nvidia-{machine.accelerator}"
    return labels


def taint_key(serves: str) -> str:
    """What keeps everything but replicas off machines that serve; empty for those that do not."""
    if not serves:
        return ""
    return CPU_TAINT_KEY if serves == CPU else GPU_TAINT_KEY


def group_name(choice: Choice, cluster: str, network_cidr: str) -> str:
    """The group's physical name, which changes with all that EKS cannot change in place (`replacement_aws`)."""
    replacing = {
        "cluster": cluster,
        "image": AMI_TYPES,
        "capacity": _CAPACITY_TYPES[choice.capacity],
        "machines": choice.machine_types,
        # Another zone or range is another subnet.
        "subnets": sorted((zone, subnet_cidr(network_cidr, zone)) for zone in choice.zones),
    }
    return replacing_name(choice.key, replacing=replacing, max_length=NODE_GROUP_NAME_MAX)


def autoscaling_tags(labels: Mapping[str, str], room: Room, *, gpu: bool) -> dict[str, str]:
    """What the cluster autoscaler must know of a machine before the first one exists.

    It learns labels and taints from EKS too, but a group's disk only from this tag: without it no pod that requests
    ephemeral storage, as Triton's do, would ever make the pool leave zero. It takes a machine's whole memory and
    vCPUs for allocatable (`buildNodeFromTemplate` of its AWS provider, at 1.35), and would add machines for a pod
    that fits on none of them; the tags say what really is. Where a group has several machine types, `room` is what
    any of them has.
    """
    tags = {
        f"{_TEMPLATE_TAG}/resources/cpu": f"{room.cpu_millicores}m",
        f"{_TEMPLATE_TAG}/resources/memory": f"{room.memory_mib}Mi",
        f"{_TEMPLATE_TAG}/resources/ephemeral-storage": f"{room.disk_mib}Mi",
    }
    tags |= {f"{_TEMPLATE_TAG}/label/{label}": value for label, value in labels.items()}
    taint = taint_key(labels.get(ACCELERATOR_LABEL, ""))
    if taint:
        tags[f"{_TEMPLATE_TAG}/taint/{taint}"] = "true:NoSchedule"
    if gpu:
        # Without it the autoscaler counts the machine type's own GPUs, not the shares that they are cut into.
        tags[f"{_TEMPLATE_TAG}/resources/{GPU_RESOURCE}"] = str(room.gpus)
    return tags


def _release(cluster: ClusterRef) -> Resolved:
    if cluster.release is None:
        raise ValueError(f"cluster {cluster.name} names no versions for its machines and add-ons")
    return cluster.release


class NodePools(Component):
    """One managed node group per key of the spec, each with a launch template of its own.

    Bottlerocket has no shell, no package manager and no SSH; its NVIDIA variant brings the driver and the device
    plugin. Pods cannot reach the machine's credentials: metadata answers by token only, over a single hop.
    """

    ref: NodePoolsRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: Mapping[str, NodePoolSpec],
        *,
        termination_seconds: int,  # noqa: ARG002 - EKS drains a spot machine, for as long as its notice
        cluster: ClusterRef,
        network: NetworkRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:NodePools", name, provider)
        role = self._role(place)
        # A node that starts before the endpoints answer cannot join, and its group fails. Each subnet waits by
        # itself: a list that is unknown as a whole would hide from a plan how many there are.
        by_zone = {
            zone: pulumi.Output.all(subnet, network.managed_services_ready).apply(lambda resolved: str(resolved[0]))
            for zone, subnet in zip(place.zones, network.subnet_ids, strict=True)
        }
        pools: dict[str, NodePoolRef] = {}
        system: list[pulumi.Resource] = []
        for key, pool in sorted(spec.items()):
            machines = [MACHINES[Cloud.AWS][name] for name in pool.machine_types]
            gpu, serves = machines[0].accelerator is not None, served_on(key, machines[0])
            labels = node_labels(key, machines[0])
            room = Room.least(allocatable(Cloud.AWS, m, disk_of(m, pool), pool.sharing) for m in machines)
            groups: list[NodeGroupRef] = []
            for choice in choices(Cloud.AWS, key, pool, place.zones):
                name = group_name(choice, cluster.name, network.cidr)
                subnets = [by_zone[zone] for zone in choice.zones]
                template = self._template(choice, place, pool, keys)
                group = self._group(name, choice, place, labels, template, cluster, subnets, role)
                tags = self._autoscaling_tags(choice.key, autoscaling_tags(labels, room, gpu=gpu), group)
                scaling_name = ready(group.resources.apply(autoscaling_group), *tags)
                groups.append(NodeGroupRef(name, choice.rank, choice.min_nodes, choice.max_nodes, scaling_name))
                if not serves and choice.min_nodes > 0:
                    system.append(group)
            pools[key] = NodePoolRef(
                groups=tuple(groups),
                serves=serves,
                room=Room.least(available(Cloud.AWS, m, disk_of(m, pool), pool.sharing) for m in machines),
                max_nodes=pool.max_nodes,
                taint_keys=(taint_key(serves),) if serves else (),
                ready=pulumi.Output.all(*(group.scaling_name for group in groups)).apply(
                    lambda names: " ".join(names)
                ),
            )
        # Their pods wait for a machine without a taint, and EKS reports them degraded until there is one.
        for addon_name in ("coredns", "metrics-server"):
            addon(self, place, cluster.id, addon_name, _release(cluster), depends_on=system)
        self.ref = NodePoolsRef(pools=pools)
        self.finish({key: pool.ready for key, pool in pools.items()})

    def _role(self, place: Place) -> MadeRole:
        return make_role(
            self,
            place,
            "eks-node",
            description="The cluster's machines: join it and pull images, nothing else",
            trust=service_trust("ec2.amazonaws.com"),
            managed=["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
        )

    def _template(self, choice: Choice, place: Place, pool: NodePoolSpec, keys: KeysRef) -> aws.ec2.LaunchTemplate:
        machine = MACHINES[Cloud.AWS][choice.machine_types[0]]
        fast = machine.accelerator is not None and not pool.local_disk

        def volume(
            size_gib: int | None, throughput_mibps: int | None = None
        ) -> aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs:
            return aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                encrypted="true",
                kms_key_id=keys.data.id,
                volume_type="gp3",
                volume_size=size_gib,
                throughput=throughput_mibps,
                delete_on_termination="true",
            )

        tags = {**place.labels, "Name": place.name(f"{choice.key}-node", max_length=255)}
        return aws.ec2.LaunchTemplate(
            choice.key,
            name=place.name(f"{choice.key}-node", max_length=125),
            update_default_version=True,
            # Bottlerocket keeps itself on xvda, in its image's own size, and images and pods' data on xvdb.
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=volume(None)),
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/xvdb", ebs=volume(pool.disk_gib, GPU_DISK_MIBPS if fast else None)
                ),
            ],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            capacity_reservation_specification=reserved(choice),
            user_data=bottlerocket.user_data(
                bottlerocket.settings(machine, pool.sharing, local_disk=pool.local_disk)
            ),
            # Default tags of the provider reach the template, not what it launches.
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
                for kind in ("instance", "network-interface", "volume")
            ],
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _group(
        self,
        name: str,
        choice: Choice,
        place: Place,
        labels: Mapping[str, str],
        template: aws.ec2.LaunchTemplate,
        cluster: ClusterRef,
        subnets: Sequence[pulumi.Output[str]],
        role: MadeRole,
    ) -> aws.eks.NodeGroup:
        gpu, taint = AUTOSCALER_GPU_LABEL in labels, taint_key(labels.get(ACCELERATOR_LABEL, ""))
        return aws.eks.NodeGroup(
            choice.key,
            cluster_name=cluster.id,
            node_group_name=name,
            # EKS leaves machines on their version when the control plane's changes. `cluster.id` waits for the
            # control plane and its add-ons, so machines are the last to go.
            version=_release(cluster).version,
            release_version=_release(cluster).nodes,
            node_role_arn=role.arn,
            subnet_ids=list(subnets),
            ami_type=AMI_TYPES[gpu],
            capacity_type=_CAPACITY_TYPES[choice.capacity],
            instance_types=list(choice.machine_types),
            labels=dict(labels),
            taints=[aws.eks.NodeGroupTaintArgs(key=taint, value="true", effect="NO_SCHEDULE")] if taint else None,
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=0, max_size=EKS_GROUP_NODES_MAX, desired_size=choice.min_nodes
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            tags=place.labels,
            opts=pulumi.ResourceOptions(
                parent=self,
                # The name changes with what replaces the group; left to itself the provider would still delete first.
                delete_before_replace=False,
                # From here on the autoscaler owns the number of machines, and its bounds.
                ignore_changes=["scalingConfig"],
            ),
        )

    def _autoscaling_tags(
        self, key: str, tags: Mapping[str, str], group: aws.eks.NodeGroup
    ) -> list[aws.autoscaling.Tag]:
        group_of_machines = group.resources.apply(autoscaling_group)
        return [
            aws.autoscaling.Tag(
                f"{key}-{tag.removeprefix(_TEMPLATE_TAG + '/').replace('/', '-')}",
                autoscaling_group_name=group_of_machines,
                tag=aws.autoscaling.TagTagArgs(key=tag, value=value, propagate_at_launch=False),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for tag, value in tags.items()
        ]


def reserved(choice: Choice) -> aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs | None:
    """The one reservation that the group's machines start in; a full one is a stock-out, and the autoscaler moves on.

    Other groups are left to EC2's default, which fills open reservations of the account first.
    """
    if not choice.reservation:
        return None
    target = aws.ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
        capacity_reservation_id=choice.reservation
    )
    return aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs(capacity_reservation_target=target)


def autoscaling_group(resources: Any) -> str:
    """The name of the one Auto Scaling group that EKS makes for a node group."""
    return str(resources[0].autoscaling_groups[0].name)
