"""A large file on its way to the disk: which of its parts are there, and the digest of those that follow one another.

What is on the disk is hashed, not what arrived: whatever a dying machine left in a part is found. It is hashed while
later parts are still on their way, so that the last part is not followed by a wait for all.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_HASH_BYTES: Final = 1024 * 1024


class GrowingFile:
    """A file of `size` bytes with holes at `data`, and a journal of what has arrived. Safe for several threads.

    Args:
        part_bytes: of each part but the last; parts of another size that a journal tells of count for nothing.
    """

    def __init__(self, data: Path, journal: Path, size: int, part_bytes: int) -> None:
        self._data, self._journal, self._size, self._part_bytes = data, journal, size, part_bytes
        if data.exists() and data.stat().st_size == size:
            self._arrived = _arrived(journal, part_bytes)
        else:
            journal.unlink(missing_ok=True)
            self._arrived: set[int] = set()
            with data.open("wb") as made:
                made.truncate(size)
        self._hashed, self._digest, self._hashing = 0, hashlib.sha256(), False
        self._lock, self._journal_lock = threading.Lock(), threading.Lock()

    def missing(self) -> Sequence[tuple[int, int]]:
        """Start and length of each part that is to come, in order."""
        starts = range(0, self._size, self._part_bytes)
        return [(start, min(self._part_bytes, self._size - start)) for start in starts if start not in self._arrived]

    def arrived(self, start: int) -> None:
        """Write down that this part is on the disk, and hash what can be hashed by now."""
        with self._journal_lock, self._journal.open("a") as told:
            told.write(f"{self._part_bytes}:{start}\n")
        with self._lock:
            self._arrived.add(start)
        self._hash_on()

    def is_whole(self, sha256: str) -> bool:
        """Whether every part is there, and all of it has this digest."""
        self._hash_on()
        return self._hashed >= self._size and self._digest.hexdigest() == sha256

    def drop(self) -> None:
        """Remove what is there."""
        self._journal.unlink(missing_ok=True)
        self._data.unlink(missing_ok=True)

    def move(self, to: Path) -> None:
        """Put the file where it belongs, and forget its parts."""
        self._data.rename(to)
        self._journal.unlink(missing_ok=True)

    def _hash_on(self) -> None:
        """One thread at a time; it looks again after each part, so that no part that arrives meanwhile is left."""
        while True:
            with self._lock:
                if self._hashing or self._hashed not in self._arrived:
                    return
                self._hashing = True
            self._hash(self._hashed, min(self._part_bytes, self._size - self._hashed))
            with self._lock:
                self._hashed += self._part_bytes
                self._hashing = False

    def _hash(self, start: int, length: int) -> None:
        view = memoryview(bytearray(min(_HASH_BYTES, length)))
        descriptor = os.open(self._data, os.O_RDONLY)
        try:
            while length and (got := os.preadv(descriptor, [view[: min(length, len(view))]], start)):
                self._digest.update(view[:got])
                start, length = start + got, length - got
        finally:
            os.close(descriptor)


def _arrived(journal: Path, part_bytes: int) -> set[int]:
    """Start of each part that arrived whole; a line that was cut off counts for nothing."""
    text = journal.read_text() if journal.exists() else ""
    pairs = (line.split(":") for line in text[: text.rfind("\n") + 1].splitlines())
    numbers = ((int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2 and all(p.isdigit() for p in pair))
    return {start for size, start in numbers if size == part_bytes and start % part_bytes == 0}
