"""Ranges of objects are read whole over one connection, or left to the SDK; never cut in silence."""

from __future__ import annotations

import contextlib
import socket
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from serving_image.release_fetch.problems import NoAnswerError
from serving_image.release_fetch.ranges import BUFFER_BYTES, Ranges
from serving_image.release_fetch.sigv4 import Signer

BODY = bytes(range(256)) * (3 * BUFFER_BYTES // 256) + b"the end"


def partial(body: bytes, more: str = "", length: int | None = None) -> bytes:
    told = len(body) if length is None else length
    return f"HTTP/1.1 206 Partial Content\r\nContent-Length: {told}\r\n{more}\r\n".encode() + body


@contextmanager
def served(*connections: list[bytes]) -> Iterator[tuple[str, list[int]]]:
    """A server that gives each connection its answers, and hangs up; tells how many requests each got.

    A client that hangs up before it has read all ends its connection, not the server.
    """
    asked: list[int] = []

    def serve(listening: socket.socket) -> None:
        for answers in connections:
            try:
                stream, _ = listening.accept()
            except OSError:
                return
            asked.append(0)
            with stream, contextlib.suppress(ConnectionError):
                for answer in answers:
                    if not stream.recv(65536):
                        break
                    asked[-1] += 1
                    stream.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=[listening], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def read(ranges: Ranges, length: int = len(BODY)) -> tuple[bool, bytes]:
    got = bytearray()
    return ranges.read("/x", [("range", f"bytes=0-{length - 1}")], length, got.extend), bytes(got)


def test_a_body_of_several_buffers_arrives_whole_and_the_connection_is_used_again() -> None:
    with served([partial(BODY), partial(b"a"), partial(b"")]) as (address, asked):
        ranges = Ranges(address, None)
        assert [read(ranges) for _ in range(3)] == [(True, BODY), (True, b"a"), (True, b"")]
        assert asked == [3]


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    with served([partial(b"a")], [partial(b"b")]) as (address, asked):
        ranges = Ranges(address, None)
        assert [read(ranges), read(ranges)] == [(True, b"a"), (True, b"b")] and asked == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 307 Elsewhere\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        partial(b"a", length=len(BODY) + 1),
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nX: " + b"x" * 70_000,
    ],
    ids=["refused", "whole", "elsewhere", "chunked", "too much", "strange", "endless head"],
)
def test_another_answer_is_left_to_the_sdk(answer: bytes) -> None:
    with served([answer]) as (address, _):
        assert read(Ranges(address, None)) == (False, b"")


@pytest.mark.parametrize(
    "answer", [partial(BODY)[:-1], partial(b"", length=1), b"HTTP/1.1 206 Par"], ids=["body", "first byte", "head"]
)
def test_an_answer_that_breaks_off_is_no_answer(answer: bytes) -> None:
    with served([answer]) as (address, _), pytest.raises(NoAnswerError, match="broke off"):
        read(Ranges(address, None))


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(NoAnswerError, match="ConnectionRefusedError"):
        read(Ranges(address, None))


def test_a_disk_that_is_full_is_not_taken_for_a_network_that_is_gone() -> None:
    def full(_data: Any) -> None:
        raise OSError(28, "No space left on device")

    with served([partial(BODY)]) as (address, _), pytest.raises(OSError, match="No space"):
        Ranges(address, None).read("/x", [], len(BODY), full)


def test_a_proxy_is_left_to_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert read(Ranges("http://storage.example", None)) == (False, b"")


@given(
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    host=st.sampled_from(["s3.example:9000", "bucket.s3.eu-west-1.amazonaws.com", "127.0.0.1:80"]),
    start=st.integers(0, 2**43),
    by=st.builds(
        ReadOnlyCredentials,
        st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=32),
        st.text(min_size=1).filter(lambda text: text.isprintable()),
        st.none() | st.text(string.ascii_letters + string.digits + "+/= ", min_size=1).map(str.strip).filter(bool),
    ),
    at_s=st.lists(st.integers(1_700_000_000, 4_000_000_000), min_size=1, max_size=3),
)
def test_a_signature_is_the_one_that_botocores_own_signer_makes(
    key: str, host: str, start: int, by: Any, at_s: list[int]
) -> None:
    signer, path, wanted = Signer("eu-west-1", host), f"/bucket/{quote(key, safe='/~')}", f"bytes={start}-{start + 9}"
    for at in at_s:  # one signer, whose key is another each day
        ours = dict(signer.headers(path, wanted, by, at))
        request: Any = AWSRequest("GET", f"https://{host}{path}", headers={"Range": wanted, "Host": host})
        theirs: Any = S3SigV4Auth(by, "s3", "eu-west-1")
        request.context |= {
            "timestamp": ours["x-amz-date"],
            "client_config": Config(s3={"payload_signing_enabled": True}),
        }
        theirs._modify_request_before_signing(request)
        text = theirs.string_to_sign(request, theirs.canonical_request(request))
        theirs._inject_signature_to_request(request, theirs.signature(text, request))
        for name, value in ours.items():
            assert request.headers[name] == value
