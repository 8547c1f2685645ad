"""Who may connect to the control plane of GKE, by IAM, and whom the cluster's own RBAC then lets do what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component
from components.contracts.naming import PRODUCT
from components.contracts.place import Place
from components.contracts.refs import Grant

CONNECT: Final = ("container.clusters.connect", "container.clusters.get", "container.clusters.list")
"""What the DNS endpoint asks for (`connect`), and what finds it. Nothing inside: roles/container.developer and
roles/container.admin would reach into every cluster of the project (GKE guide, "Customize network isolation",
2026-11-21)."""

CLUSTER_ROLES: Final[Mapping[AccessRole, str]] = {
    AccessRole.ADMINISTRATOR: "cluster-admin",
    # The fleet has cluster roles with their bindings and an APIService; to write a cluster role one must hold what it
    # grants. The first update still needs roles/container.admin, to bind these: the bootstrap stack grants it.
    AccessRole.DEPLOYER: "cluster-admin",
    # Kubernetes' own `view` leaves secrets out.
    AccessRole.READER: "view",
}


def connections(parent: Component, place: Place, access: AccessSpec) -> list[pulumi.Resource]:
    """A role that connects and no more, for each named principal."""
    role_id = place.name("connects").replace("-", "_")
    role = gcp.projects.IAMCustomRole(
        "connects",
        role_id=role_id,
        project=place.account,
        title=f"{place.stack}: connects to the cluster",
        description="Reaches the control plane; what it may do there is the cluster's to say",
        permissions=list(CONNECT),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return [
        gcp.projects.IAMMember(
            f"connects-{key}",
            project=place.account,
            role=f"projects/{place.account}/roles/{role_id}",
            member=principal,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[role]),
        )
        for _, key, principal in access.principals()
    ]


def grants(access: AccessSpec) -> tuple[Grant, ...]:
    """What the cluster's RBAC must bind: GKE knows a group, a user and a service account by the email."""
    return tuple(
        Grant(
            name=f"{PRODUCT}-{key}",
            role=CLUSTER_ROLES[role],
            subject_kind="Group" if principal.startswith("group:") else "User",
            subject=principal.partition(":")[2],
        )
        for role, key, principal in access.principals()
    )
