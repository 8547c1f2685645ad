"""Feature rows in a file: JSON Lines, one entity a line, judged as a whole before any is written.

    {"entity_id": "patient-0001", "features": [0.1, 2, 3.5]}
    {"entity_id": "patient-0002", "features": [0.4, 1, 2.5], "expires_at": 1795000000}

`expires_at` is in seconds since 1970; a row without it expires as the command says.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from ops.features.rows import Row

ENTITY_BYTES_MAX: Final = 1024
"""The shortest of the stores' limits for a key, less the rows' own prefix: DynamoDB takes 2048 bytes, Firestore 1500
as a document's name, Bigtable 4 KiB (its reference of `Row.key`, read 2026-11-21; the other two believed)."""
_FORM: Final = (
    'Write one JSON object a line: {"entity_id": "a", "features": [1.5, 2]}, with "expires_at" if you like.'
)


@dataclass(frozen=True)
class Contents:
    """What a file holds."""

    rows: int
    width: int
    """Numbers in each row."""


def judge(path: Path) -> Contents:
    """Read the whole file and keep nothing of it but the entities' names.

    Raises:
        UserError: with the line: it is no row, has another length than the first, or its entity was named before.
    """
    seen: dict[str, int] = {}
    width = 0
    for number, (entity, row) in _lines(path, None):
        if entity in seen:
            raise _wrong(
                path, number, f"the entity {entity!r} was on line {seen[entity]} already", "Keep one of them."
            )
        length = len(json.loads(row.features))
        width = width or length
        if length != width:
            what = f"{length} features, and the first row has {width}"
            raise _wrong(path, number, what, "Write rows of one length: the model's.")
        seen[entity] = number
    if not seen:
        raise UserError("the file has no rows", str(path), _FORM)
    return Contents(len(seen), width)


def rows(path: Path, expires_at: int | None, skip: int = 0) -> Iterator[tuple[str, Row]]:
    """The rows after the first `skip`, in the file's order; `expires_at` is for those that have none of their own."""
    for index, (_, found) in enumerate(_lines(path, expires_at)):
        if index >= skip:
            yield found


def _lines(path: Path, expires_at: int | None) -> Iterator[tuple[int, tuple[str, Row]]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _row(path, number, line, expires_at)
    except FileNotFoundError as error:
        raise UserError("there is no such file", str(path), "Name a file of feature rows.") from error
    except UnicodeDecodeError as error:
        raise UserError("the file is not UTF-8 text", str(path), _FORM) from error


def _row(path: Path, number: int, line: str, expires_at: int | None) -> tuple[str, Row]:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        raise _wrong(path, number, "it is not JSON", _FORM) from None
    if not isinstance(found, dict) or not {"entity_id", "features"} <= found.keys():
        raise _wrong(path, number, "it is no object with entity_id and features", _FORM)
    unknown = found.keys() - {"entity_id", "features", "expires_at"}
    if unknown:
        raise _wrong(path, number, f"{sorted(unknown)[0]!r} is not known", _FORM)
    entity, values, expiry = found["entity_id"], found["features"], found.get("expires_at", expires_at)
    if not isinstance(entity, str) or not entity.strip() or len(entity.encode()) > ENTITY_BYTES_MAX:
        raise _wrong(path, number, f"entity_id is no text of 1 to {ENTITY_BYTES_MAX} bytes", _FORM)
    if not isinstance(values, list) or not values or not all(_is_number(value) for value in values):
        raise _wrong(path, number, "features is no list of finite numbers", _FORM)
    if expiry is not None and (type(expiry) is not int or expiry <= 0):
        raise _wrong(path, number, "expires_at is no whole number of seconds since 1970", _FORM)
    return entity, Row(json.dumps(values), expiry)


def _is_number(value: object) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(float(value))  # type: ignore[arg-type] - a number
    except OverflowError:
        return False


def _wrong(path: Path, number: int, what: str, remedy: str) -> UserError:
    return UserError(f"line {number}: {what}", str(path), remedy)
