"""The real fake-gcs-server behind the front server: its process, and a pool of kept connections to it.

What fake-gcs-server 1.52 lacks, and the front therefore supplies: versions and generations (its file system
backend refuses both), customer-managed keys, bucket settings, paging of lists, checks of declared checksums, and
preconditions on simple and resumable uploads and on deletes (read from its `internal/backend/fs.go`,
`fakestorage/upload.go` and `fakestorage/object.go`).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from localcloud.gcp.wire import BLOCK_BYTES, ApiError, Request, Response
from localcloud.processes.process import ServerProcess, start_on_free_ports

REMEDY: Final = "Run the command again; if it happens again, remove the local stack with `seawall local down`."

_TIMEOUT_SECONDS: Final = 120
_HOP_BY_HOP: Final = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-http-method-override",
    }
)


def start_fake_gcs(executable: Path, root: Path, log: Path, external_url: str) -> tuple[ServerProcess, int]:
    """Run fake-gcs-server: objects as files under `root`, links that point to the front server.

    Raises UserError if it does not start.
    """

    def make(ports: tuple[int, ...]) -> ServerProcess:
        (port,) = ports
        command = [str(executable), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
        command += ["-backend", "filesystem", "-filesystem-root", str(root), "-external-url", external_url]
        command += ["-log-level", "warn"]
        return ServerProcess("fake-gcs-server", command, log, remedy=REMEDY, ready=lambda: _is_healthy(port))

    process, (port,) = start_on_free_ports(make)
    return process, port


def link_tree(source: Path, target: Path) -> None:
    """Copy a folder of objects, extended attributes and all; hard links where the disk allows them.

    fake-gcs-server replaces files and never writes into one, so a linked copy stays as it is.
    """
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_or_copy, symlinks=True)
    else:
        target.mkdir(parents=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Answer:
    """An answer of fake-gcs-server. Read it to the end, or `discard` it, so that its connection is kept."""

    def __init__(self, pool: Upstream, connection: http.client.HTTPConnection, raw: http.client.HTTPResponse) -> None:
        self._pool = pool
        self._connection = connection
        self._raw = raw
        self.status = raw.status
        self.headers = raw.headers

    def read(self) -> bytes:
        """The whole body."""
        data = self._raw.read()
        self._pool.keep(self._connection)
        return data

    def blocks(self) -> Iterator[bytes]:
        """The body, block by block."""
        ended = False
        try:
            while block := self._raw.read(BLOCK_BYTES):
                yield block
            ended = True
        finally:
            self._pool.keep(self._connection) if ended else self._connection.close()

    def json(self) -> dict[str, Any]:
        """The body as an object."""
        return json.loads(self.read())

    def to_response(self) -> Response:
        """The answer handed on as it is."""
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _PASSED_NOT]
        length = self._raw.length
        if length is None or length <= BLOCK_BYTES:
            return Response(self.status, headers, self.read())
        return Response(self.status, headers, self.blocks(), length)

    def raise_error(self, not_found: ApiError | None = None) -> None:
        """Raise ApiError if this is a refusal, with fake-gcs-server's message."""
        if self.status < 400:
            return
        data = self.read()
        if self.status == 404 and not_found is not None:
            raise not_found
        try:
            message = str(json.loads(data)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            message = data.decode(errors="replace").strip() or f"fake-gcs-server answered {self.status}"
        raise ApiError(self.status, message)


_PASSED_NOT: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "date"})


class Upstream:
    """Kept connections to fake-gcs-server; as many as there are requests at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Put a connection back whose answer was read to the end."""
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def forward(self, request: Request, blocks: Iterator[bytes] | None = None) -> Answer:
        """Send a client's request on; `blocks` replaces its body (and has its length)."""
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        target = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
        source = blocks if blocks is not None else body_blocks(request)
        return self.send(request.method, target, headers, source, request.length)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        blocks: Iterator[bytes] | None = None,
        length: int | None = 0,
    ) -> Answer:
        """Send one request. `length` is the body's in bytes, None if unknown.

        An exception of `blocks` breaks the upload off, so that nothing is stored. Raises ApiError (424) if
        fake-gcs-server does not answer.
        """
        first = next(blocks, b"") if blocks is not None else b""
        for fresh in (False, True):
            connection = self._take(fresh=fresh)
            reused = connection.sock is not None
            try:
                self._start(connection, method, target, headers or {}, first, length)
            except (OSError, http.client.HTTPException) as e:
                connection.close()
                if reused:
                    continue  # fake-gcs-server closed a kept connection
                raise _unreachable(e) from e
            except BaseException:
                connection.close()
                raise
            try:
                self._rest(connection, blocks, first, length)
                return Answer(self, connection, connection.getresponse())
            except (OSError, http.client.HTTPException) as e:
                connection.close()
                small = length is not None and len(first) >= length
                if reused and small and isinstance(e, http.client.RemoteDisconnected | ConnectionResetError):
                    continue
                raise _unreachable(e) from e
            except BaseException:
                connection.close()
                raise
        raise ApiError(424, "fake-gcs-server does not answer.")

    def _take(self, *, fresh: bool) -> http.client.HTTPConnection:
        with self._lock:
            if self._idle and not fresh:
                return self._idle.pop()
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)

    def _start(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        first: bytes,
        length: int | None,
    ) -> None:
        connection.putrequest(method, target, skip_host="host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if length is None:
            connection.putheader("Transfer-Encoding", "chunked")
            first = _chunk(first) if first else b""
        elif length or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(length))
        connection.endheaders(first or None)

    def _rest(
        self, connection: http.client.HTTPConnection, blocks: Iterator[bytes] | None, first: bytes, length: int | None
    ) -> None:
        if blocks is not None and (length is None or len(first) < length):
            for block in blocks:
                connection.send(_chunk(block) if length is None else block)
        if length is None:
            connection.send(b"0\r\n\r\n")


def _chunk(block: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(block), block)


def body_blocks(request: Request) -> Iterator[bytes]:
    """A request's body, block by block."""
    while block := request.body.read(BLOCK_BYTES):
        yield block


def _unreachable(error: Exception) -> ApiError:
    # Not a 502, which Google's clients repeat for minutes: a dead server does not come back.
    return ApiError(424, f"fake-gcs-server does not answer: {type(error).__name__}: {error}")


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/_internal/healthcheck")
        return connection.getresponse().status == 200
    return False
