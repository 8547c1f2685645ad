"""Cloud identities of pods, through EKS Pod Identity: the fleet's, and the node autoscaler's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import allow, bucket_arn, bucket_key_access, document, pod_trust, restored
from components.aws.feature_store import KINDS
from components.aws.roles import ROLE_NAME_MAX, make_role
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, IdentityRef, NodePoolRef, StorageRef
from components.contracts.serving import NAMESPACE, SERVICE_ACCOUNT

POD_IDENTITY_AGENT: Final = Door("169.254.170.23/32", 80)
"""The agent on each node (EKS user guide, "Understand how EKS Pod Identity works", read 2026-11-21)."""
AUTOSCALER_NAMESPACE: Final = "kube-system"
AUTOSCALER_SERVICE_ACCOUNT: Final = "cluster-autoscaler"


def fleet_role(place: Place) -> str:
    """The physical name of the fleet's role."""
    return place.name("fleet", max_length=ROLE_NAME_MAX)


def fleet_policy(place: Place, storage: StorageRef, feature_store: FeatureStoreRef) -> str:
    """Read models and features, and decrypt them, only through the services that hold them.

    In the backup region too: there the same role serves from the replica or from what was restored. A bucket policy
    could let it read a restored bucket, but not use the key.
    """
    models = bucket_arn(storage.models.name)
    away = [storage.replica.name, *restored(place, storage.replica.name)]
    return document(
        allow("FindModels", ["s3:ListBucket", "s3:GetBucketLocation"], models),
        allow("ReadModels", ["s3:GetObject"], f"{models}/*"),
        bucket_key_access("DecryptModels", place, storage.models.name, ["kms:Decrypt"]),
        allow("FindCopies", ["s3:ListBucket", "s3:GetBucketLocation"], [bucket_arn(name) for name in away]),
        allow("ReadCopies", ["s3:GetObject"], [f"{bucket_arn(name)}/*" for name in away]),
        bucket_key_access("DecryptCopies", place, away, ["kms:Decrypt"], region=place.backup_region),
        *KINDS[feature_store.kind].reading(place, feature_store),
    )


def autoscaler_policy(place: Place, cluster: str, groups: Sequence[str]) -> str:
    """See the cluster's machine groups, and resize those that EKS made for this cluster's own node groups."""
    # EKS names the Auto Scaling group eks-<node group>-<id>, and tags it as owned by the cluster.
    scaling = f"arn:aws:autoscaling:{place.region}:{place.account}:autoScalingGroup:*:autoScalingGroupName"
    nodes = f"arn:aws:eks:{place.region}:{place.account}:nodegroup/{cluster}"
    return document(
        allow(
            "SeeGroupsAndMachineTypes",
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            "*",
        ),
        allow("SeeNodeGroups", ["eks:DescribeNodegroup"], [f"{nodes}/{group}/*" for group in groups]),
        allow(
            "ResizeOwnGroups",
            ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            [f"{scaling}/eks-{group}-*" for group in groups],
            condition={"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}},
        ),
    )


class Identity(Component):
    """The fleet's identity: reads the model bucket and the feature store, writes nothing, lists no other bucket."""

    ref: IdentityRef

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        cluster: ClusterRef,
        storage: StorageRef,
        feature_store: FeatureStoreRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Identity", name, provider)
        self.ref = _bound_role(
            self,
            place,
            "fleet",
            cluster,
            NAMESPACE,
            SERVICE_ACCOUNT,
            "The Triton fleet: reads models and features",
            fleet_policy(place, storage, feature_store),
        )
        self.finish({"principal": self.ref.principal})


class NodeAutoscalerIdentity(Component):
    """The cluster autoscaler's identity: resizes this cluster's own machine groups."""

    ref: IdentityRef

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        cluster: ClusterRef,
        pools: Sequence[NodePoolRef],
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:NodeAutoscalerIdentity", name, provider)
        self.ref = _bound_role(
            self,
            place,
            "node-autoscaler",
            cluster,
            AUTOSCALER_NAMESPACE,
            AUTOSCALER_SERVICE_ACCOUNT,
            "The cluster autoscaler: resizes the cluster's machine groups",
            autoscaler_policy(place, cluster.name, sorted(group.name for pool in pools for group in pool.groups)),
        )
        self.finish({"principal": self.ref.principal})


def node_autoscaler_identity(
    place: Place,
    *,
    cluster: ClusterRef,
    pools: Sequence[NodePoolRef],
    provider: pulumi.ProviderResource,
) -> IdentityRef | None:
    """EKS adds no machines by itself: the fleet brings the cluster autoscaler, which needs this identity."""
    return NodeAutoscalerIdentity("node-autoscaler", place, cluster=cluster, pools=pools, provider=provider).ref


def _bound_role(
    parent: pulumi.Resource,
    place: Place,
    purpose: str,
    cluster: ClusterRef,
    namespace: str,
    service_account: str,
    description: str,
    policy: str,
) -> IdentityRef:
    """A role that one service account gets: Pod Identity binds by association, so no annotation is needed."""
    role = make_role(
        parent,
        place,
        purpose,
        description=description,
        trust=pod_trust(place, cluster.name, namespace, service_account),
        inline={purpose: policy},
    )
    association = aws.eks.PodIdentityAssociation(
        purpose,
        cluster_name=cluster.id,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return IdentityRef(
        namespace=namespace,
        service_account=service_account,
        annotations={},
        principal=role.arn,
        credentials=(POD_IDENTITY_AGENT,),
        ready=ready(role.arn, association),
    )
