"""Ways to more rights: nobody may widen what it was given, or take on what others were given."""

from __future__ import annotations

from common.iam.meaning import arn_covers, values_bound
from common.permissions.dangers import GRANT_RIGHTS, LETS_DATA_OUT
from policies.aws_holders import DOCUMENT_TYPES, holders
from policies.checks import PASS, failed, shown
from policies.examples import Hidden, allow, document, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.rights import Granted, bounded, judged, judged_grants, kept_from, made_here
from policies.tokens import IAM_ROLE, IAM_ROLE_POLICY, SNS_TOPIC

family = Family("Ways to more rights")

_ANY_ROLE = f'policy.Statement.1.Resource is "*" with sts:AssumeRole, which {GRANT_RIGHTS["sts:AssumeRole"]}'
_READS = allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*")
_BOTH = "arn:aws:iam::111122223333:role/rest*"
_PASSED_TO = "iam:passedtoservice"
_PASS = allow(
    Action=["iam:PassRole"],
    Resource="arn:aws:iam::111122223333:role/restore",
    Condition={"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
)
_HANDS_ON = frozenset({"iam:PassRole", "sts:AssumeRole"})
_BOUNDED_HERE = ("iam:", "sts:", "sso:", "organizations:", "account:")
"""Services whose actions a boundary must not leave open; what else it holds, it only bounds."""
_KEEPS = {action: what for action, what in GRANT_RIGHTS.items() if action not in _HANDS_ON}


@family.rule(
    "aws-iam-no-escalation",
    Severity.CRITICAL,
    "No policy lets its holder widen its own rights",
    types=DOCUMENT_TYPES,
    rationale="Who may rewrite any policy, key or trust holds the account, whatever else the policy leaves out.",
    remedy="Name the resources, or bind the statement to a tag, a boundary or one policy's ARN.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_286", "CKV_AWS_289"), Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"policy": document(_READS)}, "narrow"),
        broken={
            f'policy.Statement.1.Resource is "*" with {action}, which {GRANT_RIGHTS[action]}': (
                put("policy.Statement.1", allow(Action=["ec2:DescribeVpcs", pattern], Resource="*")),
                put("policy.Statement.1", allow(Action=pattern.upper(), Resource=["arn:aws:x:::y", "*"])),
            )
            for action, pattern in {
                "iam:CreatePolicyVersion": "iam:Create*Version",
                "iam:UpdateAssumeRolePolicy": "iam:UpdateAssumeRole*",
                "iam:CreateAccessKey": "iam:?reateAccessKey",
                "kms:PutKeyPolicy": "kms:Put*",
                "eks:CreateAccessEntry": "eks:CreateAccessEntry",
                "lambda:UpdateFunctionCode": "lambda:Update*Code",
                "secretsmanager:PutResourcePolicy": "secretsmanager:*ResourcePolicy",
            }.items()
        }
        | {
            _ANY_ROLE: (
                put("policy.Statement.1", allow(Action="sts:*", Resource="*")),
                put(
                    "policy.Statement.1",
                    allow(Action="sts:AssumeRole", Resource="*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
                ),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": (
                put("policy.Statement.1", allow(Action="iam:List*", Resource="*")),
                put(
                    "policy.Statement.1",
                    allow(Action="iam:CreateAccessKey", Resource="arn:aws:iam::111122223333:user/${aws:username}"),
                ),
                put(
                    "policy.Statement.1",
                    allow(
                        Action="kms:CreateGrant",
                        Resource="*",
                        Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
                    ),
                ),
            )
        },
    ),
)
def iam_no_escalation(document_: Resource, inventory: Inventory) -> Judgement:
    only_bounds = document_.urn in holders(inventory).boundaries

    def judge(given: Granted, _: str) -> Judgement:
        widest = given.allowed.widest or _any_account(given)
        if not widest or bounded(given.allowed.statement.conditions):
            return PASS
        if only_bounds and not given.action.startswith(_BOUNDED_HERE):
            return PASS
        found = f"{shown(widest)} with {given.action}, which {GRANT_RIGHTS[given.action]}"
        return failed(f"{given.path}.Resource", found, "the ARNs of what it is for, or a condition that names them")

    return judged(inventory, document_, (a for a in GRANT_RIGHTS if a != "iam:PassRole"), judge)


def _any_account(given: Granted) -> str:
    """A pattern of roles in whatever account."""
    if given.action != "sts:AssumeRole":
        return ""
    return next((r for r in given.allowed.resources if set("*?") & set(r.split(":", 5)[4])), "")


