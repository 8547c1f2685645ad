"""The few ways in which rules look at inputs: each returns a judgement and never guesses an unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from policies.inventory import SECRET, UNKNOWN, Resource
from policies.model import Judgement, Problem, Verdict

ABSENT: Final = object()
"""Stands for an input that was not given; an explicit null is the same to a provider."""

_SHOWN_CHARACTERS = 120

PASS: Final = Judgement(Verdict.PASS)


def passed(note: str = "") -> Judgement:
    """The requirement is met."""
    return Judgement(Verdict.PASS, note=note)


def failed(path: str, found: str, required: str) -> Judgement:
    """The requirement is not met."""
    return Judgement(Verdict.FAIL, (Problem(path, found, required),))


def unknown(path: str, required: str, found: str = "known only to the provider") -> Judgement:
    """The requirement cannot be judged before the provider has answered."""
    return Judgement(Verdict.UNKNOWN, (Problem(path, found, required),))


def not_applicable(reason: str) -> Judgement:
    """The rule has nothing to say about this resource."""
    return Judgement(Verdict.NOT_APPLICABLE, note=reason)


def all_of(judgements: Iterable[Judgement]) -> Judgement:
    """Failing if any fails (with all the problems), else unknown if any is, else passing."""
    listed = list(judgements)
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN):
        problems = tuple(p for j in listed if j.verdict is verdict for p in j.problems)
        if problems:
            return Judgement(verdict, problems)
    return passed("; ".join(j.note for j in listed if j.note))


def any_of(judgements: Iterable[Judgement], otherwise: Judgement) -> Judgement:
    """The first that passes, else the first that is unknown, else `otherwise`."""
    listed = list(judgements)
    for verdict in (Verdict.PASS, Verdict.UNKNOWN):
        for judgement in listed:
            if judgement.verdict is verdict:
                return judgement
    return otherwise


def best_of(judgements: Iterable[Judgement]) -> Judgement:
    """The first that passes, else the first that is unknown, else the first; there must be one."""
    listed = list(judgements)
    return any_of(listed, otherwise=listed[0])


def is_hidden(value: object) -> bool:
    """Whether a value cannot be read in this plan: unknown, or masked because it is secret."""
    return isinstance(value, str) and value in (UNKNOWN, SECRET)


def is_masked(resource: Resource, below: str = "") -> bool:
    """Whether something of a resource, or of what is below a path, cannot be read in this plan."""
    return any(path.startswith(below) for path in (*resource.unknown_paths, *resource.secret_paths))


def read(resource: Resource, path: str) -> Any:
    """The input at `path`: its value, `UNKNOWN`, `SECRET`, or `ABSENT`."""
    value = resource.get(path, ABSENT)
    return ABSENT if value is None else value


def shown(value: object) -> str:
    """A value as a report prints it: JSON, shortened."""
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def expect(resource: Resource, path: str, required: str, holds: Callable[[Any], bool]) -> Judgement:
    """Judge the input at `path`; `holds` is asked only about a value that is there and readable.

    A value of an unforeseen type that `holds` cannot handle is a failure, not a crash.
    """
    hidden = unreadable(resource, path, required)
    if hidden:
        return hidden
    value = read(resource, path)
    if value is ABSENT:
        return failed(path, "absent", required)
    try:
        met = holds(value)
    except (TypeError, ValueError, AttributeError, KeyError):
        met = False
    return PASS if met else failed(path, shown(value), required)


def equals(resource: Resource, path: str, wanted: object) -> Judgement:
    """The input at `path` must be exactly `wanted` (`True` is not `1`)."""
    return expect(resource, path, shown(wanted), lambda value: type(value) is type(wanted) and value == wanted)


def all_equal(resource: Resource, wanted: Mapping[str, object]) -> Judgement:
    """Each of the inputs (path → value) must be exactly what is wanted."""
    return all_of(equals(resource, path, value) for path, value in wanted.items())


def one_of(resource: Resource, path: str, allowed: Iterable[str]) -> Judgement:
    """The input at `path` must be one of `allowed`."""
    choices = tuple(allowed)
    return expect(resource, path, "one of " + ", ".join(choices), lambda value: value in choices)


def at_least(resource: Resource, path: str, minimum: float, unit: str) -> Judgement:
    """The number at `path` must be `minimum` or more."""
    return expect(resource, path, f"at least {minimum} {unit}", lambda value: float(value) >= minimum)


def absent_or(resource: Resource, path: str, judge: Callable[[], Judgement]) -> Judgement:
    """Passing where the input at `path` is not given, because the provider's default is the safe one."""
    return passed(f"{path} is left to its safe default") if read(resource, path) is ABSENT else judge()


def if_given(resource: Resource, path: str, judge: Callable[[], Judgement]) -> Judgement:
    """Passing without a word where the input at `path` is not given: the provider's default is the safe one."""
    return PASS if read(resource, path) is ABSENT else judge()


def must_lack(resource: Resource, path: str) -> Judgement:
    """Whether an input is not given, or says nothing."""
    value = read(resource, path)
    empty = value is ABSENT or value in ("", [], {})
    return unreadable(resource, path, "absent") or (PASS if empty else failed(path, shown(value), "absent"))


def unreadable(resource: Resource, path: str, required: str) -> Judgement | None:
    """What follows if the input at `path` cannot be read in this plan; None if it can, or is absent."""
    value = read(resource, path)
    if not is_hidden(value):
        return None
    return unknown(path, required, "known only to the provider" if value == UNKNOWN else "masked as a secret")


def holds_none(resource: Resource, path: str, forbidden: Iterable[str], required: str) -> Judgement:
    """The list (or single value) at `path` must be readable as a whole, and hold nothing of `forbidden`."""
    value = read(resource, path)
    members = value if isinstance(value, list) else [value]
    found = [member for member in members if member in tuple(forbidden)]
    if found:
        return failed(path, shown(found), required)
    return unknown(path, required) if any(is_hidden(member) for member in members) else PASS


def each_named(resource: Resource, path: str, required: str) -> Judgement:
    """The list at `path` must have members, each of them readable and not empty."""
    members = [expect(resource, item, required, bool) for item in items(resource, path)]
    return all_of((expect(resource, path, required, bool), *members))


def items(resource: Resource, path: str) -> Iterator[str]:
    """The paths of the list at `path`, one by one; nothing where there is no readable list (see `unreadable`)."""
    value = read(resource, path)
    if isinstance(value, list):
        yield from (f"{path}.{index}" for index in range(len(value)))
