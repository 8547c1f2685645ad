"""Trust across accounts: no other account takes a role on, nor a service for another account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from common.iam.callers import account_of
from policies.checks import PASS, all_of, failed
from policies.documents import Statement
from policies.examples import allow, document, drop, examples, given, put
from policies.family import Family
from policies.grants import each_allowed, own_account, who
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import IAM_ROLE

family = Family("Trust across accounts")

_TRUST = "assumeRolePolicy.Statement.0"
_ADMIN = "arn:aws:iam::111122223333:role/platform-admin"
_DEPUTIES: Final = frozenset(
    {
        "apigateway", "appflow", "bedrock", "cloudformation", "cloudtrail", "config", "delivery.logs", "events",
        "firehose", "logs", "pipes", "sagemaker", "scheduler", "sns", "ssm", "states", "transfer", "vpc-flow-logs",
    }
)  # fmt: skip
"""Services that send the account or the resource in whose name they act when they take a role on (their own guides,
"Cross-service confused deputy prevention", believed, 2026-11-22). Others, as EC2 and EKS, send none."""


@family.rule(
    "aws-iam-trust-own-account",
    Severity.HIGH,
    "Roles trust no other account",
    types=(IAM_ROLE,),
    rationale="Who controls the other account decides who takes the role on, and no review here sees it.",
    remedy="Trust a role of this account, or name the other account's principal in the settings' access.",
    frameworks={Framework.NIST_800_53: ("AC-3", "AC-20")},
    examples=lambda: examples(
        given(
            IAM_ROLE,
            {"assumeRolePolicy": document(allow(Principal={"AWS": _ADMIN}, Action="sts:AssumeRole"))},
            "own",
        ),
        broken={
            f"{_TRUST}.Principal is the account 999988887777": (
                put(f"{_TRUST}.Principal", {"AWS": "arn:aws:iam::999988887777:role/vendor"}),
                put(f"{_TRUST}.Principal", {"AWS": [_ADMIN, "arn:aws:iam::999988887777:user/x"]}),
            ),
        },
    ),
)
def trust_own_account(role: Resource, inventory: Inventory) -> Judgement:
    own, named = own_account(inventory), _in_settings(inventory)

    def judge(statement: Statement) -> Judgement:
        listed = [p for p in statement.principals if p not in named]
        foreign = {account for p in listed if (account := account_of(p)) and account != own}
        if who(statement).everyone:
            foreign = set()
        foreign |= {a for a in who(statement).accounts if a != own and a not in {account_of(n) for n in named}}
        required = f"principals of {own or 'the own account'}"
        return all_of(failed(f"{statement.path}.Principal", f"the account {a}", required) for a in sorted(foreign))

    return each_allowed(role, "assumeRolePolicy", judge) if own else PASS


def _in_settings(inventory: Inventory) -> set[str]:
    """The principals that the settings let into the cluster."""
    cluster = inventory.settings.get("cluster")
    access = cluster.get("access") if isinstance(cluster, Mapping) else None
    groups = access.values() if isinstance(access, Mapping) else ()
    return {str(name) for group in groups if isinstance(group, Mapping) for name in group.values()}


@family.rule(
    "aws-iam-trust-no-deputy",
    Severity.MEDIUM,
    "Roles trust services that act for the own account",
    types=(IAM_ROLE,),
    rationale="A service that takes a role on for whoever asks can be made to do so from another account.",
    remedy="Add a StringEquals condition on aws:SourceAccount, or an ArnLike one on aws:SourceArn.",
    frameworks={Framework.NIST_800_53: ("AC-3",)},
    examples=lambda: examples(
        given(
            IAM_ROLE,
            {
                "assumeRolePolicy": document(
                    allow(
                        Principal={"Service": "events.amazonaws.com"},
                        Action="sts:AssumeRole",
                        Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}},
                    )
                )
            },
            "events",
        ),
        broken={
            f"{_TRUST}.Principal is events.amazonaws.com, for whichever account": (
                drop(f"{_TRUST}.Condition"),
                put(f"{_TRUST}.Condition", {"StringLike": {"aws:SourceAccount": "*"}}),
                put(f"{_TRUST}.Condition", {"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}),
                put(f"{_TRUST}.Condition", {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}),
            )
        },
        accepted={
            "": (
                put(f"{_TRUST}.Condition", {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:111122223333:rule/*"}}),
                put(_TRUST, allow(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")),
            )
        },
    ),
)
def trust_no_deputy(role: Resource, _: Inventory) -> Judgement:
    def judge(statement: Statement) -> Judgement:
        deputies = [d for d in who(statement).deputies if d.split(".amazonaws")[0] in _DEPUTIES]
        required = "aws:SourceAccount or aws:SourceArn of the own account"
        return all_of(
            failed(f"{statement.path}.Principal", f"{d}, for whichever account", required) for d in deputies
        )

    return each_allowed(role, "assumeRolePolicy", judge)
