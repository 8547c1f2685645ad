"""Who may do something: on neither cloud may a grant name everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from common.iam.callers import Callers, callers
from policies.checks import PASS, all_of, failed, unknown
from policies.documents import Statement, statements
from policies.inventory import Inventory, Resource
from policies.model import Judgement


def own_account(inventory: Inventory) -> str:
    """The AWS account, or the project, that the stack lives in; empty where the settings do not say."""
    account = inventory.settings.get("account")
    return account if isinstance(account, str) else ""


def who(statement: Statement) -> Callers:
    """Who may call by a statement of a resource's policy."""
    return callers(statement.meaning)


def speaks_of_everyone(statement: Statement) -> bool:
    """Whether a statement of an AWS policy holds for any principal, without a condition that narrows it."""
    return who(statement).everyone


def each_allowed(resource: Resource, path: str, judge: Callable[[Statement], Judgement]) -> Judgement:
    """Judge each statement that allows something in the AWS policy document at `path`."""
    found = statements(resource, path)
    if isinstance(found, Judgement):
        return found
    return all_of(known(s, judge(s)) for s in found if s.allows)


def known(statement: Statement, judged: Judgement) -> Judgement:
    """A judgement on a statement, which proves nothing where a part of it is known only to the provider."""
    if statement.hidden and judged.verdict is PASS.verdict:
        return unknown(statement.path, "a statement that the plan knows")
    return judged


def policy_names_principals(resource: Resource, path: str) -> Judgement:
    """Whether no statement of the AWS policy document at `path` allows everyone something."""

    def judge(statement: Statement) -> Judgement:
        path = f"{statement.path}.Principal"
        everyone = speaks_of_everyone(statement)
        return failed(path, "everyone, without a condition on who calls", "named principals") if everyone else PASS

    return each_allowed(resource, path, judge)


def policies_name_principals(resource: Resource, paths: Iterable[str]) -> Judgement:
    """The same of several documents."""
    return all_of(policy_names_principals(resource, path) for path in paths)
