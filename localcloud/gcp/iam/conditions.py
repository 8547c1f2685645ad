"""Conditions of IAM bindings: the part of Google's Common Expression Language that is judged here.

Attributes and operators: https://cloud.google.com/iam/docs/conditions-attribute-reference and
https://cloud.google.com/iam/docs/conditions-overview (of both what searches show of them was read on 2026-11-21,
which are the attributes; functions and operators are believed). Known are `resource.name`, `resource.type`,
`resource.service`, `request.time`, `timestamp("…")`, text and lists of it, `startsWith`, `endsWith`, comparisons,
`in`, `&&`, `||`, `!` and parentheses. Any other expression is not understood, which is an error and never a yes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<operator>&&|\|\||==|!=|<=|>=|[<>!().,\[\]]))"""
)
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_METHODS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}


class NotUnderstoodError(Exception):
    """The expression, or what it asks for, is not known here."""


@dataclass(frozen=True)
class Asked:
    """What a condition may ask about."""

    name: str
    """Of the resource, as `projects/_/buckets/b/objects/o`."""
    type: str
    """As `storage.googleapis.com/Object`."""
    service: str
    """As `storage.googleapis.com`."""
    time: datetime


def holds(expression: str, asked: Asked) -> bool:
    """Whether a condition holds.

    Raises:
        NotUnderstoodError: it, or a part of it, is not known here.
    """
    reader = _Reader(_tokens(expression), asked)
    value = reader.either()
    if reader.rest or not isinstance(value, bool):
        raise NotUnderstoodError(expression)
    return value


def _tokens(expression: str) -> list[str]:
    found: list[str] = []
    at, text = 0, expression.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotUnderstoodError(expression)
        found.append(token[0].strip())
        at = token.end()
    return found


class _Reader:
    """Reads from the front, by precedence; all parts are evaluated, so that nothing unknown hides behind an `||`."""

    def __init__(self, tokens: list[str], asked: Asked) -> None:
        self.rest = tokens
        self._asked = asked

    def either(self) -> Any:
        value = self._both()
        while self._next("||"):
            value = _truth(self._both()) | _truth(value)
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._next("&&"):
            value = _truth(self._compared()) & _truth(value)
        return value

    def _compared(self) -> Any:
        value = self._negated()
        if self._next("in"):
            members = self._negated()
            if not isinstance(members, list):
                raise NotUnderstoodError("in")
            return value in members
        if self.rest and self.rest[0] in _COMPARISONS:
            operator = self.rest.pop(0)
            other = self._negated()
            if type(value) is not type(other) or isinstance(value, list):
                raise NotUnderstoodError(operator)
            return _COMPARISONS[operator](value, other)
        return value

    def _negated(self) -> Any:
        if self._next("!"):
            return not _truth(self._negated())
        return self._called(self._plain())

    def _called(self, value: Any) -> Any:
        while self._next("."):
            method = self._take()
            if method not in _METHODS or not isinstance(value, str):
                raise NotUnderstoodError(method)
            argument = self._argument()
            if not isinstance(argument, str):
                raise NotUnderstoodError(method)
            value = _METHODS[method](value, argument)
        return value

    def _plain(self) -> Any:
        word = self._take()
        if word == "(":
            value = self.either()
            self._expect(")")
            return value
        if word == "[":
            members = [self.either()]
            while self._next(","):
                members.append(self.either())
            self._expect("]")
            return members
        if word[:1] in "\"'":
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if word in ("true", "false"):
            return word == "true"
        if word == "timestamp":
            return self._time(self._argument())
        if word in ("resource", "request"):
            self._expect(".")
            return self._attribute(f"{word}.{self._take()}")
        raise NotUnderstoodError(word)

    def _attribute(self, name: str) -> Any:
        known = {
            "resource.name": self._asked.name,
            "resource.type": self._asked.type,
            "resource.service": self._asked.service,
            "request.time": self._asked.time,
        }
        if name not in known:
            raise NotUnderstoodError(name)
        return known[name]

    def _argument(self) -> Any:
        self._expect("(")
        value = self.either()
        self._expect(")")
        return value

    def _time(self, text: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            raise NotUnderstoodError(f"timestamp({text!r})") from None
        if moment.tzinfo is None:
            raise NotUnderstoodError(f"timestamp({text!r})")
        return moment

    def _take(self) -> str:
        if not self.rest:
            raise NotUnderstoodError("it ends too early")
        return self.rest.pop(0)

    def _next(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._next(token):
            raise NotUnderstoodError(f"{token} is missing")


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotUnderstoodError(str(value))
    return value
