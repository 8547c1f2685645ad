"""Whether a resource's policy lets the public in, as S3 defines it.

Amazon S3 user guide, "Blocking public access to your Amazon S3 storage", section "The meaning of 'public'" (read
2026-11-21): S3 begins by assuming that a policy is public; it is not, if it grants access only to fixed principals or
under fixed values of the keys below.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from common.iam.conditions import Condition
from common.iam.documents import Policy, Statement

_FIXING: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_OPERATORS: Final = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"})
_BROADEST: Final = {4: 8, 6: 32}
"""IP version → the shortest prefix that is no public range."""


def is_public(policy: Policy) -> bool:
    """Whether the policy allows anything to everybody."""
    return any(_lets_everybody_in(statement) for statement in policy.statements)


def _lets_everybody_in(statement: Statement) -> bool:
    if statement.effect != "Allow":
        return False
    everybody = any(name == "*" or kind == "*" for kind, name in statement.principals or ())
    return everybody and not any(_fixes(condition) for condition in statement.conditions)


def _fixes(condition: Condition) -> bool:
    operator, key = condition.operator, condition.key.lower()
    if operator.quantifier or operator.if_exists:
        return False
    if operator.base == "IpAddress" and key == "aws:sourceip":
        return all(_is_narrow(value) for value in condition.values)
    return key in _FIXING and operator.base in _OPERATORS and not any(_is_open(value) for value in condition.values)


def _is_open(value: str) -> bool:
    """Whether a value is no fixed one: it has a wildcard or a variable. An ARN may have some behind its account."""
    head = ":".join(value.split(":", 5)[:5]) if value.startswith("arn:") and value.count(":") >= 5 else value
    if value.startswith("arn:aws:s3:::"):
        head = value
    return any(mark in head for mark in "*?$")


def _is_narrow(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _BROADEST[network.version]
