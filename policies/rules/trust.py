"""Trust: who may take a role on is one principal, one service account or one workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from common.iam.conditions import Condition
from common.iam.meaning import binds, is_open, values_bound
from policies.checks import PASS, all_of, failed, shown
from policies.documents import Statement
from policies.examples import allow, document, drop, examples, given, put
from policies.family import Family
from policies.grants import each_allowed, speaks_of_everyone, who
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import IAM_ROLE

family = Family("Trust")

_TRUST = "assumeRolePolicy.Statement.0"
_POD_TAGS = ("eks-cluster-arn", "kubernetes-namespace", "kubernetes-service-account")
"""The session tags of EKS Pod Identity that together name one service account of one cluster.

EKS user guide, "Grant Pods access to AWS resources based on tags".
"""
_ASSUMES: Final = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
_SAML_AUDIENCE: Final = "https://signin.aws.amazon.com/saml"
_SIGN_IN: Final = re.compile(
    r"https://([a-z0-9-]+\.)?signin\.(aws\.amazon\.com|amazonaws-us-gov\.com|amazonaws\.cn)/saml"
)
_NARROWING: Final = ("aws:principalarn", "aws:userid", "aws:principaltag/", "sts:externalid")


def _pod_identity(*tags: str, value: str = "triton") -> Mapping[str, Any]:
    """A statement that trusts EKS Pod Identity where each of these tags has the value."""
    return allow(
        Principal={"Service": "pods.eks.amazonaws.com"},
        Action=["sts:AssumeRole", "sts:TagSession"],
        Condition={"StringEquals": {f"aws:RequestTag/{tag}": value for tag in tags}},
    )


def _web(sub: str = "system:serviceaccount:serving:triton", aud: str = "sts.amazonaws.com") -> Mapping[str, Any]:
    return {"StringEquals": {"issuer:sub": sub, "issuer:aud": aud}}


def _root(condition: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    bound = {"Condition": condition} if condition else {}
    return allow(Principal={"AWS": "arn:aws:iam::111122223333:root"}, Action="sts:AssumeRole", **bound)


def _saml(condition: Mapping[str, Any]) -> Mapping[str, Any]:
    provider = "arn:aws:iam::111122223333:saml-provider/idp"
    return allow(Principal={"Federated": provider}, Action="sts:AssumeRoleWithSAML", Condition=condition)


_ADMIN = "arn:aws:iam::111122223333:role/platform-admin"


@family.rule(
    "aws-iam-trust-scoped",
    Severity.HIGH,
    "Roles trust named principals, and one service account each",
    types=(IAM_ROLE,),
    rationale="A trust policy without a subject lets every pod of the cluster, or everyone, assume the role.",
    remedy="Name the principal; add StringEquals conditions on a token's subject and audience, or a pod's tags.",
    frameworks={Framework.CIS_EKS: ("5.2.1",), Framework.CHECKOV: ("CKV_AWS_60", "CKV_AWS_61")},
    examples=lambda: examples(
        given(
            IAM_ROLE,
            {
                "assumeRolePolicy": document(
                    allow(
                        Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/issuer"},
                        Action="sts:AssumeRoleWithWebIdentity",
                        Condition=_web(),
                    )
                )
            },
            "trusted",
        ),
        broken={
            f"{_TRUST}.Principal is everyone": (
                put(_TRUST, allow(Principal="*", Action="sts:AssumeRole")),
                put(_TRUST, allow(Principal={"AWS": "*"}, Action="sts:*")),
                put(_TRUST, allow(NotPrincipal={"AWS": _ADMIN}, Action="sts:AssumeRole")),
            ),
            f"{_TRUST}.Principal is every identity of the account": (
                put(_TRUST, _root()),
                put(_TRUST, _root({"ArnLike": {"aws:PrincipalArn": "*"}})),
                put(_TRUST, _root({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}})),
                put(_TRUST, _root({"ArnEqualsIfExists": {"aws:PrincipalArn": _ADMIN}})),
                put(_TRUST, _root({"ArnNotEquals": {"aws:PrincipalArn": _ADMIN}})),
                put(_TRUST, _root({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
            ),
            f"{_TRUST}.Condition is no condition on the token's subject": (
                put(f"{_TRUST}.Condition", {"StringEquals": {"issuer:aud": "sts.amazonaws.com"}}),
                put(
                    f"{_TRUST}.Condition",
                    {
                        "StringEquals": {"issuer:aud": "sts.amazonaws.com"},
                        "ForAllValues:StringEquals": {"issuer:sub": "system:serviceaccount:serving:triton"},
                    },
                ),
            ),
            f"{_TRUST}.Condition is no condition on the token's audience": drop(
                f"{_TRUST}.Condition.StringEquals.issuer:aud"
            ),
            f'{_TRUST}.Condition is ["system:serviceaccount:*:*"]': put(
                f"{_TRUST}.Condition",
                {
                    "StringLike": {"issuer:sub": "system:serviceaccount:*:*"},
                    "StringEquals": {"issuer:aud": "sts.amazonaws.com"},
                },
            ),
            f'{_TRUST}.Condition is ["system:serviceaccount:serving:?"]': put(
                f"{_TRUST}.Condition",
                {
                    "StringLike": {"issuer:sub": "system:serviceaccount:serving:?"},
                    "StringEquals": {"issuer:aud": "sts.amazonaws.com"},
                },
            ),
            f"{_TRUST}.Condition is no condition on the kubernetes-service-account": put(
                _TRUST, _pod_identity("eks-cluster-arn", "kubernetes-namespace")
            ),
            f"{_TRUST}.Condition is no condition on the eks-cluster-arn": put(
                _TRUST, _pod_identity("kubernetes-namespace", "kubernetes-service-account")
            ),
            f"{_TRUST}.Condition is no condition on the SAML audience": put(
                _TRUST, _saml({"StringEquals": {"SAML:aud": "https://elsewhere.example/saml"}})
            ),
        },
        accepted={
            "": (
                put(_TRUST, _pod_identity(*_POD_TAGS)),
                put(_TRUST, _root({"ArnEquals": {"aws:PrincipalArn": [_ADMIN]}})),
                put(_TRUST, allow(Principal={"AWS": _ADMIN}, Action="sts:AssumeRole")),
                put(_TRUST, _saml({"StringEquals": {"saml:AUD": _SAML_AUDIENCE}})),
            )
        },
    ),
)
def iam_trust_scoped(role: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        if not any(statement.acts_on(action) for action in _ASSUMES):
            return PASS
        if speaks_of_everyone(statement):
            return failed(f"{statement.path}.Principal", "everyone", "a named principal")
        kinds = {kind for kind, _ in statement.meaning.principals or ()}
        return all_of(
            (_pods(statement), _account(statement), _federated(statement) if "Federated" in kinds else PASS)
        )

    return each_allowed(role, "assumeRolePolicy", judge)


def _pods(statement: Statement) -> Judgement:
    if "pods.eks.amazonaws.com" not in statement.principals:
        return PASS
    return all_of(_bound(statement, f":requesttag/{tag}", f"the {tag}") for tag in _POD_TAGS)


def _account(statement: Statement) -> Judgement:
    whole = who(statement).whole_accounts
    narrowed = any(binds(c) and c.key.lower().startswith(_NARROWING) for c in statement.conditions)
    if not whole or narrowed:
        return PASS
    required = "named principals, by name or by a condition on aws:PrincipalArn"
    return failed(f"{statement.path}.Principal", "every identity of the account", required)


def _federated(statement: Statement) -> Judgement:
    if statement.acts_on("sts:AssumeRoleWithSAML") and any(":saml-provider/" in p for p in statement.principals):
        audience = values_bound(statement.conditions, "saml:aud")
        required = f"SAML:aud with {_SAML_AUDIENCE}"
        missing = failed(f"{statement.path}.Condition", "no condition on the SAML audience", required)
        return PASS if audience and all(_SIGN_IN.fullmatch(a) for a in audience) else missing
    return all_of(
        (_bound(statement, ":sub", "the token's subject"), _bound(statement, ":aud", "the token's audience"))
    )


def _bound(statement: Statement, suffix: str, what: str) -> Judgement:
    """Whether conditions on a key that ends with `suffix` leave fixed values."""
    told = [c for c in statement.conditions if c.key.lower().endswith(suffix) and _asks(c)]
    required = "one service account or workflow, without a wildcard"
    path = f"{statement.path}.Condition"
    if not told:
        return failed(path, f"no condition on {what}", required)
    exact = [c for c in told if not any(set("*?") & set(v) or is_open(v) or not v for v in c.values)]
    return PASS if exact else failed(path, shown(list(told[0].values)), required)


def _asks(condition: Condition) -> bool:
    operator = condition.operator
    if operator.if_exists or operator.quantifier == "ForAllValues":
        return False
    return operator.base in ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike")
