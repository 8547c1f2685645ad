"""What every object store offers: S3 and Cloud Storage behind one small interface."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

SMALL_OBJECT_BYTES = 8 * 1024 * 1024
"""Up to this size an object travels in one request; above it in parts. S3 takes parts from 5 MiB."""


def file_sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ObjectMissingError(Exception):
    """There is no object with this key."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} does not exist")
        self.uri = uri


class ObjectExistsError(Exception):
    """A write that was only to create found an object with this key."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} exists already")
        self.uri = uri


class ObjectChangedError(Exception):
    """A write that was to replace one version found another, or none."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} was changed meanwhile")
        self.uri = uri


class ChecksumMismatchError(Exception):
    """The bytes that arrived are not those that were sent or expected."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri}: the checksum does not match")
        self.uri = uri


@dataclass(frozen=True)
class ObjectInfo:
    """An object as a listing shows it; `version` is S3's version id or Cloud Storage's generation, if known."""

    key: str
    size: int
    modified: datetime
    version: str | None = None


@dataclass(frozen=True)
class Tagged:
    """An object's bytes, and the tag of the version that has them: `put` takes it as `only_over`."""

    data: bytes
    tag: str


class ObjectStore(Protocol):
    """One bucket. Safe to use from several threads.

    Every method raises `common.errors.UserError` if the endpoint gives no answer, the bucket does not exist, or the
    caller may not do this. Writes carry a checksum that the store checks before it keeps the object.
    """

    @property
    def bucket(self) -> str: ...

    @property
    def uri(self) -> str:
        """`s3://bucket` or `gs://bucket`."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every current object whose key starts with `prefix`, in key order, page by page."""
        ...

    def versions(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every kept version of every object, superseded ones included; delete markers are not objects."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """The object's size and age, or None if there is none."""
        ...

    def get(self, key: str, version: str | None = None) -> bytes:
        """The whole object, or a version of it that is no longer the current one.

        Raises ObjectMissingError, or ChecksumMismatchError if the store knows its checksum.
        """
        ...

    def get_tagged(self, key: str) -> Tagged:
        """The whole object with its version's tag; raises as `get`."""
        ...

    def get_file(self, key: str, path: Path) -> str:
        """Writes the object to `path` and returns its SHA-256 (hex) as it arrived. Raises ObjectMissingError."""
        ...

    def sha256(self, key: str, version: str | None = None) -> str:
        """The SHA-256 (hex) of the object's bytes, read in full and kept nowhere. Raises ObjectMissingError."""
        ...

    def put(
        self,
        key: str,
        data: bytes,
        *,
        only_create: bool = False,
        only_over: str | None = None,
        sha256: str | None = None,
    ) -> None:
        """Writes the object in one request. With `only_create`, raises ObjectExistsError instead of replacing.

        With `only_over`, a tag of `get_tagged`, raises ObjectChangedError instead of replacing any other version.
        `sha256` (hex) saves hashing `data` again where the caller has done so.
        """
        ...

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        """Writes a file of any size; a large one goes on where an upload of the same content was interrupted.

        With `sha256` (hex) raises ChecksumMismatchError, and writes nothing, if the bytes that are sent are others,
        also where the file changes while it is read.
        """
        ...

    def copy(self, source_bucket: str, source_key: str, key: str, version: str | None = None) -> None:
        """Copies within the same cloud without moving the bytes through this machine. Raises ObjectMissingError.

        `version` is the source's; the current one by default.
        """
        ...

    def delete(self, key: str) -> None:
        """Deletes the current version; deleting what does not exist is no error."""
        ...

    def purge(self, key: str, version: str) -> None:
        """Deletes one version for good, as far as the store lets the caller. Raises ObjectMissingError."""
        ...
