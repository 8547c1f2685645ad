"""Whom the cluster's own RBAC lets in, beside the principals that the cloud binds by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.rbac.v1 import ClusterRoleBinding, RoleRefArgs, SubjectArgs

from components.contracts.component import Component
from components.contracts.refs import Grant
from components.kubernetes.pods import metadata

RBAC: Final = "rbac.authorization.k8s.io"


class Access(Component):
    """One binding for each grant, over the whole cluster."""

    def __init__(self, name: str, grants: Sequence[Grant], *, provider: kubernetes.Provider) -> None:
        super().__init__("kubernetes:Access", name, provider)
        for grant in grants:
            ClusterRoleBinding(
                grant.name,
                metadata=metadata(grant.name),
                role_ref=RoleRefArgs(api_group=RBAC, kind="ClusterRole", name=grant.role),
                subjects=[SubjectArgs(api_group=RBAC, kind=grant.subject_kind, name=grant.subject)],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.finish({})
