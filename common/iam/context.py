"""What a judge knows of a request beside who asks for what: values of condition keys, and which keys it has not.

A key that the request does not carry and a key that nobody told the judge about are two things: the first AWS treats
by its operator's rule, the second leaves the answer open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final

Value = str | Sequence[str] | None
"""One value, several (a multivalued key), or None: the request does not carry the key."""
Context = Mapping[str, Value]
"""Condition key → value. A key that ends in `*`, with the value None, says that the request carries no further key
with that beginning. Names of keys are compared without case (awsdocs/iam-user-guide of 2023-06, "Condition", read
2026-11-21)."""


class Truth(Enum):
    """Whether something holds, as far as the judge was told."""

    NO = 0
    UNKNOWN = 1
    YES = 2

    def __invert__(self) -> Truth:
        return Truth(2 - self.value)


def truth(value: bool) -> Truth:
    """A plain answer."""
    return Truth.YES if value else Truth.NO


class Told:
    """A context made ready for look-ups."""

    def __init__(self, context: Context) -> None:
        self._values = {k.lower(): v for k, v in context.items() if not k.endswith("*")}
        self._closed = tuple(k[:-1].lower() for k in context if k.endswith("*"))

    def knows(self, key: str) -> bool:
        """Whether the judge was told about the key, be it that the request has none."""
        name = key.lower()
        return name in self._values or name.startswith(self._closed or ("\0",))

    def values(self, key: str) -> tuple[str, ...] | None:
        """The key's values; None if the request does not carry it."""
        found = self._values.get(key.lower())
        if found is None:
            return None
        return (found,) if isinstance(found, str) else tuple(found)


_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_LITERALS: Final = {"*": "\ue000", "?": "\ue001", "$": "$"}
"""`${*}`, `${?}` and `${$}` stand for the characters themselves; the first two must not match anything."""
_BACK: Final = {"\ue000": "*", "\ue001": "?"}
_SPECIAL: Final = re.compile("[*?\ue000\ue001]")


def substituted(text: str, told: Told) -> tuple[str | None, str]:
    """A text with its variables replaced; None and the variable's key where its value is not to be had.

    `${key, 'default'}` gives the default for a key that the request does not carry; a multivalued key has no value
    here (IAM user guide, "Variables and tags", believed, 2026-11-21). What a value holds of wildcards
    matches itself alone (believed).
    """
    missing = ""

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        inside = found[1].strip()
        if inside in _LITERALS:
            return _LITERALS[inside]
        key, comma, default = inside.partition(",")
        values = told.values(key.strip())
        if values is not None and len(values) == 1:
            return _plain(values[0])
        if comma and values is None and told.knows(key.strip()):
            return _plain(default.strip().strip("'"))
        missing = missing or key.strip()
        return ""

    replaced = _VARIABLE.sub(value, text)
    return (None, missing) if missing else (replaced, "")


def _plain(text: str) -> str:
    return text.replace("*", _LITERALS["*"]).replace("?", _LITERALS["?"])


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether a pattern with `*` (any characters) and `?` (one) covers the whole text."""
    if not _SPECIAL.search(pattern):
        return pattern.lower() == text.lower() if ignore_case else pattern == text
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(_expression(pattern), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _expression(pattern: str) -> str:
    return "".join(_regex(character) for character in pattern)


def _regex(character: str) -> str:
    if character == "*":
        return ".*"
    if character == "?":
        return "."
    return re.escape(_BACK.get(character, character))


def unmarked(text: str) -> str:
    """A text with replaced variables, for comparisons that know no wildcards."""
    for mark, character in _BACK.items():
        text = text.replace(mark, character)
    return text


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether an ARN pattern covers an ARN, part by part: a `*` does not reach across the first five colons.

    IAM user guide, "Amazon Resource Name (ARN) condition operators" (awsdocs/iam-user-guide of 2023-06, read
    2026-11-21).
    """
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    if pattern == "*":
        return True
    if len(wanted) != len(given):
        return False
    return all(matches(w, g) for w, g in zip(wanted, given, strict=True))


def resource_matches(pattern: str, arn: str) -> bool:
    """Whether an ARN pattern of a statement's `Resource` covers an ARN.

    A wildcard stays in its part, but for a `*` that ends one: it reaches over the colons after it, too (IAM guide,
    "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs", read 2026-11-22).
    """
    *head, own = pattern.split(":", 5)
    made = ":".join([*(_part(part) for part in head), _expression(own)])
    return re.fullmatch(made, arn, re.DOTALL) is not None


def _part(text: str) -> str:
    """The expression of one of an ARN's first five parts."""
    inside = {"*": "[^:]*", "?": "[^:]"}
    made = [inside.get(character) or _regex(character) for character in text]
    return "".join(made[:-1]) + ".*" if text.endswith("*") else "".join(made)
