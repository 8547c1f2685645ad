"""A value inside a resource's inputs and where it stands, walked without guessing: what is hidden or odd stays so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.checks import ABSENT, PASS, failed, is_hidden, read, shown, unknown
from policies.inventory import UNKNOWN, Resource
from policies.model import Judgement

_TRUE = (True, "true", "True")
_FALSE = (False, "false", "False")


@dataclass(frozen=True)
class Node:
    """One value: `ABSENT`, hidden, or what was written."""

    value: Any
    path: str
    partial: bool = False
    """Whether what is not written may be there all the same, as with a patch."""
    unsaid: bool = False
    """Whether it is not written in what is `partial`."""

    def at(self, *keys: str) -> Node:
        """What lies below, by names; unknown where this is no object that could hold it."""
        here = self
        for key in keys:
            path = f"{here.path}.{key}" if here.path else key
            if isinstance(here.value, Mapping):
                found = here.value.get(key)
                absent = UNKNOWN if here.partial else ABSENT
                unsaid = here.partial and found is None
                here = Node(absent if found is None else found, path, here.partial, unsaid)
            elif here.value is ABSENT:
                here = Node(ABSENT, path, here.partial)
            else:
                here = Node(UNKNOWN, here.path, here.partial, here.unsaid)
        return here

    def members(self) -> Iterator[Node]:
        """The members of a list; one object where a list is meant is its only member; what is neither is unknown."""
        if isinstance(self.value, list):
            yield from (Node(each, f"{self.path}.{index}", self.partial) for index, each in enumerate(self.value))
        elif isinstance(self.value, Mapping) or is_hidden(self.value):
            yield self
        elif self.value is not ABSENT:
            yield Node(UNKNOWN, self.path)

    def words(self) -> Iterator[Node]:
        """As `members`, for a list of words: one word alone is its only member."""
        if isinstance(self.value, str):
            yield self
        else:
            yield from self.members()

    @property
    def absent(self) -> bool:
        """Whether nothing is written here."""
        return self.value is ABSENT

    @property
    def hidden(self) -> bool:
        """Whether the plan does not know it."""
        return is_hidden(self.value)


def node(resource: Resource, path: str) -> Node:
    """The input at a path."""
    partial = type(resource) is not Resource
    return Node(read(resource, path), path, partial)


def must(found: Node, required: str, holds: Callable[[Any], bool], *, given: bool = True) -> Judgement:
    """A value for which `holds`; absent ones fail where it must be given, else pass."""
    if found.absent:
        return failed(found.path, "absent", required) if given else PASS
    if found.hidden:
        return PASS if found.unsaid and not given else unknown(found.path, required)
    try:
        met = holds(found.value)
    except (TypeError, ValueError, AttributeError, KeyError):
        met = False
    return PASS if met else failed(found.path, shown(found.value), required)


def must_be_true(found: Node) -> Judgement:
    """True, written as a boolean or as its text."""
    return must(found, "true", lambda value: value is True or value in _TRUE[1:])


def must_be_false(found: Node) -> Judgement:
    """False, written as a boolean or as its text."""
    return must(found, "false", is_false)


def must_not_be_true(found: Node) -> Judgement:
    """False or absent."""
    return must(found, "false", is_false, given=False)


def is_false(value: object) -> bool:
    """Whether a value is false, as a boolean or as its text."""
    return value is False or value in _FALSE[1:]


def none_but(found: Node, allowed: Iterable[str], required: str) -> Iterator[Judgement]:
    """Each word of a list, if there is any, is one of those."""
    choices = tuple(allowed)
    for each in found.words():
        yield must(each, required, lambda value: value in choices)
