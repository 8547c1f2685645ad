"""Reads ranges of objects over HTTP/1.1 that stays open, into one buffer for each thread; no client of a cloud's.

A cloud's SDK takes a millisecond for a small object, and copies each byte of a large one several times. What is not
answered with the bytes asked for (a refusal, a redirection) is left to the SDK, which knows what every answer means;
so is everything where a proxy stands between.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from .problems import NoAnswerError

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 30
BUFFER_BYTES: Final = 512 * 1024
HEAD_BYTES_MAX: Final = 64 * 1024
PARTIAL: Final = 206

Write = Callable[[bytes | memoryview], object]
"""Takes bytes that are there for the length of the call."""


class _OtherAnswerError(Exception):
    """An answer that is for the SDK."""


class Ranges:
    """Objects of one server. Safe to use from several threads, each of which keeps one connection.

    Args:
        address: scheme, host and maybe port, as `https://storage.googleapis.com`.
        authorities: a file of those that may vouch for the server, instead of the usual ones.
    """

    def __init__(self, address: str, authorities: str | None) -> None:
        parts = urlsplit(address)
        self.host = parts.netloc
        self._name, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._proxied = parts.scheme in getproxies() and not proxy_bypass(self._name)
        self._tls = None
        if parts.scheme == "https" and not self._proxied:
            self._tls = ssl.create_default_context(cafile=authorities)
        self._own = threading.local()

    def read(self, target: str, headers: Iterable[tuple[str, str]], length: int, write: Write) -> bool:
        """Hand the range that `headers` ask for on to `write`; False if the answer is something else.

        Raises:
            NoAnswerError: there is no answer, or it breaks off.
        """
        if self._proxied:
            return False
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        request = f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\n{lines}\r\n".encode("latin-1")
        kept: _Connection | None = getattr(self._own, "connection", None)
        self._own.connection = None
        try:
            if kept is None or not kept.ask(request):  # the server may have hung up on one that was kept
                kept = _Connection(self._connect(), self._buffer())
                if not kept.ask(request):
                    raise NoAnswerError(f"{self.host}: the connection was closed before an answer")
            if kept.take(length, write):
                self._own.connection = kept
        except _OtherAnswerError:
            return False
        else:
            return True
        finally:
            if kept is not None and self._own.connection is None:
                kept.close()

    def _buffer(self) -> bytearray:
        found: bytearray | None = getattr(self._own, "buffer", None)
        if found is None:
            found = self._own.buffer = bytearray(BUFFER_BYTES)
        return found

    def _connect(self) -> socket.socket:
        try:
            with ExitStack() as opened:
                plain = opened.enter_context(socket.create_connection((self._name, self._port), CONNECT_TIMEOUT_S))
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream = plain
                if self._tls:
                    plain.settimeout(READ_TIMEOUT_S)
                    stream = self._tls.wrap_socket(plain, server_hostname=self._name)
                else:  # the kernel's own time limit, so that one call may wait for a whole buffer
                    plain.settimeout(None)
                    for limit in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                        plain.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", READ_TIMEOUT_S, 0))
                opened.pop_all()
                return stream
        except OSError as error:
            raise _no_answer(error) from error


class _Connection:
    """One connection, and what of the answer lies in its buffer."""

    def __init__(self, stream: socket.socket, buffer: bytearray) -> None:
        self._stream, self._bytes, self._view = stream, buffer, memoryview(buffer)
        self._start = self._end = 0
        self._whole = 0 if isinstance(stream, ssl.SSLSocket) else socket.MSG_WAITALL

    def close(self) -> None:
        self._stream.close()

    __del__ = close  # with the thread that kept it

    def ask(self, request: bytes) -> bool:
        """Send it and wait for the first bytes of the answer; False if the server hung up instead."""
        self._start = self._end = 0
        try:
            self._stream.sendall(request)
            self._end = self._stream.recv_into(self._view)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            self.close()
            return False
        except OSError as error:
            raise _no_answer(error) from error
        if not self._end:
            self.close()
        return self._end > 0

    def take(self, length: int, write: Write) -> bool:
        """Hand the body on; says whether the connection can be used again."""
        size, stays = self._head()
        if size > length:
            raise _OtherAnswerError
        left, view = size, self._view
        start, end = self._start, self._end
        while True:
            goal = min(left, BUFFER_BYTES)
            while end - start < goal and end < BUFFER_BYTES:
                end += self._receive(view[end : start + goal], self._whole)
            count = min(end - start, left)
            if count:
                write(view[start : start + count])
            left -= count
            if not left:
                return stays and start + count == end
            start = end = 0

    def _receive(self, into: memoryview, flags: int = 0) -> int:
        try:
            got = self._stream.recv_into(into, 0, flags)
        except OSError as error:
            raise _no_answer(error) from error
        if not got:
            raise NoAnswerError("the answer broke off")
        return got

    def _head(self) -> tuple[int, bool]:
        while (stop := self._bytes.find(b"\r\n\r\n", 0, self._end)) < 0:
            if self._end >= HEAD_BYTES_MAX:
                raise _OtherAnswerError
            self._end += self._receive(self._view[self._end :])
        self._start = stop + 4
        first, *lines = bytes(self._view[:stop]).decode("latin-1").lower().split("\r\n")
        version, status, *_ = [*first.split(" ", 2), "", ""]
        found = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = found.get("content-length", "")
        if status != str(PARTIAL) or not size.isdigit() or "transfer-encoding" in found:
            raise _OtherAnswerError
        return int(size), version == "http/1.1" and "close" not in found.get("connection", "")


def _no_answer(error: OSError) -> NoAnswerError:
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return NoAnswerError(f"not a byte for {READ_TIMEOUT_S} s")
    return NoAnswerError(f"{type(error).__name__}: {error}")


def authorities(*variables: str) -> str | None:
    """The file that the first of these environment variables names, as the SDKs read them; else certifi's."""
    named = next((os.environ[name] for name in variables if os.environ.get(name)), None)
    if named:
        return named
    import certifi

    return certifi.where()
