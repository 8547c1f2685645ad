"""Uploads: the protocol's corners, and checksums that are compared before anything is stored."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.storage.checksums import Declared, Running, declared, verified
from localcloud.gcp.storage.rules import check_conditions, page
from localcloud.gcp.storage.uploads import Part, content_range, incomplete, split_multipart
from localcloud.gcp.wire import ApiError


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_blocks_with_the_declared_checksums_pass_unchanged(blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    expected = Declared(crc32c(data), md5(data))
    assert b"".join(verified(blocks, expected, Running(md5=True))) == data


@given(st.lists(st.binary(min_size=1), min_size=1, max_size=5), st.sampled_from(["crc32c", "md5"]))
def test_the_last_block_is_withheld_when_a_checksum_is_wrong(blocks: list[bytes], kind: str) -> None:
    other = b"".join(blocks) + b"!"
    wrong = Declared(crc32c=crc32c(other)) if kind == "crc32c" else Declared(md5=md5(other))
    passed: list[bytes] = []

    def run(source: Iterator[bytes]) -> None:
        passed.extend(source)

    with pytest.raises(ApiError, match="doesn't match"):
        run(verified(blocks, wrong, Running(md5=True)))
    assert passed == blocks[:-1]


def test_checksums_are_taken_from_metadata_and_headers() -> None:
    found = declared({"crc32c": "a"}, {"x-goog-hash": "crc32c=b,md5=c=="})
    assert found == Declared("b", "c==")


BOUNDARY = "multipart/related; boundary==b=="


def body(metadata: bytes, media: bytes, line: bytes = b"\r\n") -> bytes:
    parts = [b"--=b==", b"content-type: application/json", b"", metadata]
    parts += [b"--=b==", b"content-type: text/plain", b"", media, b"--=b==--", b""]
    return line.join(parts)


@given(st.binary())
def test_any_media_is_cut_out_of_a_multipart_upload(media: bytes) -> None:
    if b"--=b==" in media:
        return
    data = body(b'{"name": "x"}', media)
    metadata, start, end = split_multipart('multipart/related; boundary="=b=="', data)
    assert (metadata, data[start:end]) == ({"name": "x"}, media)


@pytest.mark.parametrize("data", [b"", b"--=b==\r\n", body(b"{nonsense", b"x"), b"--=b==\r\n\r\n{}\r\n--=b==--"])
def test_a_malformed_multipart_upload_is_refused(data: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        split_multipart('multipart/related; boundary="=b=="', data)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("header", "received", "length", "expected"),
    [
        (None, 0, 5, Part(0, is_last=True)),
        ("bytes 0-9/20", 0, 10, Part(0, is_last=False)),
        ("bytes 10-19/20", 10, 10, Part(10, is_last=True)),
        ("bytes 0-9/*", 0, 10, Part(0, is_last=False)),
        ("bytes */20", 20, 0, Part(20, is_last=True)),
        ("bytes */20", 10, 0, Part(10, is_last=False, is_query=True)),
        ("bytes */*", 10, 0, Part(10, is_last=False, is_query=True)),
    ],
)
def test_a_content_range_says_what_a_request_carries(
    header: str | None, received: int, length: int, expected: Part
) -> None:
    assert content_range(header, received, length) == expected


def test_nothing_received_yet_is_said_without_a_range() -> None:
    assert incomplete(0).headers == []


LIVE = {"generation": "7"}


@pytest.mark.parametrize(
    ("query", "live"),
    [
        ({"ifGenerationMatch": "0"}, True),
        ({"ifGenerationMatch": "8"}, True),
        ({"ifGenerationMatch": "7"}, False),
        ({"ifGenerationNotMatch": "7"}, True),
        ({"ifMetagenerationMatch": "2"}, True),
    ],
)
def test_a_condition_that_does_not_hold_is_refused(query: dict[str, str], live: bool) -> None:
    with pytest.raises(ApiError) as refused:
        check_conditions(query, LIVE if live else None)
    assert refused.value.code == 412


def test_generation_zero_means_that_nothing_is_there() -> None:
    check_conditions({"ifGenerationMatch": "0"}, None)


@given(st.integers(1, 5), st.sets(st.text("abc/", min_size=1, max_size=4), max_size=12))
def test_pages_together_hold_every_object_once(size: int, names: set[str]) -> None:
    items = [{"name": n, "generation": "1"} for n in sorted(names)]
    seen: list[str] = []
    token = ""
    while True:
        found = page(items, [], {"maxResults": str(size), **({"pageToken": token} if token else {})})
        seen += [i["name"] for i in found.get("items", [])]
        token = found.get("nextPageToken", "")
        if not token:
            break
    assert seen == sorted(names)
