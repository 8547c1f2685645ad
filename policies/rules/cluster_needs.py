"""What a cluster on AWS needs beside itself to come up."""

from __future__ import annotations

from typing import Final

from policies.aws_holders import ROLE, holders
from policies.checks import (
    ABSENT,
    all_of,
    failed,
    is_hidden,
    items,
    not_applicable,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.model import Judgement, Severity
from policies.reach.values import truth
from policies.role_rights import attached_policies
from policies.tokens import EKS_CLUSTER, EKS_NODE_GROUP

family = Family("What a cluster on AWS needs")

ADDON: Final = "aws:eks/addon:Addon"
POD: Final = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

_ADDONS: Final = ("vpc-cni", "kube-proxy", "coredns")
"""What a cluster is without where it installs none by itself: addresses, Services and names (EKS' user guide, "Amazon
EKS add-ons", docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html; that nothing else brings them where
`bootstrapSelfManagedAddons` is false: the API's `CreateCluster`; read 2026-11-22)."""
_AGENT: Final = "eks-pod-identity-agent"
_JOINS: Final = (
    "AmazonEKSWorkerNodePolicy",
    ("AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"),
)


@family.rule(
    "aws-eks-cluster-whole",
    Severity.HIGH,
    "A cluster has the add-ons that its pods need",
    types=(EKS_CLUSTER,),
    rationale="Without an add-on no pod gets an address, a name, or its role.",
    remedy="Plan the add-on that is missing.",
    examples=lambda: examples(
        given(EKS_CLUSTER, {"bootstrapSelfManagedAddons": False}),
        *(
            given(
                ADDON,
                {"addonName": name, "addonVersion": "v1.18.1-eksbuild.1", "clusterName": Output(EKS_CLUSTER)},
                name,
            )
            for name in (*_ADDONS, _AGENT)
        ),
        broken={
            "it has no coredns": (without(ADDON, "coredns"), put("addonName", "adot", ADDON, "coredns")),
            "it has no vpc-cni": without(ADDON, "vpc-cni"),
            "it has no eks-pod-identity-agent": both(
                without(ADDON, _AGENT), plus(given(POD, {"clusterName": Output(EKS_CLUSTER)}, "of-pods"))
            ),
        },
        undecided={
            "an add-on whose name is known only to the provider": put("addonName", Hidden(), ADDON, "coredns")
        },
        accepted={
            "": without(ADDON, _AGENT),
        },
    ),
)
def eks_cluster_whole(cluster: Resource, inventory: Inventory) -> Judgement:
    bare = read(cluster, "bootstrapSelfManagedAddons")
    if is_hidden(bare):
        return unknown("bootstrapSelfManagedAddons", "whether it installs its add-ons by itself")
    by_itself = truth(bare, default=True) is not False
    if by_itself or truth(read(cluster, "computeConfig.enabled"), default=False) is not False:
        return passed("it installs its add-ons by itself")
    return _addons(cluster, inventory)


def of_cluster(cluster: Resource, inventory: Inventory, token: str) -> list[Resource]:
    """What names the cluster, of one type."""
    name = read(cluster, "name")
    return [r for r in inventory.of_type(token) if refers_to(inventory, r, "clusterName", cluster, name)]


def _addons(cluster: Resource, inventory: Inventory) -> Judgement:
    planned = of_cluster(cluster, inventory, ADDON)
    names = [read(each, "addonName") for each in planned]
    wanted: list[str] = list(_ADDONS)
    if of_cluster(cluster, inventory, POD) or any(any(items(each, "podIdentityAssociations")) for each in planned):
        wanted.append(_AGENT)
    missing = [name for name in wanted if name not in names]
    if missing and any(map(is_hidden, names)):
        return unknown("", f"the add-on {missing[0]}", "an add-on whose name is known only to the provider")
    return all_of(failed("", f"it has no {name}", f"the add-on {name}") for name in missing)


@family.rule(
    "aws-eks-machines-may-join",
    Severity.HIGH,
    "The role of a node group has what machines need to join and to pull images",
    types=(EKS_NODE_GROUP,),
    rationale="Machines whose role lacks a policy start, cost, and never join the cluster.",
    remedy="Attach AmazonEKSWorkerNodePolicy and AmazonEC2ContainerRegistryPullOnly to the role of its nodes "
    "(docs.aws.amazon.com/eks/latest/userguide/create-node-role.html, read 2026-11-22).",
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"nodeRoleArn": Output(ROLE, "machines")}, "joins"),
        given(ROLE, {"name": "machines"}, "machines"),
        *(
            given(_ATTACHMENT, {"role": "machines", "policyArn": f"arn:aws:iam::aws:policy/{policy}"}, policy)
            for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
        ),
        broken={
            "machines has no AmazonEKSWorkerNodePolicy": without(_ATTACHMENT, "AmazonEKSWorkerNodePolicy"),
            "machines has no AmazonEC2ContainerRegistryPullOnly": without(
                _ATTACHMENT, "AmazonEC2ContainerRegistryPullOnly"
            ),
        },
        accepted={
            "": put(
                "policyArn",
                "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
                _ATTACHMENT,
                "AmazonEC2ContainerRegistryPullOnly",
            ),
            "its role is not of this plan": (
                drop("nodeRoleArn"),
                put("nodeRoleArn", "arn:aws:iam::111122223333:role/x"),
            ),
        },
    ),
)
def eks_machines_may_join(group: Resource, inventory: Inventory) -> Judgement:
    roles = inventory.linked(group, "nodeRoleArn", ROLE)
    if not roles and is_hidden(read(group, "nodeRoleArn")):
        return unknown("nodeRoleArn", "a role of this plan, or its ARN")
    if not roles or not is_hidden(read(group, "nodeRoleArn")):
        return passed("its role is not of this plan")
    held = {
        arn.rpartition("/")[2] for role in roles for arn in inventory.derived(attached_policies).get(role.urn, ())
    }
    worker, images = _JOINS
    judged: list[Judgement] = []
    if worker not in held:
        judged.append(failed("", f"{roles[0].name} has no {worker}", worker))
    if held.isdisjoint(images):
        judged.append(failed("", f"{roles[0].name} has no {images[0]}", f"{images[0]}"))
    return all_of(judged)


