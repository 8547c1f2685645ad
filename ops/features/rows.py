"""Rows of a feature store: the one form in which every kind keeps them, and those of the golden predictions.

`serving_image` ships alone and reads the same form: `tests/ops/features/test_agreement.py` and
`tests/serving_image/test_rows.py` hold the two together.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from common.errors import UserError
from common.paths import repo_root
from components.contracts import serving


@dataclass(frozen=True)
class Row:
    """One entity's features as they are stored.

    `expires_at` is in whole seconds since 1970, None if the row never expires.
    """

    features: str
    """A JSON list of numbers."""
    expires_at: int | None = None


def encode(
    rows: Mapping[str, Sequence[float]], ttl_hours: float | None, now_s: float | None = None
) -> dict[str, Row]:
    """Rows by entity id, which expire `ttl_hours` after `now_s` (seconds since 1970; None: the clock's).

    Raises:
        UserError: an entity has no id or the one that servers check themselves with, or a row has something that is
            no finite number.
    """
    expires_at = None if ttl_hours is None else int((time.time() if now_s is None else now_s) + ttl_hours * 3600)
    for entity, values in rows.items():
        if not entity:
            raise UserError("a row has no entity id", "the feature rows", "Name the entity that it belongs to.")
        if entity == serving.SELF_CHECK_ENTITY:
            raise UserError(
                "a row of the entity that servers check themselves with would never be served",
                f"entity {entity}",
                "Give the entity another id.",
            )
        if not all(math.isfinite(value) for value in values):
            raise UserError(
                "a row has a value that is no finite number",
                f"entity {entity}",
                "Write numbers that a model can take.",
            )
    return {entity: Row(json.dumps(list(values)), expires_at) for entity, values in rows.items()}


def numbers(features: str) -> list[float] | None:
    """A stored row's features; None if they cannot be read."""
    try:
        found = json.loads(features)
        return [float(value) for value in found] if isinstance(found, list) else None
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def in_batches(rows: Iterable[tuple[str, Row]], size: int) -> Iterator[list[tuple[str, Row]]]:
    """Entity ids and their rows, at most `size` at a time."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


def features_file() -> Path:
    """The rows that the training script wrote: the entities of the golden predictions."""
    return repo_root() / "serving_image" / "features" / "held_out.json"


def load_rows(path: Path | None = None) -> dict[str, tuple[float, ...]]:
    """Rows by entity id.

    Raises:
        UserError: the file is missing or truncated.
    """
    path = path or features_file()
    try:
        entities = json.loads(path.read_text(encoding="utf-8"))["entities"]
        return {str(entity): tuple(float(value) for value in row) for entity, row in entities.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"the feature rows cannot be read: {type(error).__name__}: {error}",
            str(path),
            "Write them anew with serving_image/train.py, or restore the file from version control.",
        ) from error
