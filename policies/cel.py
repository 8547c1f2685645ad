"""Conditions in CEL, read as what joins their comparisons, so that each way to meet one can be judged.

`||`, `&&`, `!`, parentheses and the words `true` and `false` are understood, by the order in which they bind
(github.com/google/cel-spec, langdef, "Syntax", believed 2026-11-22). Whatever else stands there is one comparison or
call, kept as it is written. What is not well formed, or chooses with `? :`, is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

_PART: Final = re.compile(
    r"""\s*('[^'\\]*'|"[^"\\]*"|[\w.]+|\|\||&&|[=!<>]=|[<>!+*/%,:-]|[()\[\]{}])""",
)
_CLOSES: Final = {"(": ")", "[": "]", "{": "}"}
_OPERATORS: Final = frozenset({"==", "!=", "<", ">", "<=", ">=", "in", "+", "-", "*", "/", "%"})
_MOST_WAYS: Final = 256


@dataclass(frozen=True)
class Atom:
    """One comparison or call with a space between its parts, and text in `'`; or its opposite."""

    text: str
    denied: bool = False


Way = frozenset[Atom]
"""Atoms that must all hold."""
_Parts = tuple[str, ...]


class _UnreadableError(ValueError):
    """A condition that is not well formed, or longer than anyone writes."""


@cache
def ways(expression: str) -> tuple[Way, ...] | None:
    """Each way to meet a condition, without those that can never be met; None where it cannot be read."""
    try:
        met, rest = _either(_split(expression), denied=False)
    except (_UnreadableError, RecursionError):
        return None
    return None if rest else tuple(way - _ALWAYS for way in met if not _impossible(way))


def every_way(expression: str | None, narrows: Callable[[str], bool]) -> bool:
    """Whether each way to meet a condition holds a comparison that narrows.

    A condition that nothing meets lets nobody in; one that is empty or cannot be read narrows nothing.
    """
    found = ways(expression) if expression else None
    return found is not None and all(any(narrows(_said(atom)) for atom in way) for way in found)


_ALWAYS: Final = frozenset({Atom("true"), Atom("false", denied=True)})


def _impossible(way: Way) -> bool:
    never = Atom("false") in way or Atom("true", denied=True) in way
    return never or any(Atom(atom.text, not atom.denied) in way for atom in way)


def _said(atom: Atom) -> str:
    """A denied comparison turned round, as `a == b` for the opposite of `a != b`; empty where that says nothing."""
    if not atom.denied:
        return atom.text
    return atom.text.replace(" != ", " == ") if [p for p in atom.text.split() if p in _OPERATORS] == ["!="] else ""


def _split(expression: str) -> _Parts:
    parts: list[str] = []
    position, text = 0, expression.rstrip()
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise _UnreadableError
        part = match[1]
        parts.append(f"'{part[1:-1]}'" if part.startswith('"') and "'" not in part else part)
        position = match.end()
    return tuple(parts)


def _either(parts: _Parts, *, denied: bool) -> tuple[list[Way], _Parts]:
    """`a || b`: one of them; denied, neither."""
    met, rest = _all(parts, denied=denied)
    while rest[:1] == ("||",):
        more, rest = _all(rest[1:], denied=denied)
        met = _together(met, more) if denied else [*met, *more]
    return met, rest


def _all(parts: _Parts, *, denied: bool) -> tuple[list[Way], _Parts]:
    """`a && b`: both of them; denied, not both."""
    met, rest = _one(parts, denied=denied)
    while rest[:1] == ("&&",):
        more, rest = _one(rest[1:], denied=denied)
        met = [*met, *more] if denied else _together(met, more)
    return met, rest


def _together(some: list[Way], more: list[Way]) -> list[Way]:
    if len(some) * len(more) > _MOST_WAYS:
        raise _UnreadableError
    return [one | other for one in some for other in more]


def _one(parts: _Parts, *, denied: bool) -> tuple[list[Way], _Parts]:
    end = _end(parts)
    if end == 0:
        raise _UnreadableError
    own = parts[:end]
    if not _OPERATORS.isdisjoint(_outer(own)):  # `!a == b` and `(a || b) == c` compare: no more is known of them
        return [frozenset({Atom(" ".join(own), denied)})], parts[end:]
    if own[0] == "!":
        met, rest = _one(own[1:], denied=not denied)
    elif own[0] == "(":
        met, rest = _either(own[1:-1], denied=denied)
    else:
        met, rest = [frozenset({Atom(" ".join(own), denied)})], ()
    if rest:
        raise _UnreadableError
    return met, parts[end:]


def _end(parts: _Parts) -> int:
    """Where the first part ends that `||` or `&&` joins with the next."""
    opened: list[str] = []
    for index, part in enumerate(parts):
        if not opened and part in ("||", "&&"):
            return index
        if part in _CLOSES:
            opened.append(_CLOSES[part])
        elif part in _CLOSES.values() and (not opened or opened.pop() != part):
            raise _UnreadableError
    if opened:
        raise _UnreadableError
    return len(parts)


def _outer(parts: _Parts) -> set[str]:
    """The parts that stand in no parentheses."""
    found, depth = set[str](), 0
    for part in parts:
        depth -= part in _CLOSES.values()
        if depth == 0:
            found.add(part)
        depth += part in _CLOSES
    return found
