"""What a request must be: every fault is named by its field and its row. It needs numpy, and nothing else.

Triton itself refuses a wrong shape or data type before a model sees the request, and names the input.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # pyright: ignore[reportMissingImports]

MAX_ENTITY_ID_BYTES = 256
"""Far below DynamoDB's 2,048 bytes for a partition key; a longer id is a mistake of the caller's."""
FAULTS_TOLD = 5
"""Of one request; the rest is counted."""


@dataclass(frozen=True)
class Limits:
    """What measurements are called, in their order, and how large each may be; none may be negative."""

    names: tuple[str, ...]
    largest: tuple[float, ...]

    @classmethod
    def load(cls, path: Path) -> Limits:
        """What the training script wrote."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(told["measurements"]), tuple(told["largest"]))


def decode(ids: Any) -> list[str | None]:
    """Entity ids as text without the spaces around it; None in the place of one that is not UTF-8."""
    return [_text(raw) for raw in ids.reshape(-1)]


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None


def faults(ids: Sequence[str | None], measurements: Any, limits: Limits) -> list[str]:
    """What is wrong with a request, at most `FAULTS_TOLD` sentences and a count; rows are counted from 0."""
    # One look at the whole request: the rows are walked through only where something is wrong.
    outside = ~((measurements >= 0) & (measurements <= np.asarray(limits.largest)))  # true for NaN as well
    found = [*_faults_of_ids(ids), *(_faults_of_measurements(measurements, outside, limits) if outside.any() else ())]
    more = len(found) - FAULTS_TOLD
    return [*found[:FAULTS_TOLD], f"and {more} more"] if more > 0 else found


def _faults_of_ids(ids: Sequence[str | None]) -> Iterator[str]:
    for row, entity in enumerate(ids):
        if entity is None:
            yield f"row {row}: entity_id is not UTF-8"
        elif not entity:
            yield f"row {row}: entity_id is empty"
        elif len(entity.encode()) > MAX_ENTITY_ID_BYTES:
            yield f"row {row}: entity_id has {len(entity.encode())} bytes; it may have {MAX_ENTITY_ID_BYTES}"
        elif not entity.isprintable():
            yield f"row {row}: entity_id has a character that cannot be printed"


def _faults_of_measurements(measurements: Any, outside: Any, limits: Limits) -> Iterator[str]:
    for row, column in np.argwhere(outside):
        value, name, largest = float(measurements[row, column]), limits.names[column], limits.largest[column]
        yield f"row {row}: measurements[{column}] ({name}) is {value:g}; it must be from 0 to {largest:g}"
