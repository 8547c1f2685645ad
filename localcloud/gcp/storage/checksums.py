"""Checksums that a client declares for an upload, and whether the bytes match them.

Cloud Storage takes them as `crc32c` and `md5Hash` of the object's metadata, and as `X-Goog-Hash` and
`Content-MD5` headers: https://cloud.google.com/storage/docs/json_api/v1/parameters#xgooghash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import google_crc32c

from localcloud.gcp.wire import ApiError


@dataclass(frozen=True)
class Declared:
    """Base64 of the big-endian CRC32C and of the MD5; None where the client said nothing."""

    crc32c: str | None = None
    md5: str | None = None

    def merged(self, other: Declared) -> Declared:
        """Both declarations; `other` wins."""
        return Declared(other.crc32c or self.crc32c, other.md5 or self.md5)


def declared(metadata: Mapping[str, Any], headers: Mapping[str, str]) -> Declared:
    """What an upload's metadata and headers (lower case) declare."""
    found = {"crc32c": metadata.get("crc32c"), "md5": metadata.get("md5Hash") or headers.get("content-md5")}
    for part in headers.get("x-goog-hash", "").split(","):
        kind, _, value = part.strip().partition("=")
        if kind in found and value:
            found[kind] = value
    return Declared(found["crc32c"], found["md5"])


class Running:
    """Checksums of a body so far; the MD5 only if it will be compared, for it costs more."""

    def __init__(self, *, md5: bool) -> None:
        self._crc32c: Any = google_crc32c.Checksum()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None

    def update(self, block: bytes) -> None:
        """Add a block."""
        self._crc32c.update(block)
        if self._md5 is not None:
            self._md5.update(block)

    def copy(self) -> Running:
        """The state now."""
        other = Running(md5=False)
        other._crc32c = self._crc32c.copy()
        other._md5 = self._md5.copy() if self._md5 is not None else None
        return other

    def verify(self, expected: Declared) -> None:
        """Raise ApiError (400) if what was declared differs from the bytes."""
        actual = base64.b64encode(self._crc32c.digest()).decode()
        if expected.crc32c and expected.crc32c != actual:
            raise _mismatch("CRC32C", expected.crc32c, actual)
        if expected.md5 and self._md5 is not None:
            actual = base64.b64encode(self._md5.digest()).decode()
            if expected.md5 != actual:
                raise _mismatch("MD5", expected.md5, actual)


def _mismatch(kind: str, expected: str, actual: str) -> ApiError:
    message = f'Provided {kind} hash "{expected}" doesn\'t match calculated {kind} hash "{actual}".'
    return ApiError(400, message, reason="invalid")


def verified(blocks: Iterable[bytes], expected: Declared, running: Running) -> Iterator[bytes]:
    """The blocks, of which the last is only handed out if the checksums match. Raises ApiError (400)."""
    held: bytes | None = None
    for block in blocks:
        running.update(block)
        if held is not None:
            yield held
        held = block
    running.verify(expected)
    if held is not None:
        yield held
