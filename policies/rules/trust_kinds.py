"""What kinds of callers a role trusts: one service, named people, and no workflow that a stranger starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from common.iam.meaning import values_bound
from components.contracts.naming import PRODUCT
from policies.aws_holders import holders
from policies.checks import PASS, all_of, failed, not_applicable, shown
from policies.declared_access import principals
from policies.documents import Statement, statements
from policies.examples import allow, both, document, examples, given, put, setting
from policies.family import Family
from policies.grants import each_allowed
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import IAM_ROLE

family = Family("Kinds of trust")

_TRUST: Final = "assumeRolePolicy.Statement.0"
_ASSUMES: Final = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
_PULL: Final = re.compile(r"(^|:)(pull_request|ref:refs/pull/.*|event_name:pull_request(_target)?)(:|$)")
"""Subjects of a run for a pull request (docs.github.com, "OpenID Connect reference", example subject claims,
believed, 2026-11-22)."""
_LOOKING: Final = re.compile(r"(BatchGet|Check|Decrypt|Describe|Get|Head|List|Lookup|Search|Simulate|View)[\w*]*")
_LOOKS: Final = allow(Action=["s3:GetObject", "s3:List*"], Resource="arn:aws:s3:::state/*")
_NO_STACK: Final = "roles of an owner, who takes them on as their settings say"
_PLATFORM: Final = "arn:aws:iam::111122223333:role/platform/admin"
_STRANGER: Final = "arn:aws:iam::111122223333:role/intern"
_ROOT: Final = re.compile(r"(arn:aws[\w-]*:iam::)?\d{12}(:root)?")
_BOOTSTRAP: Final = f"role/{PRODUCT}-bootstrap-"


def _hub(subject: object) -> dict[str, object]:
    return allow(
        Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        Action="sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {"hub:sub": subject, "hub:aud": "sts.amazonaws.com"}},
    )


def _root(*arns: str) -> dict[str, object]:
    return allow(
        Principal={"AWS": "arn:aws:iam::111122223333:root"},
        Action="sts:AssumeRole",
        Condition={"ArnEquals": {"aws:PrincipalArn": arns[0] if len(arns) == 1 else list(arns)}},
    )


@family.rule(
    "aws-iam-trust-no-pull-request",
    Severity.CRITICAL,
    "No role that changes anything trusts the workflow of a pull request",
    types=(IAM_ROLE,),
    rationale="Whoever may open a pull request writes what its workflow does, before anybody has looked at it.",
    remedy="Trust the subject of an environment that asks for a review, or of the main branch; or let it only read.",
    frameworks={Framework.NIST_800_53: ("AC-3", "CM-3")},
    examples=lambda: examples(
        given(IAM_ROLE, {"assumeRolePolicy": document(_hub("repo:acme/seawall:environment:prod"))}, "deploys"),
        broken={
            f'{_TRUST}.Condition is "repo:acme/seawall:pull_request"': (
                put(_TRUST, _hub("repo:acme/seawall:pull_request")),
                put(_TRUST, _hub(["repo:acme/seawall:environment:prod", "repo:acme/seawall:pull_request"])),
            ),
            f'{_TRUST}.Condition is "repo:acme/seawall:ref:refs/pull/1/merge"': put(
                _TRUST, _hub("repo:acme/seawall:ref:refs/pull/1/merge")
            ),
        },
        accepted={
            "": (
                put(_TRUST, _hub("repo:acme/pull_request_tools:ref:refs/heads/main")),
                both(
                    put(_TRUST, _hub("repo:acme/seawall:pull_request")),
                    put("inlinePolicies", [{"name": "plan", "policy": document(_LOOKS)}]),
                ),
            )
        },
    ),
)
def trust_no_pull_request(role: Resource, inventory: Inventory) -> Judgement:
    if _only_looks(role, inventory):
        return PASS

    def judge(statement: Statement) -> Judgement:
        told = [v for c in statement.conditions if c.key.lower().endswith(":sub") for v in c.values]
        pulls = [value for value in told if _PULL.search(value.partition("/")[2])]
        required = "the subject of an environment, or of the main branch"
        return all_of(failed(f"{statement.path}.Condition", shown(value), required) for value in pulls)

    return each_allowed(role, "assumeRolePolicy", judge)


def _only_looks(role: Resource, inventory: Inventory) -> bool:
    """Whether all that the plan lets a role do is to look."""
    policies = holders(inventory).by_urn[role.urn].policies
    allowed = [s for policy in policies for s in policy.statements if s.effect == "Allow"]
    return bool(allowed) and all(
        statement.not_actions is None
        and all(_LOOKING.fullmatch(action.partition(":")[2]) for action in statement.actions or ())
        for statement in allowed
    )


@family.rule(
    "aws-iam-trust-one-service",
    Severity.HIGH,
    "A role is one service's, or people's, and not both",
    types=(IAM_ROLE,),
    rationale="A role that several services take on gives each of them the rights of all, and whoever may start a "
    "machine or a function gets what a backup may do.",
    remedy="Make a role for each service.",
    frameworks={Framework.NIST_800_53: ("AC-5", "AC-6")},
    examples=lambda: examples(
        given(
            IAM_ROLE,
            {
                "assumeRolePolicy": document(
                    allow(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
                )
            },
            "single",
        ),
        broken={
            "assumeRolePolicy is ec2.amazonaws.com and lambda.amazonaws.com": (
                put(f"{_TRUST}.Principal", {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}),
                put(
                    "assumeRolePolicy.Statement.1",
                    allow(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole"),
                ),
            ),
            f"assumeRolePolicy is {_PLATFORM} and ec2.amazonaws.com": put(
                "assumeRolePolicy.Statement.1", allow(Principal={"AWS": _PLATFORM}, Action="sts:AssumeRole")
            ),
        },
        accepted={
            "": put(
                "assumeRolePolicy.Statement.1",
                allow(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:TagSession"),
            )
        },
    ),
)
def trust_one_service(role: Resource, _: Inventory) -> Judgement:
    found = statements(role, "assumeRolePolicy")
    if isinstance(found, Judgement):
        return found
    assuming = [s for s in found if s.allows and any(s.acts_on(action) for action in _ASSUMES)]
    named = [(kind, name) for s in assuming for kind, name in s.meaning.principals or ()]
    services = sorted({name for kind, name in named if kind == "Service"})
    others = sorted({name for kind, name in named if kind != "Service"})
    if len(services) > 1 or (services and others):
        return failed("assumeRolePolicy", " and ".join((*others, *services)), "one service")
    return PASS


@family.rule(
    "aws-iam-trust-declared-people",
    Severity.HIGH,
    "Who takes a stack's role on is named in the settings",
    types=(IAM_ROLE,),
    rationale="The settings say who administers and deploys; a name in a trust alone is seen by no review of them.",
    remedy="Name the principal in the settings' cluster.access, and make the trust of that.",
    frameworks={Framework.NIST_800_53: ("AC-2", "AC-3")},
    examples=lambda: examples(
        given(IAM_ROLE, {"assumeRolePolicy": document(_root(_PLATFORM))}, "of-people"),
        broken={
            f'{_TRUST} is "{_STRANGER}"': (
                put(_TRUST, _root(_PLATFORM, _STRANGER)),
                put(_TRUST, allow(Principal={"AWS": _STRANGER}, Action="sts:AssumeRole")),
            ),
        },
        accepted={
            "": (
                put(_TRUST, _root("arn:aws:iam::111122223333:role/seawall-bootstrap-drill-prod")),
                put(_TRUST, allow(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")),
            ),
            _NO_STACK: setting("environment", None),
        },
    ),
)
def trust_declared_people(role: Resource, inventory: Inventory) -> Judgement:
    if not inventory.settings.get("environment"):
        return not_applicable(_NO_STACK)
    known = {*principals(inventory)}

    def judge(statement: Statement) -> Judgement:
        if not any(statement.acts_on(action) for action in _ASSUMES):
            return PASS
        required = "a principal of the settings' cluster.access"
        strangers = [arn for arn in _people(statement) if arn not in known and _BOOTSTRAP not in arn]
        return all_of(failed(statement.path, shown(arn), required) for arn in strangers)

    return each_allowed(role, "assumeRolePolicy", judge)


def _people(statement: Statement) -> Iterator[str]:
    """The principals of IAM that a statement names; a whole account is narrowed by its condition."""
    for kind, name in statement.meaning.principals or ():
        if kind == "AWS" and not _ROOT.fullmatch(name) and name != "*":
            yield name
    yield from values_bound(statement.conditions, "aws:principalarn")
