"""Inputs by what they mean: `"true"` is true, `"443"` is 443, and one object is a list of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.checks import ABSENT, is_hidden, read
from policies.inventory import Resource


def truth(value: object, *, default: bool) -> bool | None:
    """What a flag says; `default` where it is absent, None where it cannot be read or is no flag."""
    if value is ABSENT or value is None or value == "":
        return default
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())


def flag(resource: Resource, path: str, *, default: bool) -> bool | None:
    """What the flag at `path` says; see `truth`."""
    return truth(read(resource, path), default=default)


def number(value: object) -> int | None:
    """A whole number, also one written as text or as a float; None for what is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, int):
        return value
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() else None


def members(value: object) -> list[Any]:
    """The members of a list; one value alone is a list of one, and what is absent of none."""
    if value is ABSENT or value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def paths(resource: Resource, path: str) -> Iterator[str]:
    """The paths of the members at `path`; an object where a list is meant is its only member."""
    value = read(resource, path)
    if isinstance(value, list):
        yield from (f"{path}.{index}" for index in range(len(value)))
    elif value is not ABSENT:
        yield path


def texts(resource: Resource, path: str) -> tuple[list[str], bool]:
    """The texts at `path`, one or a list of them, and whether some of them cannot be read."""
    listed = members(read(resource, path))
    found = [str(each) for each in listed if not is_hidden(each) and each not in (None, "")]
    return found, any(map(is_hidden, listed))


def mapping(value: object) -> Mapping[str, Any]:
    """An object, or an empty one in its place."""
    return value if isinstance(value, Mapping) else {}
