"""The store's own note of how many rows were loaded: by it a drill sees that some are gone."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Final

from common.target import Target
from ops.features.rows import Row, encode, numbers
from ops.features.store import FeatureStore, Rows, open_rows

GRAIN_S: Final = 60
"""A note is not written again for less than this."""
NOTE: Final = "seawall-loaded"
"""The entity id of the note: a row like any other, which no model asks for."""


def note_load(store: Rows, count: int, expires_at: int | None) -> None:
    """Note a load of `count` rows, unless a larger one is still in force.

    Raises:
        UserError: the store cannot be reached or refuses it.
    """
    found = store.fetch([NOTE])
    known, until = loaded(found, time.time()), found[NOTE].expires_at if NOTE in found else None
    if count > known or (count == known and (expires_at or 0) > (until or 0) + GRAIN_S):
        store.write({NOTE: Row(json.dumps([float(count)]), expires_at)})


def load(store: FeatureStore, target: Target, rows: Mapping[str, Sequence[float]], ttl_hours: float) -> int:
    """Write rows over older ones of the same entities, and note how many; return it.

    Raises:
        UserError: the store cannot be reached or refuses them.
    """
    encoded, opened = encode(rows, ttl_hours), open_rows(store, target)
    opened.write(encoded)
    note_load(opened, len(encoded), max((row.expires_at or 0 for row in encoded.values()), default=0))
    return len(encoded)


def loaded(rows: Mapping[str, Row], now_s: float) -> int:
    """Rows of the largest load that is in force, by the note among `rows`; 0 where there is none."""
    note = rows.get(NOTE)
    if note is None or (note.expires_at is not None and note.expires_at <= now_s):
        return 0
    found = numbers(note.features)
    return int(found[0]) if found and len(found) == 1 else 0


def without_note(rows: Mapping[str, Row]) -> dict[str, Row]:
    """The rows themselves."""
    return {entity: row for entity, row in rows.items() if entity != NOTE}
