"""Identities: grants name the data that they speak of."""

from __future__ import annotations

from common.iam.meaning import narrows_resource
from common.permissions.dangers import DATA
from policies.aws_holders import DOCUMENT_TYPES
from policies.checks import PASS, failed, shown
from policies.examples import allow, document, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.rights import Granted, judged_grants
from policies.tokens import IAM_ROLE_POLICY

family = Family("Identities and rights")

_NARROWS_NOTHING: tuple[dict[str, dict[str, str]], ...] = (
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringLike": {"aws:PrincipalArn": "*"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringEqualsIfExists": {"aws:ResourceTag/team": "serving"}},
    {"ForAllValues:StringEquals": {"s3:ExistingObjectTag/team": "serving"}},
    {"StringNotEquals": {"aws:ResourceTag/team": "other"}},
    {"StringLike": {"aws:ResourceTag/team": "*"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:RequestTag/team}"}},
    {"Null": {"aws:ResourceTag/team": "false"}},
)


@family.rule(
    "aws-iam-no-wildcard-data",
    Severity.HIGH,
    "IAM policies name the data and keys that they open",
    types=DOCUMENT_TYPES,
    rationale="A grant on every bucket, table or key reaches the data of all other workloads in the account.",
    remedy="List the ARNs, or bind the statement to a tag of the data.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_355",)},
    examples=lambda: examples(
        given(
            IAM_ROLE_POLICY, {"policy": document(allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*"))}
        ),
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
            'policy.Statement.1.Resource is "*" with s3:GetObject': tuple(
                put("policy.Statement.1", allow(Action="s3:GetObject", Resource="*", Condition=condition))
                for condition in _NARROWS_NOTHING
            ),
            'policy.Statement.0.Resource is "all but some" with s3:GetObject': put(
                "policy.Statement.0", allow(Action="s3:GetObject", NotResource="arn:aws:s3:::other/*")
            ),
        },
        accepted={
            "": (
                put("policy.Statement.0", allow(Action="s3:ListAllMyBuckets", Resource="*")),
                put(
                    "policy.Statement.0",
                    allow(
                        Action="s3:Get*",
                        Resource="*",
                        Condition={"StringEquals": {"s3:ExistingObjectTag/team": "serving"}},
                    ),
                ),
                put("policy.Statement.0.Resource", "arn:aws:s3:::models-*/*"),
            )
        },
    ),
)
def iam_no_wildcard_data(policy: Resource, inventory: Inventory) -> Judgement:
    seen = set[str]()

    def judge(given: Granted, _: str) -> Judgement:
        widest = given.allowed.widest
        if not widest or given.path in seen or narrows_resource(given.allowed.statement.conditions):
            return PASS
        seen.add(given.path)
        found = f"{shown(widest)} with {given.action}"
        return failed(f"{given.path}.Resource", found, "the ARNs of the data, or a condition that names it")

    return judged_grants(inventory, policy, DATA, judge)
