"""Conditions of policy statements: every operator, and what holds where a key is absent or unknown.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Creating a condition with multiple keys
or values" with its set operators (awsdocs/iam-user-guide of 2023-06, read 2026-11-21).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from common.iam.context import Told, Truth, arn_matches, matches, substituted, truth, unmarked

Compare = Callable[[str, str], bool]
"""(value in the policy, value in the request) → whether they fit."""


@dataclass(frozen=True)
class Operator:
    """An operator with its modifiers."""

    name: str
    """As the document has it."""
    base: str
    """Its own name, without modifiers, as in `StringLike`."""
    quantifier: Literal["", "ForAllValues", "ForAnyValue"] = ""
    if_exists: bool = False


@dataclass(frozen=True)
class Condition:
    """One key under one operator; several values are alternatives, for a negated operator all excluded."""

    operator: Operator
    key: str
    values: tuple[str, ...]


def parse_operator(name: str) -> Operator | None:
    """The operator that a document names; None if IAM knows none of that name."""
    quantifier, colon, rest = name.rpartition(":")
    if colon and quantifier not in ("ForAllValues", "ForAnyValue"):
        return None
    base = rest.removesuffix("IfExists")
    if base not in _COMPARE or (base == "Null" and (base != rest or quantifier)):
        return None
    return Operator(name, base, quantifier, base != rest)  # type: ignore[arg-type] - checked above


def holds(condition: Condition, told: Told, *, has_variables: bool = True) -> tuple[Truth, frozenset[str]]:
    """Whether a condition is met, and the keys that the answer lacks where it is unknown."""
    if not told.knows(condition.key):
        return Truth.UNKNOWN, frozenset({condition.key})
    values = told.values(condition.key)
    operator = condition.operator
    if operator.base == "Null":
        wanted = [value.lower() == "true" for value in condition.values]
        return truth((not values) in wanted), frozenset()
    if not values:
        return truth(_holds_without(operator)), frozenset()
    return _compared(operator, _resolved(condition.values, told, has_variables), values)


def _holds_without(operator: Operator) -> bool:
    """What an operator says of a key that the request does not carry.

    Beside ForAnyValue an IfExists changes nothing (iam.cloudcopilot.io, "ForAnyValue:StringNotEqualsIfExists", read
    2026-11-21; AWS' own guide does not say).
    """
    if operator.quantifier:
        return operator.quantifier == "ForAllValues"
    return operator.if_exists or operator.base in _NEGATED


def _resolved(values: Sequence[str], told: Told, has_variables: bool) -> list[tuple[str | None, str]]:
    return [substituted(value, told) if has_variables else (value, "") for value in values]


def _compared(
    operator: Operator, policy: Sequence[tuple[str | None, str]], request: Sequence[str]
) -> tuple[Truth, frozenset[str]]:
    compare = _COMPARE[operator.base]
    missing = frozenset(key for value, key in policy if value is None)

    def fits(given: str) -> Truth:
        if any(value is not None and compare(value, given) for value, _ in policy):
            found = Truth.YES
        else:
            found = Truth.UNKNOWN if missing else Truth.NO
        return ~found if operator.base in _NEGATED else found

    answers = [fits(given) for given in request]
    # Without a quantifier several values of the request are alternatives, which a negated operator excludes all.
    every = operator.quantifier == "ForAllValues" or (not operator.quantifier and operator.base in _NEGATED)
    outcome = min(answers, key=_value) if every else max(answers, key=_value)
    return outcome, missing if outcome is Truth.UNKNOWN else frozenset()


def _value(answer: Truth) -> int:
    return answer.value


def _number(compare: Callable[[Decimal, Decimal], bool]) -> Compare:
    def numbers(policy: str, request: str) -> bool:
        try:
            return compare(Decimal(request), Decimal(policy))
        except InvalidOperation:
            return False

    return numbers


def _date(compare: Callable[[datetime, datetime], bool]) -> Compare:
    def dates(policy: str, request: str) -> bool:
        wanted, given = _moment(policy), _moment(request)
        return wanted is not None and given is not None and compare(given, wanted)

    return dates


def _moment(text: str) -> datetime | None:
    """A date in ISO 8601, or in seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (OverflowError, OSError):
        return None
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _address(policy: str, request: str) -> bool:
    try:
        return ipaddress.ip_address(request) in ipaddress.ip_network(unmarked(policy), strict=False)
    except ValueError:
        return False


def _binary(policy: str, request: str) -> bool:
    try:
        return base64.b64decode(policy, validate=True) == base64.b64decode(request, validate=True)
    except (binascii.Error, ValueError):
        return False


def _equal(policy: str, request: str) -> bool:
    return unmarked(policy) == request


def _equal_ignoring_case(policy: str, request: str) -> bool:
    return unmarked(policy).lower() == request.lower()


_COMPARE: Final[dict[str, Compare]] = {
    "StringEquals": _equal,
    "StringNotEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": matches,
    "StringNotLike": matches,
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericNotEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
    "DateEquals": _date(lambda a, b: a == b),
    "DateNotEquals": _date(lambda a, b: a == b),
    "DateLessThan": _date(lambda a, b: a < b),
    "DateLessThanEquals": _date(lambda a, b: a <= b),
    "DateGreaterThan": _date(lambda a, b: a > b),
    "DateGreaterThanEquals": _date(lambda a, b: a >= b),
    "Bool": _equal_ignoring_case,
    "BinaryEquals": _binary,
    "IpAddress": _address,
    "NotIpAddress": _address,
    # The two behave alike: ArnEquals takes wildcards too.
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "ArnNotEquals": arn_matches,
    "ArnNotLike": arn_matches,
    "Null": _equal_ignoring_case,
}
_NEGATED: Final = frozenset(name for name in _COMPARE if "Not" in name)
