"""Refuses an upload whose bytes are not those that its checksums promise, as S3 does and moto does not."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-")


@dataclass(frozen=True)
class Mismatch:
    """An S3 error code and its message."""

    code: str
    message: str


def check(headers: Mapping[str, str], body: bytes) -> Mismatch | None:
    """Compare a body with every digest that the (lower-case) headers promise; None if all agree."""
    signed = headers.get("x-amz-content-sha256", "")
    is_streamed = signed.startswith("STREAMING-")
    if signed and not signed.startswith(_UNSIGNED) and signed != hashlib.sha256(body).hexdigest():
        return Mismatch(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    if is_streamed:
        return None  # framed in chunks: moto takes it apart
    md5 = headers.get("content-md5")
    if md5 and not _equal(md5, hashlib.md5(body, usedforsecurity=False).digest()):
        return Mismatch("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for name, compute in (
        ("sha256", lambda: hashlib.sha256(body).digest()),
        ("sha1", lambda: hashlib.sha1(body, usedforsecurity=False).digest()),
        ("crc32", lambda: zlib.crc32(body).to_bytes(4, "big")),
    ):
        promised = headers.get(f"x-amz-checksum-{name}")
        if promised and not _equal(promised, compute()):
            return Mismatch("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")
    return None


def _equal(promised: str, actual: bytes) -> bool:
    try:
        return base64.b64decode(promised, validate=True) == actual
    except (binascii.Error, ValueError):
        return False
