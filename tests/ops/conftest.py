"""What tests of operators' code share: a bucket that can crash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import pytest

from ops.objects.store import ObjectExistsError, ObjectInfo, ObjectMissingError


class CrashError(Exception):
    """The publisher's machine lost power."""


class MemoryStore:
    """A bucket in memory. With `crash_at`, its n-th write fails, before or after it took effect."""

    bucket = "bucket"
    uri = "mem://bucket"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.crash_at: int | None = None
        self.crash_after_effect = False
        self.writes = 0
        self._lock = Lock()

    def _write(self, change: Callable[[], object]) -> None:
        with self._lock:
            self.writes += 1
            crashes = self.crash_at is not None and self.writes >= self.crash_at
            if crashes and not (self.crash_after_effect and self.writes == self.crash_at):
                raise CrashError
            change()
            if crashes:
                raise CrashError

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield ObjectInfo(key, len(self.objects[key]), datetime(2024, 1, 1, tzinfo=UTC))

    def versions(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self.list(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return next((item for item in self.list(key) if item.key == key), None)

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissingError(f"{self.uri}/{key}")
        return self.objects[key]

    def get_file(self, key: str, path: Path) -> str:
        data = self.get(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def sha256(self, key: str) -> str:
        return hashlib.sha256(self.get(key)).hexdigest()

    def put(self, key: str, data: bytes, *, only_create: bool = False, sha256: str | None = None) -> None:
        assert sha256 is None or sha256 == hashlib.sha256(data).hexdigest()
        if only_create and key in self.objects:
            raise ObjectExistsError(f"{self.uri}/{key}")
        self._write(lambda: self.objects.__setitem__(key, data))

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        self.put(key, path.read_bytes(), sha256=sha256)

    def copy(self, source_bucket: str, source_key: str, key: str) -> None:
        assert source_bucket == self.bucket
        self.put(key, self.get(source_key))

    def delete(self, key: str) -> None:
        self._write(lambda: self.objects.pop(key, None))


@pytest.fixture
def make_memory_store() -> Callable[[], MemoryStore]:
    return MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def crash() -> type[CrashError]:
    return CrashError
