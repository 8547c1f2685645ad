"""An object store in memory, for checks that need no emulator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.objects.store import ObjectInfo, ObjectMissingError


class MemoryStore:
    """A bucket as a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @property
    def bucket(self) -> str:
        return "memory"

    @property
    def uri(self) -> str:
        return "s3://memory"

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        now = datetime.now(UTC)
        return (ObjectInfo(k, len(v), now) for k, v in sorted(self.objects.items()) if k.startswith(prefix))

    def versions(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self.list(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return next((item for item in self.list(key) if item.key == key), None)

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissingError(key)
        return self.objects[key]

    def get_file(self, key: str, path: Path) -> str:
        path.write_bytes(self.get(key))
        return self.sha256(key)

    def sha256(self, key: str) -> str:
        return hashlib.sha256(self.get(key)).hexdigest()

    def put(self, key: str, data: bytes, *, only_create: bool = False, sha256: str | None = None) -> None:
        self.objects[key] = data

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        self.put(key, path.read_bytes(), sha256=sha256)

    def copy(self, source_bucket: str, source_key: str, key: str) -> None:
        self.objects[key] = self.get(source_key)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
