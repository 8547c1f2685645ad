"""Identities: grants name the data, rights and subjects that they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.checks import (
    PASS,
    all_of,
    failed,
    shown,
)
from policies.documents import Statement
from policies.examples import allow, document, drop, examples, given, put
from policies.family import Family
from policies.grants import each_allowed, speaks_of_everyone
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity

family = Family("Identities and rights")

_POLICIES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy")
_ROLE = "aws:iam/role:Role"
_DATA_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ScheduleKeyDeletion",
    "secretsmanager:GetSecretValue",
)
_TRUST = "assumeRolePolicy.Statement.0"
_POD_TAGS = ("eks-cluster-arn", "kubernetes-namespace", "kubernetes-service-account")
"""The session tags of EKS Pod Identity that together name one service account of one cluster.

EKS user guide, "Grant Pods access to AWS resources based on tags".
"""


def _pod_identity(*tags: str, value: str = "triton") -> Mapping[str, Any]:
    """A statement that trusts EKS Pod Identity where each of these tags has the value."""
    return allow(
        Principal={"Service": "pods.eks.amazonaws.com"},
        Action=["sts:AssumeRole", "sts:TagSession"],
        Condition={"StringLike": {f"aws:RequestTag/{tag}": value for tag in tags}},
    )


@family.rule(
    "aws-iam-no-wildcard-data",
    Severity.HIGH,
    "IAM policies name the data and keys that they open",
    types=_POLICIES,
    rationale="A grant on every bucket, table or key reaches the data of all other workloads in the account.",
    remedy="List the ARNs, or bind the statement with a condition.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_355",)},
    examples=lambda: examples(
        given(_POLICIES[1], {"policy": document(allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*"))}),
        broken={
            'policy.Statement.0.Resource is "*" with s3:GetObject': (
                put("policy.Statement.0.Resource", "*"),
                put("policy.Statement.0", allow(Action="s3:Get*", Resource="*")),
            ),
            'policy.Statement.1.Resource is "*" with kms:Decrypt': put(
                "policy.Statement.1", allow(Action=["kms:Decrypt"], Resource=["*"])
            ),
            **{
                f'policy.Statement.0.Resource is "{everything}" with s3:GetObject': put(
                    "policy.Statement.0.Resource", everything
                )
                for everything in ("arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws:dynamodb:*:*:table/*")
            },
            'policy.Statement.0.Resource is "all but some" with s3:GetObject': put(
                "policy.Statement.0", allow(Action="s3:GetObject", NotResource="arn:aws:s3:::other/*")
            ),
        },
        accepted={
            "": (
                put("policy.Statement.0", allow(Action="s3:ListAllMyBuckets", Resource="*")),
                put("policy.Statement.0", allow(Action="s3:*", Resource="*", Condition={"Bool": {"a": "b"}})),
                put("policy.Statement.0.Resource", "arn:aws:s3:::models-*/*"),
            )
        },
    ),
)
def iam_no_wildcard_data(policy: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        touched = [action for action in _DATA_ACTIONS if statement.acts_on(action)]
        if touched and statement.everything and not statement.conditions:
            found = f"{shown(statement.everything)} with {touched[0]}"
            return failed(f"{statement.path}.Resource", found, "the ARNs of the data, or a condition")
        return PASS

    return each_allowed(policy, "policy", judge)


@family.rule(
    "aws-iam-trust-scoped",
    Severity.HIGH,
    "Roles trust named principals, and one service account each",
    types=(_ROLE,),
    rationale="A trust policy without a subject lets every pod of the cluster, or everyone, assume the role.",
    remedy="Name the principal; add a StringEquals condition on a web identity's subject, or a pod identity's tags.",
    frameworks={Framework.CIS_EKS: ("5.2.1",), Framework.CHECKOV: ("CKV_AWS_60", "CKV_AWS_61")},
    examples=lambda: examples(
        given(
            _ROLE,
            {
                "assumeRolePolicy": document(
                    allow(
                        Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/issuer"},
                        Action="sts:AssumeRoleWithWebIdentity",
                        Condition={"StringEquals": {"issuer:sub": "system:serviceaccount:serving:triton"}},
                    )
                )
            },
        ),
        broken={
            f"{_TRUST}.Principal is everyone": put(_TRUST, allow(Principal="*", Action="sts:AssumeRole")),
            f"{_TRUST}.Condition is no condition on the token's subject": (
                drop(f"{_TRUST}.Condition"),
                put(f"{_TRUST}.Condition", {"StringEquals": {"issuer:aud": "sts.amazonaws.com"}}),
            ),
            f'{_TRUST}.Condition is ["system:serviceaccount:*:*"]': put(
                f"{_TRUST}.Condition", {"StringLike": {"issuer:sub": "system:serviceaccount:*:*"}}
            ),
            f'{_TRUST}.Condition is ["system:serviceaccount:serving:?"]': put(
                f"{_TRUST}.Condition", {"StringLike": {"issuer:sub": "system:serviceaccount:serving:?"}}
            ),
            f"{_TRUST}.Condition is no condition on the kubernetes-service-account": put(
                _TRUST, _pod_identity("eks-cluster-arn", "kubernetes-namespace")
            ),
            f"{_TRUST}.Condition is no condition on the eks-cluster-arn": put(
                _TRUST, _pod_identity("kubernetes-namespace", "kubernetes-service-account")
            ),
            f'{_TRUST}.Condition is ["*"]': put(_TRUST, _pod_identity(*_POD_TAGS, value="*")),
        },
        accepted={"": put(_TRUST, _pod_identity(*_POD_TAGS))},
    ),
)
def iam_trust_scoped(role: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        if speaks_of_everyone(statement):
            return failed(f"{statement.path}.Principal", "everyone", "a named principal")
        if "pods.eks.amazonaws.com" in statement.principals:
            return all_of(_bound(statement, f":requesttag/{tag}", f"the {tag}") for tag in _POD_TAGS)
        if statement.acts_on("sts:AssumeRoleWithWebIdentity"):
            return _bound(statement, ":sub", "the token's subject")
        return PASS

    return each_allowed(role, "assumeRolePolicy", judge)


def _bound(statement: Statement, suffix: str, what: str) -> Judgement:
    """Whether a condition on a key that ends with `suffix` leaves one service account."""
    bound = [
        value
        for operator in ("StringEquals", "ForAnyValue:StringEquals", "StringLike")
        for key, values in statement.conditions.get(operator, {}).items()
        if key.endswith(suffix)
        for value in values
    ]
    required = "one service account, without a wildcard"
    path = f"{statement.path}.Condition"
    if not bound:
        return failed(path, f"no condition on {what}", required)
    loose = [value for value in bound if "*" in value or "?" in value]
    return failed(path, shown(loose), required) if loose else PASS
