"""Takes copies of requests into a bounded queue, asks the variants, and writes their answers."""

from __future__ import annotations

import http.client
import queue
import re
import socket
import threading
import time
import urllib.parse
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .tensors import outputs

LOG = "seawall-answer"
CARRIED = ("content-type", "content-encoding", "inference-header-content-length")
"""Request headers without which a body cannot be read; no other is passed on, and no credential."""
INFER = re.compile(r"/v2/models/([^/?#]+)(?:/versions/[0-9]+)?/infer")
WAITING_BYTES = 64 * 1024**2
"""Bytes of requests that may wait, so that a queue of large ones does not end the pod."""
IDS = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True)
class Request:
    """One copied request."""

    id: str
    path: str
    model: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Counts:
    """What happened so far; safe between threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counter: Counter[str] = field(default_factory=Counter)

    def add(self, what: str) -> None:
        with self._lock:
            self._counter[what] += 1

    def get(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counter)


def request_of(path: str, headers: Mapping[str, str], body: bytes) -> Request | None:
    """The request to ask again; None if it is no inference.

    Args:
        headers: by their names in lower case.
    """
    found = INFER.fullmatch(path)
    if found is None:
        return None
    told = headers.get("x-request-id", "")
    known = told if IDS.fullmatch(told) else str(uuid.uuid4())
    carried = {name: headers[name] for name in CARRIED if name in headers}
    return Request(known, path, found[1], carried, body)


def ask(variant: str, url: str, request: Request, timeout_s: float, now: Callable[[], float]) -> dict[str, Any]:
    """What one variant answers, as the line that is written."""
    line: dict[str, Any] = {"log": LOG, "id": request.id, "variant": variant, "model": request.model}
    started = time.perf_counter()
    to = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=timeout_s)
    try:
        connection.request("POST", request.path, request.body, {**request.headers, "x-request-id": request.id})
        response = connection.getresponse()
        body = response.read()
        line |= {"time": now(), "ms": _ms(started), "status": response.status}
        if response.status == http.HTTPStatus.OK:
            length = response.getheader("Inference-Header-Content-Length")
            line["answer_id"], line["outputs"] = outputs(body, int(length) if length else None)
        else:
            line["error"] = f"HTTP {response.status}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = "timeout" if isinstance(error, socket.timeout) else type(error).__name__
        line |= {"time": now(), "ms": _ms(started), "error": reason}
        line.setdefault("status", 0)
    finally:
        connection.close()
    return line


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


class Recorder:
    """Asks every variant at once for each request of the queue, one request after the other."""

    def __init__(
        self,
        variants: Mapping[str, str],
        write: Callable[[dict[str, Any]], None],
        *,
        waiting: int,
        waiting_bytes: int = WAITING_BYTES,
        timeout_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.counts = Counts()
        self._variants = dict(variants)
        self._write = write
        self._timeout_s = timeout_s
        self._now = now
        self._queue: queue.Queue[Request] = queue.Queue(maxsize=waiting)
        self._room = waiting_bytes
        self._room_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=len(self._variants))

    def take(self, request: Request) -> bool:
        """Put a request into the queue; False, and a count, where it is full."""
        with self._room_lock:
            full = self._queue.full() or len(request.body) > self._room
            if not full:
                self._room -= len(request.body)
                self._queue.put_nowait(request)
        if full:
            self.counts.add("dropped")
            return False
        self.counts.add("taken")
        return True

    def run(self, ended: threading.Event) -> None:
        """Work until told to end."""
        while not ended.is_set():
            try:
                request = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            with self._room_lock:
                self._room += len(request.body)
            self.record(request)

    def record(self, request: Request) -> None:
        """Ask every variant, and write the answers of all or none."""
        asked = [
            self._pool.submit(ask, name, url, request, self._timeout_s, self._now)
            for name, url in self._variants.items()
        ]
        for each in asked:
            line = each.result()
            self._write(line)
            self.counts.add("failed" if "error" in line else "answered")
