"""How far an upload has come, kept on this machine's disk, so that one that was killed goes on from there.

The stores keep the parts; which upload they belong to stands here alone: Cloud Storage names no session twice, and a
publisher on AWS may not list uploads. A session's address lets whoever has it write, so the file is the user's own.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.paths import cache_dir


@dataclass(frozen=True)
class Journal:
    """The record of one upload: one content to one key."""

    path: Path

    @staticmethod
    def of(uri: str, sha256: str, endpoint: str, folder: Path | None = None) -> Journal:
        """The journal of the upload of this content to this address.

        Args:
            folder: where journals lie; in the cache by default.
        """
        name = hashlib.sha256(f"{endpoint} {uri} {sha256}".encode()).hexdigest()
        return Journal((folder or cache_dir() / "uploads") / f"{name}.json")

    def read(self) -> dict[str, Any]:
        """What was written last; empty if there is nothing, or nothing that can be read."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, told: dict[str, Any]) -> None:
        """Keep `told`, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(told, file)
        partial.replace(self.path)

    def drop(self) -> None:
        """The upload has ended."""
        self.path.unlink(missing_ok=True)
