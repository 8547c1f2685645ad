"""How the API server reaches pods: a proxy by CONNECT, as GKE's agent is, that knows which program plays which pod.

Pods have addresses, but no network and no program. One that a program plays is reached at a port of this machine;
any other connection is refused, as to a pod on which nothing listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import Final

_HEAD_MAX: Final = 8192
_CHUNK: Final = 65536

CONFIG: Final = """apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {uds: {udsName: "egress.sock"}}
"""
"""For an API server that runs in the socket's folder: a socket's path has 107 characters at most, and a folder's may
have more."""
SOCKET: Final = "egress.sock"


_TURN_SECONDS = 0.05
"""For what a loop has begun and no task of ours stands for."""


class Egress:
    """The proxy, on a socket in a folder that only this user enters.

    Args:
        folder: where its socket lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._routes: dict[tuple[str, int], int] = {}
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event | None = None
        self._listening: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="egress", daemon=True)
        self._serving = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: the socket cannot be made.
        """
        self._listening = _listening(self._folder)
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._serving.wait()

    def stop(self) -> None:
        """End all connections."""
        if self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._stopping = None

    def route(self, address: str, port: int, local_port: int) -> None:
        """From now on what connects to `port` of a pod's `address` reaches `local_port` of this machine."""
        self._routes[address, port] = local_port

    def forget(self, address: str) -> None:
        """Nothing listens on this address any more."""
        for key in [key for key in self._routes if key[0] == address]:
            del self._routes[key]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._serving.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_unix_server(self._accepted, sock=self._listening)
        self._serving.set()
        await self._stopping.wait()
        await asyncio.sleep(_TURN_SECONDS)  # what was accepted just now becomes a connection
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(_TURN_SECONDS)  # what is closed lets its socket go

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._accept(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.close())

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._connect(reader, writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n"))[:_HEAD_MAX].decode("latin-1")
        method, _, rest = head.partition(" ")
        host, _, port = rest.split(" ", 1)[0].rpartition(":")
        local_port = self._routes.get((host, int(port))) if method == "CONNECT" and port.isdigit() else None
        if local_port is None:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            await writer.drain()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", local_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()


def _listening(folder: Path) -> socket.socket:
    """A socket in a folder whose path may be longer than a socket's."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        inside = os.open(folder, os.O_DIRECTORY | os.O_PATH)
        try:
            made.bind(f"/proc/self/fd/{inside}/{SOCKET}")
        finally:
            os.close(inside)
    except BaseException:
        made.close()
        raise
    return made


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
