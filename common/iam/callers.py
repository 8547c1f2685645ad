"""Whom a statement of a resource's policy lets in, once its conditions are read for what they really ask.

Source: Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", section "The meaning of 'public'";
IAM user guide, "The confused deputy problem" (both read 2026-11-22). A condition on the transport, the time or the
browser leaves a grant as public as it was.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from common.iam.conditions import Condition
from common.iam.documents import Statement
from common.iam.meaning import is_wide

_ACCOUNT_KEYS: Final = frozenset(
    {"aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "kms:calleraccount"}
)
_ARN_KEYS: Final = frozenset({"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn", "aws:userid"})
_GROUP_KEYS: Final = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "s3:dataaccesspointaccount",
        "lambda:functionurlauthtype",
    }
)
"""Keys that name an organization, a network or the like: a fixed value of one is somebody, and no account."""
_CONTEXT: Final = "kms:encryptioncontext:"
_MOST_ADDRESSES: Final = {4: 2**24, 6: 2**96}
"""IP version → as many addresses as the widest network that somebody has: a /8, or a /32 of IPv6."""
_DIGITS: Final = re.compile(r"^\d{12}$")


@dataclass(frozen=True)
class Callers:
    """Who may call by one statement."""

    everyone: bool = False
    accounts: frozenset[str] = frozenset()
    """Accounts of the principals that are named; the caller knows which is its own."""
    whole_accounts: frozenset[str] = frozenset()
    """Accounts that are let in as a whole, with no principal of theirs named."""
    deputies: tuple[str, ...] = ()
    """Services that may act for anybody's account."""
    named: tuple[str, ...] = ()
    """Principals that are named as they are, but are no account's."""


def callers(statement: Statement) -> Callers:
    """Who may call by a statement that allows."""
    if statement.not_principals is not None:
        return Callers(everyone=True)
    bounds = [found for c in statement.conditions if (found := _bound(c)) is not None]
    bound_accounts = _together([found for found in bounds if found])
    everyone, named = False, set[str]()
    whole, deputies, others = set[str](), list[str](), list[str]()
    for kind, name in statement.principals or ():
        if name == "*" or kind == "*":
            everyone = True
        elif kind == "Service":
            if not bounds:
                deputies.append(name)
        elif kind == "AWS":
            account = account_of(name)
            if account:
                named.add(account)
                if name.endswith(":root") or _DIGITS.match(name):
                    whole.add(account)
            elif "*" in name or "?" in name:
                everyone = True
            else:
                others.append(name)
        else:
            others.append(name)
    open_to_all = everyone and not bounds
    if bound_accounts:
        named = set(bound_accounts)
    return Callers(open_to_all, frozenset(named), frozenset(whole), tuple(deputies), tuple(others))


def _together(bounds: list[frozenset[str]]) -> frozenset[str]:
    """The accounts that meet all bounds; where they contradict one another, those of any, to be on the safe side."""
    if not bounds:
        return frozenset()
    return frozenset.intersection(*bounds) or frozenset.union(*bounds)


def account_of(principal: str) -> str:
    """The account of a principal, an ARN or an account's number; empty where it names none."""
    if _DIGITS.match(principal):
        return principal
    parts = principal.split(":", 5)
    return parts[4] if len(parts) == 6 and _DIGITS.match(parts[4]) else ""


def _bound(condition: Condition) -> frozenset[str] | None:
    """The accounts that a condition leaves, empty where it leaves somebody who is no account; None: anybody."""
    key = condition.key.lower()
    operator = condition.operator
    if key == "aws:sourceip":
        whole = operator.if_exists or operator.quantifier == "ForAllValues" or operator.base != "IpAddress"
        return None if whole or too_many_addresses(condition.values) else frozenset()
    if operator.base not in ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"):
        return None
    values = condition.values
    if operator.if_exists or operator.quantifier == "ForAllValues" or not values:
        return None
    if key in _ACCOUNT_KEYS:
        return frozenset(values) if all(_DIGITS.match(v) for v in values) else None
    if key in _ARN_KEYS or key.startswith(_CONTEXT):
        return _accounts_in(values, fixed=not key.startswith(_CONTEXT))
    return frozenset() if key in _GROUP_KEYS and not any(set("*?$") & set(v) for v in values) else None


def _accounts_in(values: Iterable[str], *, fixed: bool) -> frozenset[str] | None:
    """The accounts that ARNs name; None where one names none. S3's ARNs have no account, their names are unique."""
    found = set[str]()
    for value in values:
        account = account_of(value)
        if account:
            found.add(account)
        elif fixed and _names_itself(value):
            continue
        else:
            digits = re.findall(r"(?<!\d)\d{12}(?!\d)", value)
            if not digits:
                return None
            found.update(digits)
    return frozenset(found)


def _names_itself(value: str) -> bool:
    """Whether a value is one bucket, or one user's id: neither names its account."""
    if value.startswith("arn:aws:s3:::"):
        return not is_wide(value)
    return ":" not in value and not set("*?$") & set(value)


def too_many_addresses(networks: Iterable[str]) -> bool:
    """Whether networks together are no range that somebody has; what is no network counts as all."""
    held = {4: 0, 6: 0}
    for text in networks:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return True
        held[network.version] += network.num_addresses
    return any(count > _MOST_ADDRESSES[version] for version, count in held.items())
