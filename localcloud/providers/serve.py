"""Runs a stand-in provider as a Pulumi plugin: a gRPC server on loopback whose port is its first output line."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from localcloud.providers.base import ENV_STORE, LocalProvider
from localcloud.providers.servicer import Servicer
from localcloud.providers.store import Store

_MAX_MESSAGE_BYTES = 1024 * 1024 * 400  # what Pulumi's own SDKs allow
_WORKERS = 16
_PARENT_POLL_SECONDS = 1.0


def serve(build: Callable[[Store], LocalProvider]) -> int:
    """Serve the provider that `build` makes until the engine ends; returns the exit code.

    The engine names the store's file in the environment, see `ENV_STORE`.
    """
    file = os.environ.get(ENV_STORE)
    if not file:
        sys.stderr.write(f"{ENV_STORE} is not set: this provider only runs inside `seawall local`\n")
        return 2
    store = Store(Path(file))
    options = (
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    )
    server = grpc.server(ThreadPoolExecutor(_WORKERS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(build(store)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    # The engine ends its plugins with SIGINT and waits five seconds before it kills one. A terminal's Ctrl-C does
    # not come here: the engine gives each plugin a process group of its own.
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=_watch_parent, args=(ended,), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.wait()
    server.stop(grace=None)
    return 0


def _watch_parent(ended: threading.Event) -> None:
    # Not PR_SET_PDEATHSIG: the engine is a Go program, whose threads end while the process lives on.
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    ended.set()
