"""Checksums that a client declares for an upload, and whether the bytes match them.

Cloud Storage takes them as `crc32c` and `md5Hash` of the object's metadata, and as `X-Goog-Hash` and
`Content-MD5` headers: https://cloud.google.com/storage/docs/json_api/v1/parameters#xgooghash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.gcp.wire import ApiError


@dataclass(frozen=True)
class Declared:
    """Base64 of the big-endian CRC32C and of the MD5; None where the client said nothing."""

    crc32c: str | None = None
    md5: str | None = None

    def merged(self, other: Declared) -> Declared:
        """Both declarations; `other` wins."""
        return Declared(other.crc32c or self.crc32c, other.md5 or self.md5)

    def verify(self, crc32c: str, md5: str) -> None:
        """Raise ApiError (400) if the bytes have other checksums than declared."""
        for kind, expected, actual in (("CRC32C", self.crc32c, crc32c), ("MD5", self.md5, md5)):
            if expected and expected != actual:
                message = f'Provided {kind} hash "{expected}" doesn\'t match calculated {kind} hash "{actual}".'
                raise ApiError(400, message, reason="invalid")


def declared(metadata: Mapping[str, Any], headers: Mapping[str, str]) -> Declared:
    """What an upload's metadata and headers (lower case) declare."""
    found = {"crc32c": metadata.get("crc32c"), "md5": metadata.get("md5Hash") or headers.get("content-md5")}
    for part in headers.get("x-goog-hash", "").split(","):
        kind, _, value = part.strip().partition("=")
        if kind in found and value:
            found[kind] = value
    return Declared(found["crc32c"], found["md5"])
