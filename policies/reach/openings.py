"""Openings: which input of which resource puts it on the internet, as tables of the two clouds say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from policies.checks import ABSENT, is_hidden, read, shown
from policies.inventory import Resource
from policies.reach.values import members, paths, truth


class How(StrEnum):
    """What opens a resource."""

    BEING = "it is there"
    """It has no closed form."""
    FLAG = "a flag is true"
    NO_FLAG = "a flag is not true"
    GIVEN = "an input is given"
    LEFT_OUT = "an input is left out"
    OTHER = "a value is none of those that close it"


@dataclass(frozen=True)
class Opening:
    """One way in which a resource of a type is open."""

    what: str
    """What it is then, as a report says it."""
    how: How = How.BEING
    path: str = ""
    """The input; `*` stands for each member of a list."""
    closed: tuple[str, ...] = ()
    """For `OTHER`: the values that close it."""
    default: str = ""
    """For `FLAG` and `OTHER`: what the provider takes where the input is left out."""


@dataclass(frozen=True)
class Found:
    """An opening of one resource; `hidden` if the plan cannot tell."""

    opening: Opening
    path: str
    value: str
    hidden: bool = False


def found(resource: Resource, opening: Opening) -> Iterator[Found]:
    """Where a resource is open in this way, or may be."""
    if opening.how is How.BEING:
        yield Found(opening, "", opening.what)
        return
    for path in _expanded(resource, opening.path.split("*.")):
        value = read(resource, path)
        if is_hidden(value) or _hidden_above(resource, path):
            yield Found(opening, path, "", hidden=True)
        elif _is_open(opening, value):
            yield Found(opening, path, "absent" if value is ABSENT else shown(value))


def _expanded(resource: Resource, parts: list[str], start: str = "") -> Iterator[str]:
    head, *rest = parts
    at = f"{start}{head}".rstrip(".")
    if not rest:
        yield at
        return
    for member in paths(resource, at):
        yield from _expanded(resource, rest, f"{member}.")


def _hidden_above(resource: Resource, path: str) -> bool:
    parts = path.split(".")
    return any(is_hidden(read(resource, ".".join(parts[:end]))) for end in range(1, len(parts)))


def _is_open(opening: Opening, value: object) -> bool:
    if opening.how is How.FLAG:
        return truth(value, default=opening.default == "true") is not False
    if opening.how is How.NO_FLAG:
        return truth(value, default=opening.default == "true") is not True
    if opening.how is How.GIVEN:
        return value is not ABSENT and value not in ([], {}, "", 0, False, "0")
    if opening.how is How.LEFT_OUT:
        return value in (ABSENT, [], {}, "")
    values = members(value) or [opening.default]
    return any(str(each).upper() not in map(str.upper, opening.closed) for each in values)
