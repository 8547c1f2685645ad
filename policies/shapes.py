"""The fields of an object that rules know, and what each may hold: a field beyond them is no pass.

Objects of the door, charts and the cluster's provider have hundreds of fields, each of which can undo a policy. The
platform sets few. A shape lists those by pattern; what it does not list is reported, until somebody has judged it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, is_hidden, shown, unknown
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.quantities import quantity

Field = tuple[str, Callable[[Any], bool]]
"""What a value must be, in words, and whether it is."""
Shape = Mapping[str, Field | None]
"""Dotted pattern → what its values must be; none: rules of their own judge it, or anything is fine. `*` stands for
one name or number, `**` at the end for all that is below."""

UNLISTED: Final = "a field that rules know"
_DURATION: Final = re.compile(r"(\d{1,9})(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def known_fields(found: Resource, shape: Shape, root: str = "spec") -> Judgement:
    """Whether what an object holds below `root` is of a shape; nothing there is no fault here."""
    patterns = [(tuple(pattern.split(".")), field) for pattern, field in shape.items()]
    value = found.inputs if not root else found.inputs.get(root)
    return all_of(_judged(value, (), patterns, f"{root}." if root else ""))


def _judged(
    value: Any, path: tuple[str, ...], patterns: list[tuple[tuple[str, ...], Field | None]], root: str
) -> Iterator[Judgement]:
    if value is None:
        return
    here = root + ".".join(path)
    fields = [field for pattern, field in patterns if path and _matches(pattern, path)]
    deeper = any(len(pattern) > len(path) and _matches(pattern[: len(path)], path) for pattern, _ in patterns)
    if fields:
        yield from (_of(here, value, field) for field in fields if field is not None)
    elif is_hidden(value):
        yield unknown(here.removesuffix("."), UNLISTED)
    elif (isinstance(value, Mapping) or (isinstance(value, list) and deeper)) and value:
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in entries:
            yield from _judged(item, (*path, str(key)), patterns, root)
    elif not (isinstance(value, Mapping | list) and not value and deeper) and path:
        yield failed(here, shown(value), UNLISTED)


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if pattern and pattern[-1] == "**":
        return len(path) >= len(pattern) and _matches(pattern[:-1], path[: len(pattern) - 1])
    return len(pattern) == len(path) and all(a in ("*", b) for a, b in zip(pattern, path, strict=True))


def _of(path: str, value: Any, field: Field) -> Judgement:
    required, holds = field
    if is_hidden(value):
        return unknown(path, required)
    try:
        met = holds(value)
    except (TypeError, ValueError, AttributeError, KeyError):
        met = False
    return all_of(()) if met else failed(path, shown(value), required)


def exactly(*values: Any) -> Field:
    """One of these values; a text that writes one is it."""
    texts = {_written(value) for value in values}
    said = " or ".join(shown(value) for value in values)
    return said, lambda value: _written(value) in texts


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def between(least: float, most: float) -> Field:
    """A number or a quantity, no less and no more than these."""
    return (
        f"between {least:g} and {most:g}",
        lambda value: (number := quantity(value)) is not None and least <= number <= most,
    )


def lasting(least: float, most: float) -> Field:
    """A duration of so many seconds."""
    return f"between {least:g} and {most:g} seconds", lambda value: least <= seconds(value) <= most


def seconds(value: object) -> float:
    """A duration in seconds; below 0 for what is none."""
    parts = _DURATION.findall(str(value))
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != str(value):
        return -1
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def setting(inventory: Inventory, *keys: str) -> Any:
    """One of the stack's settings; None where it has none."""
    found: Any = inventory.settings
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def number_of(inventory: Inventory, default: float, *keys: str) -> float:
    """One of the stack's settings that is a number, or what is allowed where it says none."""
    found = setting(inventory, *keys)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else default
