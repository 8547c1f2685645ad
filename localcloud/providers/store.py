"""Remembers which resources exist on the local cloud, for those that no emulator keeps.

One SQLite file per stack, shared by every provider process of a command.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    token TEXT NOT NULL, id TEXT NOT NULL, urn TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL,
    PRIMARY KEY (token, id)
)
"""


@dataclass(frozen=True)
class Stored:
    """One resource as the store keeps it; `outputs` holds inputs and computed properties alike."""

    token: str
    id: str
    urn: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class Store:
    """Resources by type token and physical id; safe from several threads and processes.

    A method that changes the store commits before it returns.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        # It keeps what a cloud would: addresses with tokens in them, and Kubernetes' secrets.
        file.touch(mode=0o600)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, timeout=30, check_same_thread=False)
        # The engine asks providers in parallel, and a killed command is rolled back to the last snapshot as a
        # whole, so waiting for the disk on each resource buys nothing.
        self._db.execute("PRAGMA synchronous = OFF")
        with self._lock, self._db:
            self._db.execute(_SCHEMA)

    def put(self, resource: Stored) -> None:
        """Create or replace the record."""
        row = (
            resource.token,
            resource.id,
            resource.urn,
            json.dumps(resource.inputs),
            json.dumps(resource.outputs),
        )
        with self._lock, self._db:
            self._db.execute("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?)", row)

    def get(self, token: str, physical_id: str) -> Stored | None:
        """The record, or None where there is none."""
        query = "SELECT token, id, urn, inputs, outputs FROM resources WHERE token = ? AND id = ?"
        with self._lock:
            row = self._db.execute(query, (token, physical_id)).fetchone()
        return _stored(row) if row else None

    def delete(self, token: str, physical_id: str) -> None:
        """Forget the record; nothing happens where there is none."""
        with self._lock, self._db:
            self._db.execute("DELETE FROM resources WHERE token = ? AND id = ?", (token, physical_id))

    def all(self, token: str | None = None) -> Iterator[Stored]:
        """Every record, or those of one type, ordered by type and id."""
        query = "SELECT token, id, urn, inputs, outputs FROM resources WHERE ? IS NULL OR token = ? ORDER BY 1, 2"
        with self._lock, closing(self._db.execute(query, (token, token))) as cursor:
            rows = cursor.fetchall()
        return map(_stored, rows)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()


def _stored(row: tuple[str, str, str, str, str]) -> Stored:
    token, physical_id, urn, inputs, outputs = row
    return Stored(token, physical_id, urn, json.loads(inputs), json.loads(outputs))
