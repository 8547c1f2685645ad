"""An upload whose bytes are not what its checksums promise is refused."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.aws.s3.integrity import check


def promises(body: bytes) -> dict[str, str]:
    """Every header by which a client can promise a body."""
    encode = base64.b64encode
    return {
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "content-md5": encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
        "x-amz-checksum-sha256": encode(hashlib.sha256(body).digest()).decode(),
        "x-amz-checksum-sha1": encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode(),
        "x-amz-checksum-crc32": encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
    }


@given(st.binary(max_size=100))
def test_true_promises_are_accepted(body: bytes) -> None:
    assert check(promises(body), body) is None


@pytest.mark.parametrize("header", list(promises(b"")))
def test_each_broken_promise_is_refused(header: str) -> None:
    told = check({header: promises(b"a model")[header]}, b"a mode1")
    assert told is not None
    assert told.code in ("BadDigest", "XAmzContentSHA256Mismatch")


def test_a_checksum_that_is_no_base64_is_refused() -> None:
    assert check({"x-amz-checksum-sha256": "§"}, b"a model") is not None


def test_an_unsigned_payload_is_accepted() -> None:
    assert check({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"a model") is None
