"""Harmful edits of who takes on roles and enters the cluster on AWS."""

from __future__ import annotations

from policies.inventory import UNKNOWN
from tests.policies.aws_faults.documents import (
    CLUSTER_ARN,
    HERE,
    OTHER,
    OWN,
    ROLE,
    ROLES,
    role,
    text,
    trusted,
    trusts,
)  # fmt: skip
from tests.policies.aws_faults.entering import HUB, PROVIDER, WEB, access, associated, entry, hub
from tests.policies.reach.planting import Change, To, add, edit, several

HARMFUL: dict[str, tuple[str, Change]] = {
    # trust
    "a workflow of a pull request": ("aws-iam-trust-no-pull-request", hub("repo:acme/seawall:pull_request")),
    "a workflow of any branch": ("aws-iam-trust-scoped", hub("repo:acme/seawall:ref:refs/heads/*", "StringLike")),
    "a workflow of any subject": ("aws-iam-trust-scoped", hub("repo:acme/seawall:*", "StringLike")),
    "a workflow of any repository": ("aws-iam-trust-scoped", hub("repo:acme/*", "StringLike")),
    "a workflow of any organisation": ("aws-iam-trust-scoped", hub("repo:*/seawall:environment:prod", "StringLike")),
    "a workflow without a subject": ("aws-iam-trust-scoped", hub(None)),
    "a workflow without an audience": (
        "aws-iam-trust-scoped",
        hub("repo:acme/seawall:environment:prod", audience=None),
    ),
    "a workflow of another audience": (
        "aws-iam-trust-scoped",
        hub("repo:acme/seawall:environment:prod", audience="*"),
    ),
    "a workflow if there is a subject": (
        "aws-iam-trust-scoped",
        hub("repo:acme/seawall:environment:prod", "StringEqualsIfExists"),
    ),
    "a workflow for all values": (
        "aws-iam-trust-scoped",
        hub("repo:acme/seawall:environment:prod", "ForAllValues:StringEquals"),
    ),
    "a workflow that is not one": (
        "aws-iam-trust-scoped",
        hub("repo:acme/other:environment:prod", "StringNotEquals"),
    ),
    "a workflow among pull requests": (
        "aws-iam-trust-no-pull-request",
        hub(["repo:acme/seawall:environment:prod", "repo:acme/seawall:pull_request"]),
    ),
    "the publisher trusts pull requests": (
        "aws-iam-trust-no-pull-request",
        trusted(
            trusts(
                PROVIDER,
                WEB,
                {
                    "StringEquals": {
                        f"{HUB}:sub": "repo:acme/seawall:pull_request",
                        f"{HUB}:aud": "sts.amazonaws.com",
                    }
                },
            ),
            role="publisher",
        ),
    ),
    "a provider of identities": (
        "",
        add(
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "https://login.elsewhere.example", "clientIdLists": ["sts.amazonaws.com"]},
        ),
    ),
    "a provider of assertions": (
        "seawall-type-judged",
        add("aws:iam/samlProvider:SamlProvider", {"name": "x", "samlMetadataDocument": "<x/>"}),
    ),
    "a role for assertions of anyone": (
        "aws-iam-trust-scoped",
        role(text(trusts({"Federated": f"arn:aws:iam::{OWN}:saml-provider/x"}, "sts:AssumeRoleWithSAML"))),
    ),
    "a role for anyone with Cognito": (
        "aws-iam-trust-scoped",
        role(text(trusts({"Federated": "cognito-identity.amazonaws.com"}, WEB))),
    ),
    "the fleet's role for machines too": (
        "aws-iam-trust-one-service",
        trusted(trusts({"Service": "ec2.amazonaws.com"})),
    ),
    "the fleet's role for functions too": (
        "aws-iam-trust-one-service",
        trusted(trusts({"Service": "lambda.amazonaws.com"})),
    ),
    "the restore role for builds too": (
        "aws-iam-no-admin-attached",
        trusted(trusts({"Service": ["backup.amazonaws.com", "codebuild.amazonaws.com"]}), role="restore"),
    ),
    "the backup role for the cluster": (
        "aws-iam-trust-one-service",
        trusted(trusts({"Service": "eks.amazonaws.com"}), role="backup"),
    ),
    "a role for three services": (
        "aws-iam-trust-one-service",
        role(text(trusts({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]}))),
    ),
    "events without their account": (
        "aws-iam-trust-no-deputy",
        edit(ROLE, "assumeRolePolicy", text(trusts({"Service": "events.amazonaws.com"})), "carry-events"),
    ),
    "events of another account": (
        "aws-iam-trust-own-account",
        edit(
            ROLE,
            "assumeRolePolicy",
            text(
                trusts({"Service": "events.amazonaws.com"}, condition={"StringEquals": {"aws:SourceAccount": OTHER}})
            ),
            "carry-events",
        ),
    ),
    "the publisher trusts all of the account": (
        "aws-iam-trust-scoped",
        edit(ROLE, "assumeRolePolicy", text(trusts({"AWS": f"arn:aws:iam::{OWN}:root"})), "publisher"),
    ),
    "the publisher trusts the fleet": (
        "aws-iam-trust-declared-people",
        trusted(trusts({"AWS": f"{ROLES}/seawall-prod-fleet"}), role="publisher"),
    ),
    "the publisher trusts a stranger of the account": (
        "aws-iam-trust-declared-people",
        trusted(trusts({"AWS": f"{ROLES}/intern"}), role="publisher"),
    ),
    "the publisher trusts roles by pattern": (
        "aws-iam-trust-scoped",
        trusted(
            trusts({"AWS": f"arn:aws:iam::{OWN}:root"}, condition={"ArnLike": {"aws:PrincipalArn": f"{ROLES}/*"}}),
            role="publisher",
        ),
    ),
    "the drill trusts another account with an id": (
        "aws-iam-trust-own-account",
        trusted(
            trusts({"AWS": f"arn:aws:iam::{OTHER}:root"}, condition={"StringEquals": {"sts:ExternalId": "x"}}),
            role="drill",
        ),
    ),
    "a role chained for twelve hours": (
        "aws-iam-sessions-short",
        edit(ROLE, "maxSessionDuration", 43200, "publisher"),
    ),
    "pods of any service account": (
        "aws-iam-trust-scoped",
        edit(
            ROLE,
            "assumeRolePolicy",
            text(
                trusts(
                    {"Service": "pods.eks.amazonaws.com"},
                    ["sts:AssumeRole", "sts:TagSession"],
                    {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "serving"}},
                )
            ),
            "fleet",
        ),
    ),
    "pods of any cluster": (
        "aws-iam-trust-scoped",
        edit(
            ROLE,
            "assumeRolePolicy",
            text(
                trusts(
                    {"Service": "pods.eks.amazonaws.com"},
                    ["sts:AssumeRole", "sts:TagSession"],
                    {
                        "StringEquals": {
                            "aws:RequestTag/kubernetes-namespace": "serving",
                            "aws:RequestTag/kubernetes-service-account": "triton",
                        }
                    },
                )
            ),
            "fleet",
        ),
    ),
    "pods of another service account": (
        "aws-eks-pods-own-role",
        edit(
            ROLE,
            "assumeRolePolicy",
            text(
                trusts(
                    {"Service": "pods.eks.amazonaws.com"},
                    ["sts:AssumeRole", "sts:TagSession"],
                    {
                        "StringEquals": {
                            "aws:RequestTag/eks-cluster-arn": CLUSTER_ARN,
                            "aws:RequestTag/kubernetes-namespace": "default",
                            "aws:RequestTag/kubernetes-service-account": "default",
                        }
                    },
                )
            ),
            "fleet",
        ),
    ),
    "anyone's roles anywhere": (
        "seawall-type-judged",
        add(
            "aws:rolesanywhere/trustAnchor:TrustAnchor",
            {
                "name": "x",
                "enabled": True,
                "source": {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "x"}},
            },
        ),
    ),
    "a profile of roles anywhere": (
        "seawall-type-judged",
        add("aws:rolesanywhere/profile:Profile", {"name": "x", "roleArns": [f"{ROLES}/seawall-prod-publisher"]}),
    ),
    # access to the cluster
    "an entry of a stranger": (
        "aws-eks-access-declared",
        several(entry(f"{ROLES}/intern"), access(f"{ROLES}/intern")),
    ),
    "an entry without a policy in the admin's group": (
        "aws-eks-access-roles-only",
        entry(f"{ROLES}/intern", kubernetesGroups=["system:masters"]),
    ),
    "an entry in a group of its own": (
        "aws-eks-access-declared",
        entry(f"{ROLES}/intern", kubernetesGroups=["seawall:deployers"]),
    ),
    "an entry of another account": (
        "aws-eks-access-declared",
        several(entry(f"arn:aws:iam::{OTHER}:role/x"), access(f"arn:aws:iam::{OTHER}:role/x", "AmazonEKSViewPolicy")),
    ),
    "the fleet enters the cluster": (
        "aws-eks-access-declared",
        several(entry(f"{ROLES}/seawall-prod-fleet"), access(f"{ROLES}/seawall-prod-fleet", "AmazonEKSEditPolicy")),
    ),
    "readers become administrators": (
        "aws-eks-access-declared",
        edit(
            "eks/accessPolicyAssociation:AccessPolicyAssociation",
            "policyArn",
            "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "on-call",
        ),
    ),
    "readers become editors of a namespace": (
        "aws-eks-access-declared",
        access(f"{ROLES}/on-call", "AmazonEKSAdminPolicy", {"type": "namespace", "namespaces": ["kube-system"]}),
    ),
    "readers read secrets": (
        "aws-eks-access-declared",
        edit(
            "eks/accessPolicyAssociation:AccessPolicyAssociation",
            "policyArn",
            "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminViewPolicy",
            "on-call",
        ),
    ),
    "an entry names a group besides": (
        "aws-eks-access-declared",
        edit("eks/accessEntry:AccessEntry", "kubernetesGroups", ["cluster-admins"], "on-call"),
    ),
    "an entry for machines of anyone": ("aws-eks-access-declared", entry(f"{ROLES}/intern", type="EC2_LINUX")),
    "an entry that is hidden": ("aws-eks-access-roles-only", entry(UNKNOWN)),
    "another service account gets the fleet's role": (
        "aws-eks-pods-own-role",
        associated(To("iam/role:Role", "fleet")),
    ),
    "the door gets the publisher's role": (
        "aws-eks-pods-own-role",
        associated(To("iam/role:Role", "publisher"), "door", "envoy"),
    ),
    "a pod gets the restore role": ("aws-eks-pods-own-role", associated(f"{ROLES}/seawall-prod-restore")),
    "a pod gets a role of nobody's": ("aws-eks-pods-own-role", associated(f"{ROLES}/platform-admin")),
    "a pod gets a role of another account": ("aws-eks-pods-own-role", associated(f"arn:aws:iam::{OTHER}:role/x")),
    "the fleet's pods get another role": (
        "aws-eks-pods-own-role",
        edit("eks/podIdentityAssociation:PodIdentityAssociation", "roleArn", f"{ROLES}/platform-admin", "fleet"),
    ),
    "the fleet's role goes to default": (
        "aws-eks-pods-own-role",
        edit("eks/podIdentityAssociation:PodIdentityAssociation", "serviceAccount", "default", "fleet"),
    ),
    "an add-on gets a strong role": (
        "aws-eks-addon-versions-named",
        add(
            "aws:eks/addon:Addon",
            {
                "addonName": "aws-ebs-csi-driver",
                "clusterName": "seawall-prod-cluster",
                "serviceAccountRoleArn": f"{ROLES}/platform-admin",
            },
        ),
    ),
    "an add-on's pods get a strong role": (
        "aws-eks-pods-own-role",
        edit(
            "eks/addon:Addon",
            "podIdentityAssociations",
            [{"serviceAccount": "aws-node", "roleArn": f"{ROLES}/platform-admin"}],
            "vpc-cni",
        ),
    ),
    "an identity provider of the cluster": (
        "seawall-type-judged",
        add(
            "aws:eks/identityProviderConfig:IdentityProviderConfig",
            {
                "clusterName": "seawall-prod-cluster",
                "oidc": {"clientId": "x", "issuerUrl": "https://x.example", "identityProviderConfigName": "x"},
            },
        ),
    ),
    "a role bound to its token": (
        "aws-iam-trust-scoped",
        role(
            text(trusts({"Federated": f"arn:aws:iam::{OWN}:oidc-provider/oidc.eks.{HERE}.amazonaws.com/id/A"}, WEB))
        ),
    ),
}

HARMLESS: dict[str, Change] = {}