@family.rule(
    "aws-iam-own-resources-kept",
    Severity.HIGH,
    "No role of the stack decides who reaches the stack's own resources",
    types=DOCUMENT_TYPES,
    rationale="Who reaches a bucket, a key or a role is decided in a reviewed change, not by what runs.",
    remedy="Leave the action to the deploy role, or name resources that are the role's own.",
    frameworks={Framework.NIST_800_53: ("AC-3", "AC-6")},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"policy": document(_READS)}, "workload"),
        given(IAM_ROLE, {"name": "restore"}, "restore"),
        given(SNS_TOPIC, {"name": "alerts"}, "alerts"),
        broken={
            "policy.Statement.1.Resource is the plan's restore with iam:PutRolePolicy": put(
                "policy.Statement.1",
                allow(
                    Action="iam:PutRolePolicy",
                    Resource="arn:aws:iam::111122223333:role/res*",
                    Condition={"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/b"}},
                ),
            ),
            "policy.Statement.1.Resource is the plan's alerts with sns:SetTopicAttributes": put(
                "policy.Statement.1",
                allow(Action="sns:Set*", Resource="arn:aws:sns:*:111122223333:alerts"),
            ),
        },
        accepted={
            "": put(
                "policy.Statement.1",
                allow(Action="sns:SetTopicAttributes", Resource="arn:aws:sns:eu-west-1:111122223333:drill-*"),
            )
        },
    ),
)
def own_resources_kept(document_: Resource, inventory: Inventory) -> Judgement:
    def judge(given: Granted, _: str) -> Judgement:
        return PASS if given.allowed.widest else kept_from(inventory, given)

    actions = (*_KEEPS, *LETS_DATA_OUT, "iam:PutRolePolicy", "iam:AttachRolePolicy")
    return judged_grants(inventory, document_, actions, judge)


@family.rule(
    "aws-iam-pass-role-bound",
    Severity.HIGH,
    "Who passes a role names the role and the service",
    types=DOCUMENT_TYPES,
    rationale="A role that may be handed to any service gives its rights to whatever that service is told to run.",
    remedy="Name the role in Resource, and the service in a StringEquals condition on iam:PassedToService.",
    frameworks={Framework.CHECKOV: ("CKV_AWS_286",), Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"policy": document(_PASS)}, "passes"),
        given(IAM_ROLE, {"name": "restorer"}, "restorer"),
        given(IAM_ROLE, {"name": "restarter"}, "restarter"),
        broken={
            'policy.Statement.0.Resource is "*"': put("policy.Statement.0.Resource", "*"),
            'policy.Statement.0.Resource is "arn:aws:iam::*:role/*"': put(
                "policy.Statement.0.Resource", "arn:aws:iam::*:role/*"
            ),
            f'policy.Statement.0.Resource is "{_BOTH}", which covers restarter and restorer': put(
                "policy.Statement.0.Resource", _BOTH
            ),
            "policy.Statement.0.Condition is no condition on iam:PassedToService": (
                put("policy.Statement.0.Condition", {}),
                put("policy.Statement.0.Condition", {"StringLike": {"iam:PassedToService": "*"}}),
                put("policy.Statement.0.Condition", {"StringLike": {"iam:PassedToService": "*.amazonaws.com"}}),
                put("policy.Statement.0.Condition", {"StringEqualsIfExists": {"iam:PassedToService": "x"}}),
                put("policy.Statement.0.Condition", {"StringNotEquals": {"iam:PassedToService": "x"}}),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": put("policy.Statement.0.Resource", "arn:aws:iam::111122223333:role/seawall-dev-*")},
    ),
)
def pass_role_bound(document_: Resource, inventory: Inventory) -> Judgement:
    only_bounds = document_.urn in holders(inventory).boundaries

    def judge(given: Granted, _: str) -> Judgement:
        path = f"{given.path}.Resource"
        if given.allowed.widest:
            return failed(path, shown(given.allowed.widest), "the ARN of the role")
        covered = _roles_covered(inventory, given)
        if len(covered) > 1:
            several = f"{shown(given.allowed.resources[0])}, which covers {' and '.join(covered[:2])}"
            return failed(path, several, "the ARN of one role")
        services = values_bound(given.allowed.statement.conditions, _PASSED_TO)
        if only_bounds or (services and not any(set("*?") & set(name) for name in services)):
            return PASS
        return failed(f"{given.path}.Condition", "no condition on iam:PassedToService", "one service")

    return judged(inventory, document_, ("iam:PassRole",), judge)


def _roles_covered(inventory: Inventory, given: Granted) -> list[str]:
    """The plan's roles that patterns with wildcards cover."""
    patterns = [r for r in given.allowed.resources if set("*?") & set(r)]
    roles = [made for made in made_here(inventory) if made.resource.type == IAM_ROLE]
    return sorted({m.resource.name for m in roles if any(arn_covers(p, m.arn) for p in patterns)})
