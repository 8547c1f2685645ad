"""The Google Cloud emulator's own state: JSON documents by kind and name, in memory and in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from common.errors import UserError

_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS documents (kind TEXT, name TEXT, body TEXT, PRIMARY KEY (kind, name))"

Document = Mapping[str, Any]


def _make_private(file: Path) -> None:
    """Make the file, for its owner alone: passwords and private keys of instances are in it."""
    file.touch(mode=0o600)


class DocumentStore:
    """Documents that survive the process. Safe from several threads; a document handed out is never changed.

    Raises UserError if the file is no store.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.RLock()
        self._documents: dict[str, dict[str, Document]] = {}
        try:
            _make_private(file)
            self._db = sqlite3.connect(file, timeout=30, check_same_thread=False, isolation_level=None)
            # A command that is killed goes back to its stack's last snapshot as a whole.
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute(_SCHEMA)
            for kind, name, body in self._db.execute("SELECT kind, name, body FROM documents"):
                self._documents.setdefault(kind, {})[name] = json.loads(body)
        except (sqlite3.DatabaseError, ValueError) as e:
            raise UserError(
                f"the Google Cloud emulator's state cannot be read: {e}",
                str(file),
                "Remove the local stack with `seawall local down` and bring it up again.",
            ) from e

    @property
    def lock(self) -> threading.RLock:
        """Held while a document is read, decided on and written."""
        return self._lock

    def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        return self._documents.get(kind, {}).get(name)

    def put(self, kind: str, name: str, document: Document) -> Document:
        """Create or replace it, and hand it back."""
        body = json.dumps(document, separators=(",", ":"))
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, name, body))
            self._documents.setdefault(kind, {})[name] = document
        return document

    def delete(self, kind: str, name: str) -> None:
        """Forget it; nothing happens where there is none."""
        with self._lock:
            self._db.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))
            self._documents.get(kind, {}).pop(name, None)

    def all(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """Name and document of each whose name starts with `prefix`, by name."""
        with self._lock:
            found = sorted((n, d) for n, d in self._documents.get(kind, {}).items() if n.startswith(prefix))
        return iter(found)

    def save(self, file: Path) -> None:
        """Write a copy of the store."""
        _make_private(file)
        with self._lock, closing(sqlite3.connect(file)) as copy:
            self._db.backup(copy)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()
