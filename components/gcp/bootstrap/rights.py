"""What the plan and deploy accounts may do, from the table of permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from common.permissions import needed
from common.permissions.gcp import GCP, NOT_IN_PROJECT
from components.contracts.bootstrap import Deploys
from components.contracts.naming import PRODUCT
from components.contracts.vocabulary import Cloud

OWNERS_ALONE: Final = frozenset(
    {
        "gcp:billing/budget:Budget",
        "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        "gcp:orgpolicy/policy:Policy",
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        "gcp:projects/service:Service",
        "gcp:projects/serviceIdentity:ServiceIdentity",
    }
)
"""Types that bootstrap makes, and that no deployer may make or change: whoever writes a custom role can widen it."""

_VERBS: Final = ("create", "delete", "get", "list", "update")

_STORES: Final = {
    "redis": ("gcp:redis/",),
    "firestore": ("gcp:firestore/",),
    "bigtable": ("gcp:bigtable/",),
}
"""Kind of feature store → how its types begin."""

HANDING_OUT: Final = ("resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy")
GRANT: Final = "resourcemanager.projects.setIamPolicy"
"""Given apart, for the roles alone that a stack hands out."""

ALWAYS: Final = ("resourcemanager.projects.get", "serviceusage.services.use")
"""What `user_project_override` and finding the project take."""

HANDED_OUT: Final = ("roles/artifactregistry.reader", "roles/container.defaultNodeServiceAccount")
HANDED_OUT_FOR: Final = {"firestore": ("roles/datastore.user", "roles/datastore.viewer")}
"""The project's roles that a platform stack grants to accounts of its own, all of them and by feature store; none
grants roles in turn. A test asks that exactly the roles that stacks grant stand here, beside bootstrap's own."""

KUBERNETES: Final = (
    "apiServices",
    "clusterRoleBindings",
    "clusterRoles",
    "configMaps",
    "cronJobs",
    "deployments",
    "horizontalPodAutoscalers",
    "namespaces",
    "networkPolicies",
    "podDisruptionBudgets",
    "priorityClasses",
    "resourceQuotas",
    "roleBindings",
    "roles",
    "secrets",
    "serviceAccounts",
    "services",
    "thirdPartyObjects",
)
"""What a stack has on its cluster, by the names of GKE's permissions (IAM, "Kubernetes Engine roles and permissions",
read 2026-11-21); `thirdPartyObjects` are custom resources. A test asks that every planned kind stands here."""

CHARTS: Final = (
    "customResourceDefinitions",
    "jobs",
    "mutatingWebhookConfigurations",
    "validatingWebhookConfigurations",
)
"""What the charts of the door's controllers bring beside that (`components.kubernetes.gateway.controllers`)."""

_LOOK: Final = ("events", "pods", "replicaSets")
"""What the engine looks at while it waits for the others."""


def types_of(deploys: Deploys) -> tuple[str, ...]:
    """The types that the stack of an environment may have, sorted: all but those of other feature stores."""
    absent = tuple(begin for kind, begins in _STORES.items() if kind != deploys.feature_store for begin in begins)
    return tuple(sorted(t for t in GCP if t not in OWNERS_ALONE and not t.startswith(absent)))


def handed_out(deploys: Deploys) -> tuple[str, ...]:
    """The roles of Google's that the environment's stack grants on its project."""
    return *HANDED_OUT, *HANDED_OUT_FOR.get(deploys.feature_store, ())


def plan_permissions(deploys: Sequence[Deploys]) -> list[str]:
    """To see how everything is configured, and nothing of what it holds."""
    types = {token for one in deploys for token in types_of(one)}
    return sorted({*needed(GCP, types, "read"), *ALWAYS, "container.clusters.connect"} - NOT_IN_PROJECT)


def deploy_permissions(deploys: Deploys) -> list[str]:
    """To make, change and delete what an environment's stack has, but for handing out roles."""
    kubernetes = {f"container.{kind}.{verb}" for kind in (*KUBERNETES, *CHARTS) for verb in _VERBS}
    kubernetes |= {f"container.{kind}.{verb}" for kind in _LOOK for verb in ("get", "list")}
    # Whoever binds rights must have them, or these (Kubernetes, "Privilege escalation prevention").
    kubernetes |= {f"container.{kind}.{verb}" for kind in ("clusterRoles", "roles") for verb in ("bind", "escalate")}
    reach = {"container.clusters.connect", "container.clusters.getCredentials"}
    rights = {*needed(GCP, types_of(deploys)), *ALWAYS, *reach, *kubernetes}
    return sorted(rights - NOT_IN_PROJECT - {GRANT})


def grants_only(roles: Sequence[str]) -> str:
    """The condition that only these roles are given or taken ("Set limits on granting roles", read 2026-11-21)."""
    listed = ", ".join(f"'{role}'" for role in sorted(roles))
    return f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([{listed}])"


def own_state(bucket: str, deploys: Deploys) -> str:
    """The condition that an object is of the stack's state, its locks or its history, or says the layout of all.

    Pulumi's files: `.pulumi/{stacks,history,locks,backups}/…`, and `meta.yaml`, without which `pulumi login` is
    refused (`ensurePulumiMeta` in pkg/backend/diy of pulumi 3.259, read 2026-11-21).
    """
    stack = deploys.stack(Cloud.GCP)
    objects = f"projects/_/buckets/{bucket}/objects/.pulumi"
    begins = (
        f"stacks/{PRODUCT}/{stack}.",
        f"history/{PRODUCT}/{stack}/",
        f"backups/{PRODUCT}/{stack}/",
        f"locks/organization/{PRODUCT}/{stack}/",
    )
    own = (f"resource.name.startsWith('{objects}/{begin}')" for begin in begins)
    return " || ".join([*own, f"resource.name == '{objects}/meta.yaml'"])
