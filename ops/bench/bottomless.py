"""An S3 endpoint whose large objects are zeros that lie nowhere: what moves them is measured, and nothing else."""

from __future__ import annotations

import hashlib
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

CHUNK: Final = bytes(2**20)
STAMP: Final = "2026-01-01T00:00:00.000Z"
HTTP_STAMP: Final = "Thu, 01 Jan 2026 00:00:00 GMT"

Objects = dict[tuple[str, str], bytes | int]
"""By bucket and key: the content, or how many zeros it is."""


@contextmanager
def serving(objects: Objects) -> Iterator[str]:
    """The endpoint's address, for the length of a block; `objects` is what it holds, before and after."""

    class Handler(_Handler):
        held = objects

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: Objects

    def do_GET(self) -> None:
        bucket, key = self._named()
        if not key:
            self._answer(_listing({k: _size(v) for (b, k), v in self.held.items() if b == bucket}))
            return
        found = self.held.get((bucket, key))
        if found is None:
            self._answer(b"<Error><Code>NoSuchKey</Code></Error>", 404)
            return
        self._head(_size(found))
        if isinstance(found, bytes):
            self.wfile.write(found)
            return
        for start in range(0, found, len(CHUNK)):
            self.wfile.write(CHUNK[: found - start])

    def do_HEAD(self) -> None:
        found = self.held.get(self._named())
        self._head(_size(found) if found is not None else 0, 200 if found is not None else 404)

    def do_PUT(self) -> None:
        source = self.headers.get("x-amz-copy-source")
        if source:
            bucket, _, key = unquote(source).lstrip("/").partition("/")
            self.held[self._named()] = self.held[bucket, key]
            self._answer(f"<CopyObjectResult><LastModified>{STAMP}</LastModified></CopyObjectResult>".encode())
            return
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.held[self._named()] = content
        self._answer(b"", checksum=b64encode(hashlib.sha256(content).digest()).decode())

    def do_DELETE(self) -> None:
        self.held.pop(self._named(), None)
        self._answer(b"", 204)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _named(self) -> tuple[str, str]:
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        return bucket, key

    def _head(self, size: int, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        self.send_header("Last-Modified", HTTP_STAMP)
        self.end_headers()

    def _answer(self, body: bytes, status: int = 200, checksum: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if checksum:
            self.send_header("x-amz-checksum-sha256", checksum)
        self.end_headers()
        self.wfile.write(body)


def _size(held: bytes | int) -> int:
    return held if isinstance(held, int) else len(held)


def _listing(sizes: dict[str, int]) -> bytes:
    items = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>{STAMP}</LastModified></Contents>"
        for key, size in sorted(sizes.items())
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>".encode()
