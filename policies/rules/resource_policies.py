"""Policies of resources: of everything on AWS that has one, judged by whom it lets in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from common.iam.callers import account_of
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.documents import Statement
from policies.examples import Hidden, allow, document, drop, examples, given, put
from policies.family import Family
from policies.grants import each_allowed, own_account, who
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.resource_documents import LOGS_POLICY, POLICIES
from policies.tokens import KMS_KEY, S3_POLICY, SNS_TOPIC_POLICY, VPC_ENDPOINT

family = Family("Policies of resources")

_ALL: Final[Mapping[str, str]] = {**POLICIES, KMS_KEY: "policy", S3_POLICY: "policy"}
_GRANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:kms/grant:Grant": ("granteePrincipal", "retiringPrincipal"),
    "aws:lambda/permission:Permission": ("principal", "sourceAccount"),
    "aws:lambda/layerVersionPermission:LayerVersionPermission": ("principal",),
    "aws:cloudwatch/eventPermission:EventPermission": ("principal",),
    "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission": ("accountId",),
    "aws:ec2/amiLaunchPermission:AmiLaunchPermission": ("accountId", "group"),
    "aws:ram/principalAssociation:PrincipalAssociation": ("principal",),
}
"""Type → the inputs that name who gets something, without a document."""
_ROOT = "arn:aws:iam::111122223333:root"
_OTHER = "arn:aws:iam::999988887777:root"


def _publish(condition: Mapping[str, object] | None = None, **principal: object) -> Mapping[str, object]:
    bound = {"Condition": condition} if condition else {}
    topic = "arn:aws:sns:eu-west-1:111122223333:alerts"
    return allow(Principal=principal or "*", Action="sns:Publish", Resource=topic, **bound)


def _each(resource: Resource, judge: Callable[[Statement], Judgement]) -> Judgement:
    path = _ALL[resource.type]
    return PASS if read(resource, path) is ABSENT else each_allowed(resource, path, judge)


@family.rule(
    "aws-resource-policy-no-public",
    Severity.CRITICAL,
    "No policy of a resource lets everyone in",
    types=tuple(POLICIES),
    rationale="A topic, queue, image, secret or vault that everyone may use is on the internet.",
    remedy="Name the principals, or add a StringEquals condition on aws:PrincipalAccount or aws:PrincipalOrgID.",
    frameworks={Framework.NIST_800_53: ("AC-3",)},
    examples=lambda: examples(
        given(SNS_TOPIC_POLICY, {"policy": document(_publish(AWS=_ROOT))}, "own"),
        broken={
            "policy.Statement.0.Principal is everyone, without a condition on who calls": (
                put("policy.Statement.0", _publish()),
                put("policy.Statement.0", _publish(AWS=["*"])),
                put("policy.Statement.0", _publish({"Bool": {"aws:SecureTransport": "true"}})),
                put("policy.Statement.0", _publish({"StringLike": {"aws:PrincipalArn": "*"}})),
            )
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": put("policy.Statement.0", _publish({"StringEquals": {"aws:PrincipalAccount": "111122223333"}}))
        },
    ),
)
def no_public(resource: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        required = "named principals"
        found = "everyone, without a condition on who calls"
        return failed(f"{statement.path}.Principal", found, required) if who(statement).everyone else PASS

    return _each(resource, judge)


@family.rule(
    "aws-resource-policy-own-account",
    Severity.HIGH,
    "No policy of a resource lets another account in",
    types=(*_ALL, *_GRANTS),
    rationale="Who is let in from another account is decided there: data goes where no review here sees it.",
    remedy="Name principals of this account, or copy what the other account needs to a resource made for it.",
    frameworks={Framework.NIST_800_53: ("AC-3", "AC-20")},
    examples=lambda: examples(
        given(SNS_TOPIC_POLICY, {"policy": document(_publish(AWS=_ROOT))}, "kept"),
        broken={
            "policy.Statement.0.Principal is the account 999988887777": (
                put("policy.Statement.0", _publish(AWS=_OTHER)),
                put("policy.Statement.0", _publish(AWS=[_ROOT, "999988887777"])),
                put("policy.Statement.0", _publish({"StringEquals": {"aws:PrincipalAccount": "999988887777"}})),
                put(
                    "policy.Statement.0",
                    _publish({"StringEquals": {"aws:SourceAccount": "999988887777"}}, Service="sns.amazonaws.com"),
                ),
            )
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": drop("policy.Statement.0.Resource")},
    ),
)
def own_account_only(resource: Resource, inventory: Inventory) -> Judgement:
    own = own_account(inventory)
    if not own:
        return PASS
    if resource.type in _GRANTS:
        return all_of(_named(resource, path, own) for path in _GRANTS[resource.type])

    def judge(statement: Statement) -> Judgement:
        foreign = sorted(a for a in who(statement).accounts if a != own)
        return all_of(
            failed(f"{statement.path}.Principal", f"the account {a}", f"principals of {own}") for a in foreign
        )

    return _each(resource, judge)


def _named(resource: Resource, path: str, own: str) -> Judgement:
    value = read(resource, path)
    if value is ABSENT:
        return PASS
    if is_hidden(value):
        return PASS if resource.property_dependencies.get(path) else unknown(path, f"a principal of {own}")
    account = account_of(str(value))
    is_open = value in ("*", "all") or (bool(account) and account != own)
    return failed(path, shown(value), f"a principal of {own}") if is_open else PASS


@family.rule(
    "aws-resource-policy-no-deputy",
    Severity.MEDIUM,
    "A service that a policy lets in acts for the own account",
    types=tuple(token for token in _ALL if token != LOGS_POLICY),
    rationale="A service that is let in for whoever asks can be sent here from another account.",
    remedy="Add a condition on aws:SourceAccount or aws:SourceArn to the statement.",
    frameworks={Framework.NIST_800_53: ("AC-3",)},
    examples=lambda: examples(
        given(
            SNS_TOPIC_POLICY,
            {
                "policy": document(
                    _publish({"StringEquals": {"aws:SourceAccount": "111122223333"}}, Service="events.amazonaws.com")
                )
            },
            "served",
        ),
        broken={
            "policy.Statement.0.Principal is events.amazonaws.com, for whichever account": (
                drop("policy.Statement.0.Condition"),
                put("policy.Statement.0.Condition", {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}),
                put("policy.Statement.0.Condition", {"StringNotEquals": {"aws:SourceAccount": "1"}}),
            )
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
    ),
)
def no_deputy(resource: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        required = "aws:SourceAccount or aws:SourceArn of the own account"
        path = f"{statement.path}.Principal"
        return all_of(failed(path, f"{d}, for whichever account", required) for d in who(statement).deputies)

    return _each(resource, judge)


@family.rule(
    "aws-endpoint-policy-narrow",
    Severity.MEDIUM,
    "An endpoint lets own principals through, or to named resources",
    types=(VPC_ENDPOINT,),
    rationale="An endpoint without a policy carries data to any account's bucket, past every firewall.",
    remedy="Give the endpoint a policy with a condition on aws:PrincipalAccount, or with named resources.",
    frameworks={Framework.NIST_800_53: ("SC-7",)},
    examples=lambda: examples(
        given(
            VPC_ENDPOINT,
            {
                "policy": document(
                    allow(Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::layers-of-images/*")
                )
            },
            "s3",
        ),
        broken={
            "policy is absent, which lets everything through": drop("policy"),
            'policy.Statement.0.Resource is "*", for everyone': (
                put("policy.Statement.0.Resource", "*"),
                put(
                    "policy.Statement.0",
                    allow(
                        Principal="*",
                        Action="s3:*",
                        Resource="*",
                        Condition={"StringNotEquals": {"aws:PrincipalAccount": "1"}},
                    ),
                ),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
    ),
)
def endpoint_policy_narrow(endpoint: Resource, _: Inventory) -> Judgement:
    required = "own principals or named resources"
    if read(endpoint, "policy") is ABSENT:
        return failed("policy", "absent, which lets everything through", required)

    def judge(statement: Statement) -> Judgement:
        if not (who(statement).everyone and statement.everything):
            return PASS
        return failed(f"{statement.path}.Resource", f"{shown(statement.everything)}, for everyone", required)

    return each_allowed(endpoint, "policy", judge)
