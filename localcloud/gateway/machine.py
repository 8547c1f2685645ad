"""One Envoy Gateway at a time on a machine: it listens on ports of its own that cannot be moved.

The lock is a socket's name in Linux' abstract namespace: it is as wide as the ports are (a network namespace), needs
no file that one user makes and another cannot open, and is free at once when its holder dies, however it dies.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterator
from typing import Final

from common.console import Steps
from common.errors import UserError

XDS_PORT: Final = 18000
"""Where Envoy fetches its configuration; `DefaultXdsServerPort` of Envoy Gateway 1.9.1, a constant.

It also has 18002 (Wasm modules) and 8081 (probes), and goes on without them."""
DEFAULT_WAIT_S: Final = 900.0
_NAME: Final = "\0seawall-envoy-gateway"
_POLL_S: Final = 0.1
_FREED_S: Final = 10.0


@contextlib.contextmanager
def alone(steps: Steps | None = None, *, name: str = _NAME, wait_s: float = DEFAULT_WAIT_S) -> Iterator[None]:
    """Be the only one who runs Envoy Gateway here; wait for others.

    Raises:
        UserError: others did not end in time.
    """
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as lock:
        if not _take(lock, name):
            with (steps or Steps()).step("wait for another gateway on this machine to end"):
                deadline = time.monotonic() + wait_s
                while not _take(lock, name):
                    if time.monotonic() > deadline:
                        raise UserError(
                            f"another gateway has run on this machine for more than {wait_s:.0f} s",
                            "localcloud/gateway",
                            "End the test or bench that holds it: `ss -xlp | grep seawall-envoy-gateway` names it.",
                        )
                    time.sleep(_POLL_S)
        yield


def await_free(port: int = XDS_PORT, *, wait_s: float = _FREED_S) -> None:
    """Wait until what was killed with its gateway has left its port.

    Raises:
        UserError: another program has the port.
    """
    deadline = time.monotonic() + wait_s
    while not _free(port):
        if time.monotonic() > deadline:
            raise UserError(
                f"another program listens on port {port}, which Envoy Gateway needs and cannot move",
                "localcloud/gateway",
                f"End that program: `ss -tlnp 'sport = :{port}'` names it.",
            )
        time.sleep(_POLL_S)


def _take(lock: socket.socket, name: str) -> bool:
    try:
        lock.bind(name)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    lock.listen(0)  # so that `ss` lists it as listening
    return True


def _free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
