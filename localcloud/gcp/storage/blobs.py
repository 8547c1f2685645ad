"""The bytes of objects: files named by their SHA-256, written once and never changed.

So equal objects share a file, a copy moves no bytes, and a snapshot is hard links. A file that no version names any
more stays until the emulator stops: the next start links what its snapshot names, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

import google_crc32c

from localcloud.gcp.storage.checksums import Declared
from localcloud.gcp.wire import BLOCK_BYTES

_INCOMING: Final = "incoming"


@dataclass(frozen=True)
class Blob:
    """Bytes that are stored. Checksums as the API writes them, in base64."""

    sha256: str
    """In hexadecimal: the file's name."""
    size_bytes: int
    crc32c: str
    md5: str


class Incoming:
    """Bytes that arrive: appended block by block, then kept or dropped."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c: Any = google_crc32c.Checksum()
        self.size_bytes = 0

    def append(self, blocks: Iterable[bytes]) -> None:
        """Add blocks. What arrived of them stays if their source breaks off."""
        for block in blocks:
            self._file.write(block)
            self.size_bytes += len(block)
            for checksum in (self._sha256, self._md5, self._crc32c):
                checksum.update(block)

    def drop(self) -> None:
        """Forget the bytes."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def finish(self, expected: Declared) -> tuple[Blob, Path]:
        """The bytes and their file, closed. Raises ApiError (400) if their checksums are not the declared ones."""
        crc32c, md5 = (base64.b64encode(c.digest()).decode() for c in (self._crc32c, self._md5))
        expected.verify(crc32c, md5)
        self._file.close()
        return Blob(self._sha256.hexdigest(), self.size_bytes, crc32c, md5), self._path


class Blobs:
    """A folder of blobs.

    Args:
        folder: is made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder / _INCOMING, ignore_errors=True)
        (folder / _INCOMING).mkdir(parents=True)

    def begin(self) -> Incoming:
        """Bytes that will arrive in parts."""
        path = self._folder / _INCOMING / uuid4().hex
        return Incoming(path.open("wb"), path)

    def keep(self, incoming: Incoming, expected: Declared) -> Blob:
        """Store what arrived. Raises ApiError (400), and stores nothing, if its checksums were declared otherwise."""
        try:
            blob, path = incoming.finish(expected)
            target = self._file(blob.sha256)
            target.parent.mkdir(exist_ok=True)
            path.replace(target)
        finally:
            incoming.drop()
        return blob

    def add(self, blocks: Iterable[bytes], expected: Declared) -> Blob:
        """Store bytes that arrive at once; see `keep`."""
        incoming = self.begin()
        try:
            incoming.append(blocks)
        except BaseException:
            incoming.drop()
            raise
        return self.keep(incoming, expected)

    def read(self, sha256: str, start: int, size_bytes: int) -> Iterator[bytes]:
        """A part of a blob, block by block."""
        with self._file(sha256).open("rb") as file:
            file.seek(start)
            while size_bytes > 0 and (block := file.read(min(BLOCK_BYTES, size_bytes))):
                size_bytes -= len(block)
                yield block

    def link_into(self, folder: Path, chosen: Iterable[str]) -> None:
        """Make these blobs appear in another folder too. Raises OSError."""
        for sha256 in set(chosen):
            link(self._file(sha256), folder / self._file(sha256).relative_to(self._folder))

    def _file(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


def link(source: Path, target: Path) -> None:
    """Make a file appear at another path too: a hard link where the disk allows it, else a copy. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def link_all(source: Path, target: Path) -> None:
    """Make every blob of a folder appear in another folder too. Raises OSError."""
    for file in source.glob("??/*"):
        link(file, target / file.relative_to(source))
