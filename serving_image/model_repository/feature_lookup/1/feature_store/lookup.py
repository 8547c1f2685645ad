"""Answers for batches of entities: one read for all of them, a deadline, and a stated fallback."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from .rows import ALWAYS_FRESH, SELF_CHECK_ENTITY, Features, FeatureStore, Freshness, Row, judge

MAX_CONCURRENT_READS = 4
"""Bounds the threads that a hanging store can hold; each ends with its socket's own timeout."""


class FeatureLookup:
    """Looks up batches of entities and never raises: a row that cannot be had is the fallback, and says so.

    Args:
        store: where rows are kept.
        fallback: served for an entity without a usable row; its length is the length of every row.
        timeout_s: longest time that `lookup` takes, whatever the store does.
        report: told the cause of each failed read, for the log; never told an entity id.
        freshness: what makes a row stale.
    """

    def __init__(
        self,
        store: FeatureStore,
        fallback: Sequence[float],
        timeout_s: float,
        report: Callable[[str], None] = lambda _: None,
        freshness: Freshness = ALWAYS_FRESH,
    ) -> None:
        self._store = store
        self._fallback = tuple(fallback)
        self._timeout_s = timeout_s
        self._report = report
        self._freshness = freshness
        self.reads = 0
        """Round trips that were asked of the store."""
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT_READS, thread_name_prefix="features")

    def lookup(self, entity_ids: Sequence[str]) -> list[Features]:
        """Features for each id, in order; equal ids are read once, and all of them in one read."""
        unique = list(dict.fromkeys(entity for entity in entity_ids if entity != SELF_CHECK_ENTITY))
        rows, failed = self._read(unique) if unique else ({}, None)
        now = time.time()
        judged = {entity: failed or self._judged(rows.get(entity), now) for entity in unique}
        judged[SELF_CHECK_ENTITY] = Features(self._fallback, "self_check")
        malformed = sum(1 for each in judged.values() if each.outcome == "malformed")
        if malformed:
            self._report(f"{malformed} of {len(unique)} rows are not lists of {len(self._fallback)} numbers")
        return [judged[entity] for entity in entity_ids]

    def _read(self, unique: Sequence[str]) -> tuple[Mapping[str, Row], Features | None]:
        """The rows that are there; or what every one of them is answered with, as the store did not answer."""
        self.reads += 1
        read = self._threads.submit(self._store.fetch, unique)
        try:
            return read.result(self._timeout_s), None
        except FutureTimeoutError:
            read.cancel()
            self._report(f"the feature store gave no answer within {self._timeout_s * 1000:.0f} ms")
            return {}, Features(self._fallback, "timeout")
        except Exception as error:  # whatever a client library raises, the answer is the same
            self._report(f"the feature store could not be read: {type(error).__name__}: {error}")
            return {}, Features(self._fallback, "error")

    def _judged(self, row: Row | None, now: float) -> Features:
        values, outcome = judge(row, len(self._fallback), now)
        if values is None or row is None:
            return Features(self._fallback, outcome)
        age = self._freshness.age_s(row, now)
        age = None if age is None else max(0.0, age)
        return Features(values, "stale" if self._freshness.is_stale(age) else outcome, age)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
