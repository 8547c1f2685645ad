"""Who enters, as several tables of faults plant it: workflows that take on a role, and entries of the cluster."""

from __future__ import annotations

from typing import Any

from tests.policies.aws_faults.documents import MODELS, OWN, allow, role, text, trusts
from tests.policies.reach.planting import Change, add

HUB = "token.actions.githubusercontent.com"
PROVIDER = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{HUB}"}
WEB = "sts:AssumeRoleWithWebIdentity"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ = allow("s3:GetObject", f"arn:aws:s3:::{MODELS}/*")


def hub(subject: Any, how: str = "StringEquals", audience: Any = "sts.amazonaws.com") -> Change:
    """A role for GitHub's workflows."""
    condition: dict[str, dict[str, Any]] = {how: {f"{HUB}:sub": subject}} if subject else {}
    if audience:
        condition.setdefault("StringEquals", {})[f"{HUB}:aud"] = audience
    return role(text(trusts(PROVIDER, WEB, condition)), "workflows")


def entry(principal: str, **inputs: Any) -> Change:
    told = {"clusterName": "seawall-prod-cluster", "principalArn": principal, "type": "STANDARD"}
    return add("aws:eks/accessEntry:AccessEntry", {**told, **inputs})


def access(principal: str, policy: str = "AmazonEKSClusterAdminPolicy", scope: Any = None) -> Change:
    told = {"clusterName": "seawall-prod-cluster", "principalArn": principal}
    named = f"arn:aws:eks::aws:cluster-access-policy/{policy}"
    scope = scope or {"type": "cluster"}
    return add(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", {**told, "policyArn": named, "accessScope": scope}
    )


def associated(role_arn: Any, namespace: str = "serving", account: str = "other") -> Change:
    told = {"clusterName": "seawall-prod-cluster", "namespace": namespace, "serviceAccount": account}
    return add("aws:eks/podIdentityAssociation:PodIdentityAssociation", {**told, "roleArn": role_arn})
