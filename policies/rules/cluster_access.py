"""Who enters an EKS cluster, and with which rights: those whom the settings name, and no pod with another's role."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    failed,
    if_given,
    is_hidden,
    items,
    not_applicable,
    one_of,
    read,
    shown,
    unknown,
)
from policies.declared_access import READERS, principals
from policies.documents import statements
from policies.examples import Hidden, Output, allow, document, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import EKS_ACCESS_ENTRY, EKS_ACCESS_POLICY, EKS_ADDON, EKS_POD_IDENTITY, IAM_ROLE

family = Family("Access to EKS")

_PREFIX: Final = "arn:aws:eks::aws:cluster-access-policy"
_ADMIN: Final = f"{_PREFIX}/AmazonEKSClusterAdminPolicy"
_VIEWS: Final = (f"{_PREFIX}/AmazonEKSViewPolicy",)
"""What a reader may have: no secrets. EKS user guide, "Review access policy permissions" (the list of policies read
there on 2026-11-22; that the view has no secrets is believed)."""
_RIGHTS: Final = (_ADMIN, f"{_PREFIX}/AmazonEKSAdminPolicy", f"{_PREFIX}/AmazonEKSEditPolicy", *_VIEWS)
"""What those may have who administer and deploy."""
_PLATFORM: Final = "arn:aws:iam::111122223333:role/platform/admin"
_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
_STRANGER: Final = "arn:aws:iam::111122223333:role/intern"
_TAG: Final = "aws:requesttag/kubernetes-"


@family.rule(
    "aws-eks-access-declared",
    Severity.CRITICAL,
    "Who enters a cluster is named in the settings, with the rights of its group there",
    types=(EKS_ACCESS_ENTRY, EKS_ACCESS_POLICY),
    rationale="An entry that the settings do not name is an administrator whom nobody reviewed.",
    remedy="Name the principal in the settings' cluster.access; leave kubernetesGroups out, and readers to the view.",
    frameworks={Framework.NIST_800_53: ("AC-2", "AC-3"), Framework.CIS_EKS: ("4.1.1",)},
    examples=lambda: examples(
        given(
            EKS_ACCESS_POLICY,
            {"principalArn": _PLATFORM, "policyArn": _ADMIN, "accessScope.type": "cluster"},
            "declared",
        ),
        given(EKS_ACCESS_ENTRY, {"principalArn": _PLATFORM, "type": "STANDARD"}, "declared"),
        broken={
            f'principalArn is "{_STRANGER}"': put("principalArn", _STRANGER),
            f'policyArn is "{_ADMIN}"': setting("cluster.access", {"readers": {"on-call": _PLATFORM}}),
        },
        undecided={
            "principalArn is known only to the provider": put("principalArn", Hidden()),
        },
        accepted={"": put("policyArn", _VIEWS[0])},
    ),
)
def eks_access_declared(entry: Resource, inventory: Inventory) -> Judgement:
    declared = principals(inventory)
    arn, required = read(entry, "principalArn"), "a principal of the settings' cluster.access"
    if is_hidden(arn):
        return unknown("principalArn", required)
    if not isinstance(arn, str) or arn not in declared:
        if entry.type == EKS_ACCESS_ENTRY and not _ROLE.fullmatch(str(arn)):
            return not_applicable("no role; that only roles enter is a rule of its own")
        return failed("principalArn", shown(arn), required)
    if entry.type == EKS_ACCESS_ENTRY:
        groups, kind = read(entry, "kubernetesGroups"), ("STANDARD",)
        if isinstance(groups, list) and any(str(group).startswith("system:") for group in groups):
            return not_applicable("a group of Kubernetes' own, which a rule of its own forbids")
        return all_of(
            (
                PASS if groups in (ABSENT, []) else failed("kubernetesGroups", shown(groups), "no groups"),
                if_given(entry, "type", lambda: one_of(entry, "type", kind)),
            )
        )
    return one_of(entry, "policyArn", _VIEWS if declared[arn] == READERS else _RIGHTS)


@family.rule(
    "aws-eks-pods-own-role",
    Severity.HIGH,
    "A service account has the role that was made for it, and no other",
    types=(EKS_POD_IDENTITY, EKS_ADDON),
    rationale="An association gives a pod whatever its role may do: with another's role, what faces requests writes "
    "releases or restores backups.",
    remedy="Name a role of the stack whose trust names the cluster, the namespace and this service account.",
    frameworks={Framework.NIST_800_53: ("AC-6",), Framework.CIS_EKS: ("5.2.1",)},
    examples=lambda: examples(
        given(
            EKS_POD_IDENTITY,
            {"namespace": "copying", "serviceAccount": "copier", "roleArn": Output(IAM_ROLE, "of-pods")},
            "of-pods",
        ),
        given(IAM_ROLE, {"name": "of-pods", "assumeRolePolicy": document(_trust())}, "of-pods"),
        broken={
            "roleArn is the role of-pods, whose trust does not name copying/door": put("serviceAccount", "door"),
            "roleArn is the role of-pods, whose trust does not name kube-system/copier": put(
                "namespace", "kube-system"
            ),
            "roleArn is the role of-pods, whose trust does not name copying/copier": put(
                "assumeRolePolicy.Statement.0", _trust("other"), IAM_ROLE, "of-pods"
            ),
            f'roleArn is "{_STRANGER}", none of this stack': put("roleArn", _STRANGER),
            "roleArn is absent": drop("roleArn"),
        },
        undecided={
            "roleArn is known only to the provider": put("roleArn", Hidden()),
            "of-pods.assumeRolePolicy is known only to the provider": put(
                "assumeRolePolicy", Hidden(), IAM_ROLE, "of-pods"
            ),
        },
        accepted={"": put("roleArn", "arn:aws:iam::111122223333:role/of-pods")},
    ),
)
def eks_pods_own_role(association: Resource, inventory: Inventory) -> Judgement:
    if association.type == EKS_POD_IDENTITY:
        place = (read(association, "namespace"), read(association, "serviceAccount"))
        return _fits(association, "roleArn", place, inventory)
    listed = (
        _fits(association, f"{item}.roleArn", (None, read(association, f"{item}.serviceAccount")), inventory)
        for item in items(association, "podIdentityAssociations")
    )
    own = read(association, "serviceAccountRoleArn")
    bare = PASS if own is ABSENT else failed("serviceAccountRoleArn", shown(own), "podIdentityAssociations")
    return all_of((bare, *listed))


def _fits(holder: Resource, path: str, place: tuple[Any, Any], inventory: Inventory) -> Judgement:
    value, required = read(holder, path), "a role of this stack, made for the service account"
    if value is ABSENT:
        return failed(path, "absent", required)
    if is_hidden(value):
        roles = list(inventory.linked(holder, path.split(".", 1)[0], IAM_ROLE))
    else:
        name = str(value).rpartition("/")[2]
        roles = [
            role for role in inventory.of_type(IAM_ROLE) if read(role, "name") == name and ":role/" in str(value)
        ]
    if not roles:
        return (
            unknown(path, required)
            if is_hidden(value)
            else failed(path, f"{shown(value)}, none of this stack", required)
        )
    return all_of(_made_for(role, path, place, required) for role in roles)


def _made_for(role: Resource, path: str, place: tuple[Any, Any], required: str) -> Judgement:
    found = statements(role, "assumeRolePolicy")
    if isinstance(found, Judgement):
        return unknown(f"{role.name}.assumeRolePolicy", required)
    wanted = {"namespace": place[0], "service-account": place[1]}
    told = [dict(_tags(each.conditions)) for each in found if each.allows]
    if any(all(tags.get(key) == (value,) for key, value in wanted.items() if value is not None) for tags in told):
        return PASS
    called = "/".join(str(part) for part in place if part)
    return failed(path, f"the role {role.name}, whose trust does not name {called}", required)


def _tags(conditions: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for condition in conditions:
        key = condition.key.lower()
        if key.startswith(_TAG) and condition.operator.base == "StringEquals":
            yield key.removeprefix(_TAG), condition.values


def _trust(account: str = "copier") -> Mapping[str, Any]:
    tags = {"eks-cluster-arn": "arn:aws:eks:eu-west-1:111122223333:cluster/c", "kubernetes-namespace": "copying"}
    return allow(
        Principal={"Service": "pods.eks.amazonaws.com"},
        Action=["sts:AssumeRole", "sts:TagSession"],
        Condition={
            "StringEquals": {
                f"aws:RequestTag/{key}": value
                for key, value in {**tags, "kubernetes-service-account": account}.items()
            }
        },
    )
