"""The machines: EKS managed node groups on Bottlerocket; GPU pools are tainted and may scale from zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.cluster import addon
from components.aws.documents import service_trust
from components.aws.roles import MadeRole, make_role
from components.contracts.capacity import allocatable, available
from components.contracts.component import Component, ready
from components.contracts.machines import MACHINES, Machine
from components.contracts.naming import physical_name
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, KeysRef, NetworkRef, NodePoolRef, NodePoolsRef
from components.contracts.serving import ACCELERATOR_LABEL, GPU_TAINT_KEY, POOL_LABEL
from components.contracts.specs import NodePoolSpec
from components.contracts.vocabulary import Capacity, Cloud

NODE_GROUP_NAME_MAX: Final = 63
AUTOSCALER_GPU_LABEL: Final = "k8s.amazonaws.com/accelerator"
"""Tells the cluster autoscaler that a node is not ready before its GPU shows (its AWS provider's own label)."""

_CAPACITY_TYPES: Final = {Capacity.ON_DEMAND: "ON_DEMAND", Capacity.SPOT: "SPOT"}
_TEMPLATE_TAG: Final = "k8s.io/cluster-autoscaler/node-template"


def node_labels(key: str, machine: Machine) -> dict[str, str]:
    """What a pod selects a pool by."""
    labels = {POOL_LABEL: key}
    if machine.accelerator:
        labels[ACCELERATOR_LABEL] = str(machine.accelerator)
        labels[AUTOSCALER_GPU_LABEL] = f"nvidia-{machine.accelerator}"
    return labels


def group_name(key: str, spec: NodePoolSpec) -> str:
    """The group's physical name, made of what EKS cannot change in place.

    A new machine type or way of buying then gets a new group beside the old one, instead of a clash of names.
    """
    machine = spec.machine_type.replace(".", "-")
    return physical_name(key, machine, spec.capacity, max_length=NODE_GROUP_NAME_MAX)


def autoscaling_tags(labels: Mapping[str, str], machine: Machine, disk_gib: int) -> dict[str, str]:
    """What the cluster autoscaler must know of a machine before the first one exists.

    It learns labels and taints from EKS too, but a group's disk only from this tag: without it no pod that requests
    ephemeral storage, as Triton's do, would ever make the pool leave zero. It takes a machine's whole memory and
    vCPUs for allocatable (`buildNodeFromTemplate` of its AWS provider, at 1.35), and would add machines for a pod
    that fits on none of them; the tags say what really is.
    """
    room = allocatable(Cloud.AWS, machine, disk_gib)
    tags = {
        f"{_TEMPLATE_TAG}/resources/cpu": f"{room.cpu_millicores}m",
        f"{_TEMPLATE_TAG}/resources/memory": f"{room.memory_mib}Mi",
        f"{_TEMPLATE_TAG}/resources/ephemeral-storage": f"{room.disk_mib}Mi",
    }
    tags |= {f"{_TEMPLATE_TAG}/label/{label}": value for label, value in labels.items()}
    if machine.accelerator:
        tags[f"{_TEMPLATE_TAG}/taint/{GPU_TAINT_KEY}"] = "true:NoSchedule"
    return tags


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
            machine = MACHINES[Cloud.AWS][pool.machine_type]
            template = self._template(key, place, pool, keys)
            subnets = [by_zone[zone] for zone in pool.zones or place.zones]
            group = self._group(key, place, pool, machine, template, cluster, subnets, role)
            labels = node_labels(key, machine)
            tags = self._autoscaling_tags(key, autoscaling_tags(labels, machine, pool.disk_gib), group)
            pools[key] = NodePoolRef(
                name=group_name(key, pool),
                accelerator=machine.accelerator,
                room=available(Cloud.AWS, machine, pool.disk_gib),
                taint_key=GPU_TAINT_KEY if machine.accelerator else None,
                ready=ready(group.id, *tags),
            )
            if machine.accelerator is None and pool.min_nodes > 0:
                system.append(group)
        # Their pods wait for a machine without a taint, and EKS reports them degraded until there is one.
        for addon_name in ("coredns", "metrics-server"):
            addon(self, place, cluster.id, addon_name, depends_on=system)
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

    def _template(self, key: str, place: Place, pool: NodePoolSpec, keys: KeysRef) -> aws.ec2.LaunchTemplate:
        def volume(size_gib: int | None) -> aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs:
            return aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                encrypted="true",
                kms_key_id=keys.data.id,
                volume_type="gp3",
                volume_size=size_gib,
                delete_on_termination="true",
            )

        tags = {**place.labels, "Name": place.name(f"{key}-node")}
        return aws.ec2.LaunchTemplate(
            key,
            name=place.name(f"{key}-node", max_length=125),
            update_default_version=True,
            # Bottlerocket keeps itself on xvda, in its image's own size, and images and pods' data on xvdb.
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=volume(None)),
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvdb", ebs=volume(pool.disk_gib)),
            ],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
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
        key: str,
        place: Place,
        pool: NodePoolSpec,
        machine: Machine,
        template: aws.ec2.LaunchTemplate,
        cluster: ClusterRef,
        subnets: Sequence[pulumi.Output[str]],
        role: MadeRole,
    ) -> aws.eks.NodeGroup:
        gpu = machine.accelerator is not None
        return aws.eks.NodeGroup(
            key,
            cluster_name=cluster.id,
            node_group_name=group_name(key, pool),
            node_role_arn=role.arn,
            subnet_ids=list(subnets),
            ami_type="BOTTLEROCKET_x86_64_NVIDIA" if gpu else "BOTTLEROCKET_x86_64",
            capacity_type=_CAPACITY_TYPES[pool.capacity],
            instance_types=[pool.machine_type],
            labels=node_labels(key, machine),
            taints=[aws.eks.NodeGroupTaintArgs(key=GPU_TAINT_KEY, value="true", effect="NO_SCHEDULE")]
            if gpu
            else None,
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=pool.min_nodes, max_size=pool.max_nodes, desired_size=pool.min_nodes
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            tags=place.labels,
            opts=pulumi.ResourceOptions(
                parent=self,
                # The name changes with what replaces the group; left to itself the provider would still delete first.
                delete_before_replace=False,
                # From here on the autoscaler owns it.
                ignore_changes=["scalingConfig.desiredSize"],
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


def autoscaling_group(resources: Any) -> str:
    """The name of the one Auto Scaling group that EKS makes for a node group."""
    return str(resources[0].autoscaling_groups[0].name)
