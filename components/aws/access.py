"""Who may reach the control plane of EKS, and what they may do there: rules for networks, entries for principals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_aws as aws

from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component
from components.contracts.place import Place

ACCESS_POLICIES: Final[Mapping[AccessRole, str]] = {
    AccessRole.ADMINISTRATOR: "AmazonEKSClusterAdminPolicy",
    # The fleet has namespaces, cluster roles with their bindings, and an APIService. AmazonEKSAdminPolicy has none of
    # these, and to write a cluster role one must hold what it grants, so nothing less lays the fleet.
    AccessRole.DEPLOYER: "AmazonEKSClusterAdminPolicy",
    # AmazonEKSAdminViewPolicy would read secrets too.
    AccessRole.READER: "AmazonEKSViewPolicy",
}
"""EKS guide, "Review access policy permissions" (2026-11-21)."""


def access_entries(
    parent: Component, place: Place, access: AccessSpec, cluster: aws.eks.Cluster
) -> list[pulumi.Resource]:
    """An entry for each named principal, with the one access policy that its role needs, over the whole cluster."""
    made: list[pulumi.Resource] = []
    for role, key, principal in access.principals():
        entry = aws.eks.AccessEntry(
            key,
            cluster_name=cluster.name,
            principal_arn=principal,
            type="STANDARD",
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        policy = aws.eks.AccessPolicyAssociation(
            key,
            cluster_name=cluster.name,
            principal_arn=principal,
            policy_arn=f"arn:aws:eks::aws:cluster-access-policy/{ACCESS_POLICIES[role]}",
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[entry]),
        )
        made += [entry, policy]
    return made


def control_plane_rules(
    parent: Component, place: Place, private_cidrs: Mapping[str, str], cluster: aws.eks.Cluster
) -> list[pulumi.Resource]:
    """HTTPS from each named network to the private endpoint, whose group admits only the cluster's own machines.

    EKS guide, "Cluster API server endpoint": a connected network must be admitted on 443 (2026-11-21).
    """
    group = cluster.vpc_config.cluster_security_group_id.apply(str)
    return [
        aws.vpc.SecurityGroupIngressRule(
            f"control-plane-from-{key}",
            security_group_id=group,
            description=f"The control plane from {key}",
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for key, cidr in private_cidrs.items()
    ]
