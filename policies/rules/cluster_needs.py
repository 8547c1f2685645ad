"""What a cluster on AWS needs beside itself to come up."""

from __future__ import annotations

from typing import Final

from policies.aws_holders import holders
from policies.checks import (
    ABSENT,
    all_of,
    failed,
    is_hidden,
    not_applicable,
    passed,
    read,
    unknown,
)
from policies.examples import Output, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.role_rights import attached_policies
from policies.tokens import EKS_NODE_GROUP, EKS_POD_IDENTITY, IAM_ROLE, IAM_ROLE_ATTACHMENT, IAM_ROLE_POLICY

family = Family("What a cluster on AWS needs")


_JOINS: Final = (
    "AmazonEKSWorkerNodePolicy",
    ("AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"),
)


@family.rule(
    "aws-eks-machines-may-join",
    Severity.HIGH,
    "The role of a node group has what machines need to join and to pull images",
    types=(EKS_NODE_GROUP,),
    rationale="Machines whose role lacks a policy start, cost, and never join the cluster.",
    remedy="Attach AmazonEKSWorkerNodePolicy and AmazonEC2ContainerRegistryPullOnly to the role of its nodes "
    "(docs.aws.amazon.com/eks/latest/userguide/create-node-role.html, read 2026-11-22).",
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"nodeRoleArn": Output(IAM_ROLE, "machines")}, "joins"),
        given(IAM_ROLE, {"name": "machines"}, "machines"),
        *(
            given(IAM_ROLE_ATTACHMENT, {"role": "machines", "policyArn": f"arn:aws:iam::aws:policy/{policy}"}, policy)
            for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
        ),
        broken={
            "machines has no AmazonEKSWorkerNodePolicy": without(IAM_ROLE_ATTACHMENT, "AmazonEKSWorkerNodePolicy"),
            "machines has no AmazonEC2ContainerRegistryPullOnly": without(
                IAM_ROLE_ATTACHMENT, "AmazonEC2ContainerRegistryPullOnly"
            ),
        },
        accepted={
            "": put(
                "policyArn",
                "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
                IAM_ROLE_ATTACHMENT,
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
    roles = inventory.linked(group, "nodeRoleArn", IAM_ROLE)
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
    types=(IAM_ROLE,),
    rationale="A role without a policy is refused everything: who takes it fails when the platform is needed.",
    remedy="Attach the policy of the job that takes it, or remove the role.",
    examples=lambda: examples(
        given(IAM_ROLE, {"name": "may"}, "may"),
        given(EKS_POD_IDENTITY, {"roleArn": Output(IAM_ROLE, "may")}, "may"),
        given(IAM_ROLE_POLICY, {"role": "may", "policy": '{"Statement": []}'}, "may"),
        broken={"no policy": without(IAM_ROLE_POLICY, "may")},
        accepted={
            "": both(
                without(IAM_ROLE_POLICY, "may"),
                put("inlinePolicies", [{"name": "x", "policy": '{"Statement": []}'}]),
            ),
            "no part of the stack takes it": both(without(IAM_ROLE_POLICY, "may"), without(EKS_POD_IDENTITY, "may")),
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
