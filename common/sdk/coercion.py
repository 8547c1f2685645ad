"""Brings inputs into the types that the installed SDK declares, as the providers themselves take them.

Usage:

    coerced("aws:s3/bucketVersioning:BucketVersioning", {"versioningConfiguration": [{"status": "Enabled"}]})
    # → Coerced({"versioningConfiguration": {"status": "Enabled"}}, {"versioningConfiguration.0": "version…"})

A text that says a boolean or a number becomes one, a value where a list is meant becomes a list of it, a list of one
where an object is meant becomes that object, and an entry that is null is as absent. What cannot be read so stays as
it is: this guesses nothing, and `check_inputs` says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.marks import SECRET, UNKNOWN
from common.sdk.schema import Fields, ResourceSchema, WireType
from common.sdk.types import schema_of

_BOOLEANS: Final = {"true": True, "false": False}
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
_MARKS: Final = (UNKNOWN, SECRET)


@dataclass
class Coerced:
    """Inputs in their declared types; `moved` is old path → new path of what a list was put around or taken from."""

    inputs: Mapping[str, Any]
    moved: dict[str, str] = field(default_factory=dict)

    def path(self, old: str) -> str:
        """Where the value at the dotted path `old` lies now."""
        heads = [head for head in self.moved if old == head or old.startswith(f"{head}.")]
        head = max(heads, key=len, default="")
        return self.moved[head] + old[len(head) :] if head else old


def coerced(token: str, inputs: Mapping[str, Any]) -> Coerced:
    """`inputs` of a resource of type `token`; the very same mapping where nothing has to change.

    A type that the SDK lacks, and a provider, whose inputs travel as text, stay as they are.
    """
    schema = schema_of(token)
    if schema is None or schema.is_provider:
        return Coerced(inputs)
    coercer = _Coercer(schema)
    made = coercer.object(inputs, schema.inputs, "", "")
    return Coerced(made, coercer.moved)


class _Coercer:
    """Walks inputs beside the table of their type; every method gives the very same value where it fits."""

    def __init__(self, schema: ResourceSchema) -> None:
        self.schema = schema
        self.moved: dict[str, str] = {}

    def object(self, value: Mapping[str, Any], fields: Fields, old: str, new: str) -> Mapping[str, Any]:
        """An object with declared fields."""
        made = {
            key: self.value(item, fields[key][0], _join(old, key), _join(new, key)) if key in fields else item
            for key, item in value.items()
            if item is not None
        }
        return _same_or(value, made)

    def value(self, value: Any, kind: WireType, old: str, new: str) -> Any:
        """One value against its declared type; `old` and `new` are its paths before and after."""
        if value is None or (isinstance(value, str) and value in _MARKS):
            return value
        if isinstance(kind, str):
            return _scalar(value, kind)
        match kind[0]:
            case "list":
                return self._list(value, kind[1], old, new)
            case "map" if isinstance(value, Mapping):
                made = {k: self.value(v, kind[1], _join(old, k), _join(new, k)) for k, v in value.items()}
                return _same_or(value, made)
            case "object":
                return self._one(value, kind, old, new)
            case "enum":
                return _constant(value, kind[1:])
            case "union":
                return self._union(value, kind[1:], old, new)
            case _:
                return value

    def _list(self, value: Any, kind: WireType, old: str, new: str) -> Any:
        if not isinstance(value, list):
            self.moved[old] = f"{new}.0"
            return [self.value(value, kind, old, f"{new}.0")]
        made = [self.value(item, kind, f"{old}.{i}", f"{new}.{i}") for i, item in enumerate(value)]
        return value if all(a is b for a, b in zip(value, made, strict=True)) else made

    def _one(self, value: Any, kind: WireType, old: str, new: str) -> Any:
        if isinstance(value, list) and len(value) == 1 and (isinstance(value[0], Mapping) or value[0] in _MARKS):
            self.moved[f"{old}.0"] = new
            return self.value(value[0], kind, f"{old}.0", new)
        return self.object(value, self.schema.objects[kind[1]], old, new) if isinstance(value, Mapping) else value

    def _union(self, value: Any, members: Any, old: str, new: str) -> Any:
        """As the first member has it whose shape the value has; a scalar that fits one of them stays."""
        if not isinstance(value, Mapping | list):
            return value
        wanted = {"list"} if isinstance(value, list) else {"object", "map"}
        fits = [member for member in members if not isinstance(member, str) and member[0] in wanted]
        return self.value(value, fits[0], old, new) if fits else value


def _scalar(value: Any, kind: str) -> Any:
    if kind == "bool":
        return _BOOLEANS.get(value.strip().lower(), value) if isinstance(value, str) else value
    if kind in ("int", "number"):
        return _number(value) if isinstance(value, str) else value
    return _text(value) if kind == "str" and isinstance(value, bool | int | float) else value


def _text(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if float(value).is_integer() else str(value)


def _number(text: str) -> Any:
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        return text
    number = float(stripped)
    return int(number) if number.is_integer() else number


def _constant(value: Any, constants: Any) -> Any:
    """The declared constant that a number or a boolean says in another type."""
    text = _scalar(value, "str")
    return next((c for c in constants if c == value or _scalar(c, "str") == text), value)


def _same_or(value: Mapping[str, Any], made: dict[str, Any]) -> Mapping[str, Any]:
    same = len(made) == len(value) and all(made[key] is item for key, item in value.items())
    return value if same else made


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
