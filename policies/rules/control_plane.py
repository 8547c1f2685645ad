"""Control planes: who may reach them, who may act there, and what a new address of theirs must not replace."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from policies.checks import (
    PASS,
    absent_or,
    all_equal,
    all_of,
    any_of,
    expect,
    failed,
    is_hidden,
    read,
    unknown,
)
from policies.examples import Hidden, Output, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions
from policies.model import Framework, Judgement, Severity
from policies.tokens import (
    EKS_ACCESS_ENTRY,
    EKS_ACCESS_POLICY,
    EKS_CLUSTER,
    GCP_PROJECT_MEMBER,
    GKE_CLUSTER,
    IAM_ROLE,
)

family = Family("Control planes")

_PROVIDER: Final = "pulumi:providers:kubernetes"
_NODE_ACCOUNT: Final = "nodeConfig.serviceAccount"
_NODE_ROLE: Final = "roles/container.defaultNodeServiceAccount"
_ADMIN: Final = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_PLATFORM: Final = "arn:aws:iam::111122223333:role/platform/admin"
_VIEW: Final = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/(?!aws-service-role/)[\w+=,.@/-]+", re.ASCII)
_ENTRIES_ONLY: Final = {
    "accessConfig.authenticationMode": "API",
    "accessConfig.bootstrapClusterCreatorAdminPermissions": False,
}


@family.rule(
    "aws-eks-access-named",
    Severity.HIGH,
    "Named principals administer an EKS cluster, and not whoever made it",
    types=(EKS_CLUSTER,),
    rationale="A cluster that only its creator may enter is lost with that identity, and nobody sees who it is.",
    remedy='Set authenticationMode to "API", leave the creator out, and add an AccessEntry with its policy.',
    examples=lambda: examples(
        given(EKS_CLUSTER, {"name": "c", **_ENTRIES_ONLY}),
        given(
            EKS_ACCESS_POLICY, {"clusterName": Output(EKS_CLUSTER), "principalArn": _PLATFORM, "policyArn": _ADMIN}
        ),
        broken={
            'accessConfig.authenticationMode is "CONFIG_MAP"': put("accessConfig.authenticationMode", "CONFIG_MAP"),
            "accessConfig.bootstrapClusterCreatorAdminPermissions is true": put(
                "accessConfig.bootstrapClusterCreatorAdminPermissions", True
            ),
            "accessConfig.bootstrapClusterCreatorAdminPermissions is absent": drop(
                "accessConfig.bootstrapClusterCreatorAdminPermissions"
            ),
            "no named principal may administer the cluster": (
                without(EKS_ACCESS_POLICY),
                put("policyArn", _VIEW, on=EKS_ACCESS_POLICY),
                put("clusterName", "another", on=EKS_ACCESS_POLICY),
            ),
        },
        undecided={
            "example.policyArn is known only to the provider": put("policyArn", Hidden(), on=EKS_ACCESS_POLICY)
        },
        accepted={"": put("clusterName", "c", on=EKS_ACCESS_POLICY)},
    ),
)
def eks_access_named(cluster: Resource, inventory: Inventory) -> Judgement:
    names = [name for name in (read(cluster, "name"),) if isinstance(name, str)]
    policies = companions(inventory, cluster, "clusterName", names, EKS_ACCESS_POLICY)
    required = "an AccessPolicyAssociation with AmazonEKSClusterAdminPolicy"
    found = any_of(map(_administers, policies), failed("", "no named principal may administer the cluster", required))
    return all_of((all_equal(cluster, _ENTRIES_ONLY), found))


def _administers(association: Resource) -> Judgement:
    policy = read(association, "policyArn")
    if is_hidden(policy):
        return unknown(f"{association.name}.policyArn", "AmazonEKSClusterAdminPolicy")
    return PASS if policy == _ADMIN else failed(f"{association.name}.policyArn", str(policy), _ADMIN)


@family.rule(
    "aws-eks-access-roles-only",
    Severity.HIGH,
    "Who acts in an EKS cluster is a role, and in no group of Kubernetes' own",
    types=(EKS_ACCESS_ENTRY,),
    rationale="A user's keys do not end by themselves, a session's do too soon; system:masters cannot be withdrawn.",
    remedy="Name a role's ARN, and give it an access policy instead of groups.",
    examples=lambda: examples(
        given(EKS_ACCESS_ENTRY, {"principalArn": _PLATFORM}),
        broken={
            **{
                f'principalArn is "{arn}"': put("principalArn", arn)
                for arn in (
                    "arn:aws:iam::111122223333:root",
                    "arn:aws:iam::111122223333:user/me",
                    "arn:aws:iam::111122223333:role/*",
                    "arn:aws:sts::111122223333:assumed-role/admin/me",
                )
            },
            'kubernetesGroups is ["system:masters"]': put("kubernetesGroups", ["system:masters"]),
        },
        undecided={"principalArn is known only to the provider": put("principalArn", Hidden())},
        accepted={"": put("kubernetesGroups", ["on-call"])},
    ),
)
def eks_access_roles_only(entry: Resource, inventory: Inventory) -> Judgement:
    own = inventory.linked(entry, "principalArn", IAM_ROLE)
    principal = (
        PASS if own else expect(entry, "principalArn", "the ARN of a role", lambda v: bool(_ROLE.fullmatch(v)))
    )
    groups = partial(
        expect,
        entry,
        "kubernetesGroups",
        "no group of Kubernetes' own",
        lambda names: not any(name.startswith("system:") for name in names),
    )
    return all_of((principal, absent_or(entry, "kubernetesGroups", groups)))


family.require(
    "gcp-gke-legacy-access-off",
    Severity.HIGH,
    "GKE knows no client certificate, and no attribute-based access",
    type=GKE_CLUSTER,
    inputs={
        "enableLegacyAbac": (False, True),
        "masterAuth.clientCertificateConfig.issueClientCertificate": (False, True),
    },
    rationale="A client certificate cannot be withdrawn; attribute-based access gives every pod the whole cluster.",
    remedy="Set enableLegacyAbac and issueClientCertificate to false.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_7", "CKV_GCP_13")},
)


@family.rule(
    "gcp-gke-google-groups",
    Severity.MEDIUM,
    "GKE's roles may be bound to Google Groups",
    types=(GKE_CLUSTER,),
    rationale="A binding for each person outlives the person's job; a group's members change with the team.",
    remedy="Set authenticatorGroupsConfig.securityGroup to gke-security-groups@ the organisation's domain.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_65",)},
    examples=lambda: examples(
        given(GKE_CLUSTER, {"authenticatorGroupsConfig.securityGroup": "gke-security-groups@example.com"}),
        broken={
            "authenticatorGroupsConfig.securityGroup is absent": drop("authenticatorGroupsConfig"),
            'authenticatorGroupsConfig.securityGroup is "all@example.com"': put(
                "authenticatorGroupsConfig.securityGroup", "all@example.com"
            ),
        },
    ),
)
def gke_google_groups(cluster: Resource, _: Inventory) -> Judgement:
    required = "gke-security-groups@ the organisation's domain"
    path = "authenticatorGroupsConfig.securityGroup"
    return expect(cluster, path, required, lambda v: v.startswith("gke-security-groups@"))


@family.rule(
    "gcp-gke-node-role",
    Severity.MEDIUM,
    "GKE's machines hold the role that GKE asks of them",
    types=(GKE_CLUSTER,),
    rationale="Without it a machine's logs and metrics are lost, and GKE calls its nodes degraded.",
    remedy=f"Grant {_NODE_ROLE} to the account of the machines.",
    examples=lambda: examples(
        given(GKE_CLUSTER, {_NODE_ACCOUNT: "nodes@p"}),
        given(GCP_PROJECT_MEMBER, {"role": _NODE_ROLE, "member": "serviceAccount:nodes@p"}, name="nodes"),
        broken={
            f"{_NODE_ACCOUNT} is nodes@p, which lacks the role": (
                without(GCP_PROJECT_MEMBER, "nodes"),
                put("role", "roles/logging.logWriter", on=GCP_PROJECT_MEMBER, name="nodes"),
            ),
            f"{_NODE_ACCOUNT} is absent": drop(_NODE_ACCOUNT),
        },
        undecided={f"{_NODE_ACCOUNT} is known only to the provider": put(_NODE_ACCOUNT, Hidden())},
    ),
)
def gke_node_role(cluster: Resource, inventory: Inventory) -> Judgement:
    named = expect(cluster, _NODE_ACCOUNT, f"an account with {_NODE_ROLE}", bool)
    if named is not PASS:
        return named
    account = read(cluster, _NODE_ACCOUNT)
    grants = [m for m in inventory.of_type(GCP_PROJECT_MEMBER) if read(m, "member") == f"serviceAccount:{account}"]
    if any(read(grant, "role") == _NODE_ROLE for grant in grants):
        return PASS
    return failed(_NODE_ACCOUNT, f"{account}, which lacks the role", f"an account with {_NODE_ROLE}")


@family.rule(
    "k8s-provider-identified",
    Severity.HIGH,
    "A new address of the control plane does not replace what is on the cluster",
    types=(_PROVIDER,),
    rationale="Without an identifier Pulumi takes a changed address for another cluster, and makes everything anew.",
    remedy="Set the provider's cluster_identifier to what stays while the cluster does.",
    examples=lambda: examples(
        given(_PROVIDER, {"clusterIdentifier": Output(EKS_CLUSTER)}),
        given(EKS_CLUSTER),
        broken={
            "clusterIdentifier is absent": drop("clusterIdentifier"),
            'clusterIdentifier is ""': put("clusterIdentifier", ""),
        },
        undecided={"clusterIdentifier is known only to the provider": put("clusterIdentifier", Hidden())},
        accepted={"": put("clusterIdentifier", "arn:aws:eks:eu-west-1:111122223333:cluster/c")},
    ),
)
def provider_identified(provider: Resource, inventory: Inventory) -> Judgement:
    if is_hidden(read(provider, "clusterIdentifier")) and inventory.linked(
        provider, "clusterIdentifier", EKS_CLUSTER, GKE_CLUSTER
    ):
        return PASS
    return expect(provider, "clusterIdentifier", "a name of the cluster that stays", bool)