@family.rule(
    "aws-roles-may-something",
    Severity.MEDIUM,
    "A role that a part of the stack takes may do something",
    types=(ROLE,),
    rationale="A role without a policy is refused everything: who takes it fails when the platform is needed.",
    remedy="Attach the policy of the job that takes it, or remove the role.",
    examples=lambda: examples(
        given(ROLE, {"name": "may"}, "may"),
        given(POD, {"roleArn": Output(ROLE, "may")}, "may"),
        given("aws:iam/rolePolicy:RolePolicy", {"role": "may", "policy": '{"Statement": []}'}, "may"),
        broken={"no policy": without("aws:iam/rolePolicy:RolePolicy", "may")},
        accepted={
            "": both(
                without("aws:iam/rolePolicy:RolePolicy", "may"),
                put("inlinePolicies", [{"name": "x", "policy": '{"Statement": []}'}]),
            ),
            "no part of the stack takes it": both(
                without("aws:iam/rolePolicy:RolePolicy", "may"), without(POD, "may")
            ),
        },
    ),
)
def roles_may_something(role: Resource, inventory: Inventory) -> Judgement:
    if role.urn not in inventory.derived(_taken):
        return not_applicable("no part of the stack takes it")
    if is_hidden(read(role, "name")):
        return unknown("name", "a name by which policies are attached")
    holder = holders(inventory).by_urn[role.urn]
    inline = read(role, "inlinePolicies") not in (ABSENT, [])
    attached = inventory.derived(attached_policies).get(role.urn)
    return passed() if holder.documents or holder.policies or attached or inline else failed("", "no policy", "one")


def _taken(inventory: Inventory) -> frozenset[str]:
    """URNs of roles that something beside IAM is given."""
    return frozenset(
        urn
        for each in inventory.resources
        if not each.type.startswith("aws:iam/")
        for urns in each.property_dependencies.values()
        for urn in urns
    )
