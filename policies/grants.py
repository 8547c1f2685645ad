"""Who may do something: on neither cloud may a grant name everyone."""

from __future__ import annotations

from collections.abc import Callable

from policies.addresses import too_wide
from policies.checks import ABSENT, PASS, all_of, failed, holds_none, is_hidden, read
from policies.documents import Statement, statements
from policies.inventory import Resource
from policies.model import Judgement

_ANYONE = ("allUsers", "allAuthenticatedUsers")
_WHO_OR_WHENCE = frozenset(
    {
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourceaccount", "aws:sourcearn",
        "aws:sourceip", "aws:sourceorgid", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
        "kms:calleraccount",
    }
)  # fmt: skip
"""Condition keys that say who calls, or from where, after S3's own definition of a public policy.

Amazon S3 user guide, "Blocking public access to your Amazon S3 storage"; to those it names, keys of principals and
organizations are added. A condition on the transport, or on the time, leaves a grant as public as it was.
"""


def speaks_of_everyone(statement: Statement) -> bool:
    """Whether a statement of an AWS policy holds for any principal, without a condition that narrows it."""
    narrowed = any(
        key in _WHO_OR_WHENCE and not any(_anything(key, value) for value in values)
        for operator, keys in statement.conditions.items()
        if "Not" not in operator and not operator.endswith("IfExists")
        for key, values in keys.items()
    )
    return bool(statement.not_principals) or (statement.anyone and not narrowed)


def _anything(key: str, value: str) -> bool:
    return value == "*" or (key == "aws:sourceip" and too_wide(value))


def each_allowed(resource: Resource, path: str, judge: Callable[[Statement], Judgement]) -> Judgement:
    """Judge each statement that allows something in the AWS policy document at `path`."""
    found = statements(resource, path)
    return found if isinstance(found, Judgement) else all_of(judge(s) for s in found if s.allows)


def policy_names_principals(resource: Resource, path: str) -> Judgement:
    """Whether no statement of the AWS policy document at `path` allows everyone something."""

    def judge(statement: Statement) -> Judgement:
        path = f"{statement.path}.Principal"
        everyone = speaks_of_everyone(statement)
        return failed(path, "everyone, without a condition on who calls", "named principals") if everyone else PASS

    return each_allowed(resource, path, judge)


def binding_names_members(grant: Resource) -> Judgement:
    """Whether a grant of Google Cloud (of one member, or of a list) names nobody that is everyone."""
    path = "member" if read(grant, "member") is not ABSENT else "members"
    if grant.property_dependencies.get(path) and is_hidden(read(grant, path)):
        return PASS  # the id of an account or service agent of this stack
    return holds_none(grant, path, _ANYONE, "named members")
