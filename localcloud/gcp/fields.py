"""Pairs of a Pulumi argument and a field of Google's REST APIs, and what follows from them: bodies, masks, drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Convert = Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Field:
    """One argument.

    Args:
        argument: the Pulumi argument.
        path: the dotted field of the API; the argument's own name if empty.
        to_api: the argument's value as the API takes it.
        from_api: the inverse.
        exact: whether members that the API has and the program does not ask for are drift.
    """

    argument: str
    path: str = ""
    to_api: Convert = _same
    from_api: Convert = _same
    exact: bool = False

    @property
    def where(self) -> str:
        """The dotted field of the API."""
        return self.path or self.argument


def renamed(pairs: Mapping[str, str]) -> tuple[Convert, Convert]:
    """Converters that rename members of a mapping: Pulumi's name → the API's."""
    back = {api: ours for ours, api in pairs.items()}

    def to_api(value: Mapping[str, Any]) -> dict[str, Any]:
        return {pairs.get(k, k): v for k, v in value.items()}

    def from_api(value: Mapping[str, Any]) -> dict[str, Any]:
        return {back.get(k, k): v for k, v in value.items()}

    return to_api, from_api


def body(fields: Sequence[Field], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The request body that asks for these inputs."""
    document: dict[str, Any] = {}
    for field in fields:
        value = inputs.get(field.argument)
        if value is not None:
            _put(document, field.where, field.to_api(deepcopy(value)))
    return document


def changes(
    fields: Sequence[Field], old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The body of a PATCH from `old` to `new` (a removed argument is null), and the changed top-level fields."""
    document: dict[str, Any] = {}
    mask: list[str] = []
    for field in fields:
        before, after = old.get(field.argument), new.get(field.argument)
        if before == after:
            continue
        _put(document, field.where, None if after is None else field.to_api(after))
        mask.append(field.where.split(".")[0])
    return document, list(dict.fromkeys(mask))


def drifted(fields: Sequence[Field], inputs: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inputs as the cloud has them now; None if it has what `inputs` ask for."""
    changed = dict(inputs)
    for field in fields:
        wanted = inputs.get(field.argument)
        actual = _look_up(found, field.where)
        if wanted is None:
            continue
        asked = field.to_api(wanted)
        same = _plain(asked) == _plain(actual) if field.exact else covers(actual, asked)
        if same:
            continue
        if actual is None:
            changed.pop(field.argument)
        else:
            changed[field.argument] = field.from_api(actual)
    return changed if changed != inputs else None


def imported(fields: Sequence[Field], found: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a resource that no program declared yet."""
    values = {f.argument: _look_up(found, f.where) for f in fields}
    return {f.argument: f.from_api(values[f.argument]) for f in fields if values[f.argument] is not None}


def covers(actual: Any, wanted: Any) -> bool:
    """Whether the cloud has all that is wanted; it may have more, its defaults. Numbers may be strings there."""
    if isinstance(wanted, Mapping):
        return isinstance(actual, Mapping) and all(
            covers(actual.get(k), v) for k, v in wanted.items() if v is not None
        )
    if isinstance(wanted, list):
        return (
            isinstance(actual, list)
            and len(actual) == len(wanted)
            and all(covers(a, w) for a, w in zip(actual, wanted, strict=True))
        )
    if wanted in (False, None, 0, "") and actual in (False, None, 0, ""):
        return True
    return _plain(actual) == _plain(wanted)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, int | float) else value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        document = document.setdefault(part, {})
    document[last] = value


def _look_up(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, Mapping) else None
    return document
