"""Clients of a service under a rollout: a steady rate through the door, each answer counted and compared."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ops.rollouts.releases import MEASUREMENTS, MODEL, right_label

_THREADS: Final = 16
_TIMEOUT_S: Final = 5.0
LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.9, 0.1, 0.2, 0.3)
"""Mean measurements: one in eight is above the threshold. A share that is small varies little by chance, and who says
"malignant" to all is far from it."""
LEVEL: Final = (LEVELS[0],) * MEASUREMENTS
"""One of them."""


@dataclass
class Counts:
    """What became of the requests."""

    asked: int = 0
    failed: int = 0
    wrong: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why requests failed, and how often."""
    slowest_ms: float = 0.0

    def since(self, before: Counts) -> Counts:
        """What has come since `before`."""
        return Counts(
            self.asked - before.asked,
            self.failed - before.failed,
            self.wrong - before.wrong,
            self.reasons - before.reasons,
            self.slowest_ms,
        )


class Clients:
    """Asks at a steady rate while the block runs; late answers do not slow it down.

    Args:
        url: of the door.
        host: the service's name.
        ca: who signed the door's certificate.
        rate: requests a second.
        ask: one request, for a test; returns the label, or raises.
    """

    def __init__(
        self, url: str, host: str, ca: Path, rate: float, ask: Callable[[tuple[float, ...]], str] | None = None
    ) -> None:
        self._url, self._host, self._ca, self._rate = url, host, ca, rate
        self._ask = ask
        self._counts = Counts()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._silent = threading.Event()
        self._turns = itertools.count()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(_THREADS)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Nobody asks for the length of a block."""
        self._silent.set()
        try:
            yield
        finally:
            self._silent.clear()

    def counts(self) -> Counts:
        """So far."""
        with self._lock:
            now = self._counts
            return Counts(now.asked, now.failed, now.wrong, Counter(now.reasons), now.slowest_ms)

    def _run(self, number: int) -> None:
        ask = self._ask or Connection(self._url, self._host, self._ca).label
        period = _THREADS / self._rate
        due = time.monotonic() + period * number / _THREADS
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            due = max(due + period, time.monotonic() - period)
            if self._silent.is_set():
                continue
            level = LEVELS[next(self._turns) % len(LEVELS)]
            measurements = (level,) * MEASUREMENTS
            began = time.monotonic()
            try:
                reason, is_wrong = "", ask(measurements) != right_label(measurements)
            except Exception as error:  # whatever a client library raises, the request has failed
                reason, is_wrong = f"{type(error).__name__}: {error}"[:120], False
            with self._lock:
                self._counts.asked += 1
                self._counts.wrong += is_wrong
                self._counts.failed += bool(reason)
                self._counts.reasons += Counter([reason] if reason else [])
                self._counts.slowest_ms = max(self._counts.slowest_ms, 1000 * (time.monotonic() - began))


class Connection:
    """Keeps a connection to the door, as clients do; it asks again by itself never."""

    def __init__(self, url: str, host: str, ca: Path) -> None:
        # Imported here: what only plans has no use for it.
        import urllib3

        at = urlsplit(url)
        self._host = host
        self._pool: Any = urllib3.HTTPSConnectionPool(
            str(at.hostname),
            at.port,
            server_hostname=host,
            assert_hostname=host,
            ca_certs=str(ca),
            maxsize=1,
            retries=False,
            timeout=_TIMEOUT_S,
        )

    def label(self, measurements: tuple[float, ...]) -> str:
        """The label that the service gives.

        Raises:
            RuntimeError: it answered with an error.
        """
        body = {
            "inputs": [
                {
                    "name": "measurements",
                    "datatype": "FP32",
                    "shape": [1, len(measurements)],
                    "data": list(measurements),
                }
            ]
        }
        answer = self._pool.request(
            "POST",
            f"/v2/models/{MODEL}/infer",
            body=json.dumps(body),
            headers={"Host": self._host, "Content-Type": "application/json"},
        )
        if answer.status != 200:
            raise RuntimeError(f"HTTP {answer.status}: {answer.data[:80].decode(errors='replace')}")
        tensors = {output["name"]: output["data"] for output in json.loads(answer.data)["outputs"]}
        return str(tensors["label"][0])
