"""Background work that comes late and out of order, as AWS' copies do: each piece after a short time of its own.

The times are drawn from a seeded generator, so that a run can be repeated. AWS promises no order: neither between
objects that S3 replicates nor between copy jobs of AWS Backup (believed, 2026-11-21: no page was found that says so).
"""

from __future__ import annotations

import heapq
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)

WINDOW_S: Final = 0.3
"""No piece waits longer before its turn."""
_SEED: Final = 8


class LateWork:
    """One worker thread; what is given to it is done once, later.

    Args:
        lock: held while a piece is done; the state's, which requests hold too.
        window_s: no piece waits longer before its turn.
    """

    def __init__(self, name: str, lock: threading.RLock, window_s: float = WINDOW_S, seed: int = _SEED) -> None:
        self._window_s = window_s
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._changed = threading.Condition(lock)
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def later(self, act: Callable[[], None]) -> None:
        """Do it within the window."""
        with self._changed:
            self._count += 1
            due = time.monotonic() + self._random.uniform(0, self._window_s)
            heapq.heappush(self._due, (due, self._count, act))
            self._changed.notify_all()

    def drain(self) -> None:
        """Do at once what was given and is not done yet, in the order in which it would have come."""
        with self._changed:
            while self._due:
                self._do_next()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._await_next()
                self._do_next()

    def _await_next(self) -> None:
        while not self._due or self._due[0][0] > time.monotonic():
            self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)

    def _do_next(self) -> None:
        act = heapq.heappop(self._due)[2]
        try:
            act()
        except Exception:
            _log.exception("background work failed")
