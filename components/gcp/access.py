"""Who may connect to the control plane of GKE, by IAM, and whom the cluster's own RBAC then lets do what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.cluster import AccessRole, AccessSpec
from components.contracts.component import Component
from components.contracts.naming import PRODUCT, connect_role_id
from components.contracts.place import Place
from components.contracts.refs import Grant

CLUSTER_ROLES: Final[Mapping[AccessRole, str]] = {
    AccessRole.ADMINISTRATOR: "cluster-admin",
    # The fleet has cluster roles with their bindings and an APIService; to write a cluster role one must hold what it
    # grants. The first update binds these by the permissions that the bootstrap stack gives its deployer.
    AccessRole.DEPLOYER: "cluster-admin",
    # Kubernetes' own `view` leaves secrets out.
    AccessRole.READER: "view",
}


def connections(parent: Component, place: Place, access: AccessSpec) -> list[pulumi.Resource]:
    """Bootstrap's role that connects and no more, for each named principal.

    Not roles/container.developer or roles/container.admin: they reach into every cluster of the project (GKE guide,
    "Customize network isolation", 2026-11-21).
    """
    return [
        gcp.projects.IAMMember(
            f"connects-{key}",
            project=place.account,
            role=f"projects/{place.account}/roles/{connect_role_id(place.environment)}",
            member=principal,
            opts=pulumi.ResourceOptions(parent=parent),
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
