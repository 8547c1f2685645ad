"""Uploads: the protocol's corners, and checksums that are compared before anything is stored."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.storage.blobs import Blobs
from localcloud.gcp.storage.checksums import Declared, declared
from localcloud.gcp.storage.rules import byte_range, check_conditions, page
from localcloud.gcp.storage.uploads import Multipart, Part, content_range, incomplete, split_multipart
from localcloud.gcp.wire import ApiError


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_blocks_with_the_declared_checksums_are_stored_as_they_came(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes]
) -> None:
    data, blobs = b"".join(blocks), Blobs(tmp_path_factory.mktemp("blobs"))
    blob = blobs.add(blocks, Declared(crc32c(data), md5(data)))
    assert b"".join(blobs.read(blob.sha256, 0, blob.size_bytes)) == data


@pytest.mark.parametrize("wrong", [Declared(crc32c="AAAAAA=="), Declared(md5="AAAAAAAAAAAAAAAAAAAAAA==")])
def test_bytes_with_another_checksum_leave_no_file(tmp_path: Path, wrong: Declared) -> None:
    with pytest.raises(ApiError, match="doesn't match"):
        Blobs(tmp_path).add([b"x"], wrong)
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_an_upload_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ApiError(400, "the connection ended")

    with pytest.raises(ApiError, match="ended"):
        Blobs(tmp_path).add(broken(), Declared())
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_a_linked_copy_has_what_is_in_use_and_nothing_else(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    kept, _gone = (blobs.add([data], Declared()) for data in (b"kept", b"gone"))
    blobs.link_into(tmp_path / "copy", [kept.sha256, kept.sha256])
    copied = [f for f in (tmp_path / "copy").rglob("*") if f.is_file()]
    assert [(f.read_bytes(), f.stat().st_nlink) for f in copied] == [(b"kept", 2)]


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
    found = split_multipart('multipart/related; boundary="=b=="', data)
    assert found == Multipart({"name": "x"}, "text/plain", media)


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


LIVE = {"generation": "7", "metageneration": "1"}


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
        found = page(items, {"maxResults": str(size), **({"pageToken": token} if token else {})})
        seen += [i["name"] for i in found.get("items", [])]
        token = found.get("nextPageToken", "")
        if not token:
            break
    assert seen == sorted(names)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=2-4", (2, 3)),
        ("bytes=7-", (7, 3)),
        ("bytes=7-99", (7, 3)),
        ("bytes=-3", (7, 3)),
        ("bytes=-99", (0, 10)),
        ("lines=1-2", None),
    ],
)
def test_a_range_of_ten_bytes_is_cut_to_them(header: str | None, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=5-4"])
def test_a_range_that_holds_no_byte_is_refused(header: str) -> None:
    with pytest.raises(ApiError) as refused:
        byte_range(header, 10)
    assert refused.value.code == 416
