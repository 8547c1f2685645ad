"""First step of the ensemble: checks the request, and joins its measurements with the entities' stored features."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # pyright: ignore[reportMissingImports]
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingModuleSource]
from checks import Limits, decode, faults
from feature_store import OUTCOMES, FeatureLookup, Features, freshness, store_from_environment, timeout_s

WARM_UP_ENTITY = "seawall-warm-up"
REQUIRE_FEATURES = "require_features"
"""Parameter of a request whose rows are refused, not answered with training means; true or false."""
AGE_UNKNOWN_S = -1.0
FLUSH_S = 0.25
"""How late counts may be. Each increment is a message to the server's process: one per request costs its latency."""


@dataclass(frozen=True)
class Checked:
    """A request that may be answered."""

    keys: list[str]
    measurements: Any
    require_features: bool


class Tally:
    """Counters of the server's metrics page, told from a thread of their own."""

    def __init__(self) -> None:
        self._families: list[Any] = []
        """Kept: a family that Python forgets is gone from the page."""
        self._metrics: dict[tuple[str, str], Any] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)

    def family(self, name: str, description: str, label: str, values: tuple[str, ...]) -> None:
        """Declare a counter with one series for each value of its label."""
        family = pb_utils.MetricFamily(name=name, description=description, kind=pb_utils.MetricFamily.COUNTER)
        self._families.append(family)
        for value in values:
            self._metrics[name, value] = family.Metric(labels={label: value})

    def start(self) -> None:
        """Begin to tell counts."""
        self._thread.start()

    def add(self, name: str, value: str, count: float = 1) -> None:
        """Count, cheaply."""
        with self._lock:
            self._counts[name, value] += count  # pyright: ignore[reportArgumentType] - microseconds are no integers

    def stop(self) -> None:
        """Tell what is left."""
        self._ended.set()
        self._thread.join()
        self._flush()

    def _run(self) -> None:
        while not self._ended.wait(FLUSH_S):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for key, count in counts.items():
            self._metrics[key].increment(count)


LOOKUPS, READS = "seawall_feature_lookups_total", "seawall_feature_reads_total"
READ_TIME, REFUSED = "seawall_feature_read_duration_us_total", "seawall_requests_refused_total"
STORE = "store"


class TritonPythonModel:
    """One store read for all requests of a batch. Triton gives each instance a process of its own."""

    def initialize(self, args: dict[str, str]) -> None:
        folder = Path(args["model_repository"]) / args["model_version"]
        fallback = json.loads((folder / "fallback.json").read_text(encoding="utf-8"))["means"]
        self.limits = Limits.load(folder / "limits.json")
        self.lookup = FeatureLookup(
            store_from_environment(os.environ),
            fallback,
            timeout_s(os.environ),
            pb_utils.Logger.log_warn,
            freshness(os.environ),
        )
        self.tally = Tally()
        self.tally.family(
            LOOKUPS,
            "Rows by how their features came about; 'found' and 'stale' came from the store",
            "outcome",
            OUTCOMES,
        )
        self.tally.family(READS, "Reads of the feature store, each for all rows of a batch", "of", (STORE,))
        self.tally.family(READ_TIME, "Time that reads of the feature store took, in microseconds", "of", (STORE,))
        self.tally.family(
            REFUSED, "Requests that were refused, by why", "reason", ("invalid", "no_features", "store_unavailable")
        )
        # Opens the connection now, so that no client waits for a handshake; its outcome does not matter.
        self.lookup.lookup([WARM_UP_ENTITY])
        self.tally.start()

    def execute(self, requests: list[pb_utils.InferenceRequest]) -> list[pb_utils.InferenceResponse]:
        checked = [self._check(request) for request in requests]
        keys = [key for each in checked if isinstance(each, Checked) for key in each.keys]
        found = iter(self._look_up(keys))
        return [
            self._answer(request, each, [next(found) for _ in each.keys]) if isinstance(each, Checked) else each
            for request, each in zip(requests, checked, strict=True)
        ]

    def finalize(self) -> None:
        self.tally.stop()
        self.lookup.close()

    def _check(self, request: pb_utils.InferenceRequest) -> Checked | pb_utils.InferenceResponse:
        ids = decode(pb_utils.get_input_tensor_by_name(request, "entity_id").as_numpy())
        measurements = pb_utils.get_input_tensor_by_name(request, "measurements").as_numpy()
        wrong = faults(ids, measurements, self.limits)
        required = json.loads(request.parameters() or "{}").get(REQUIRE_FEATURES, False)
        if not isinstance(required, bool):
            wrong = [*wrong, f"parameter {REQUIRE_FEATURES} is {required!r}; it must be true or false"]
        if wrong:
            return self._refuse(request, "invalid", "; ".join(wrong), pb_utils.TritonError.INVALID_ARG)
        return Checked([entity for entity in ids if entity is not None], measurements, required)

    def _look_up(self, keys: list[str]) -> list[Features]:
        if not keys:
            return []
        before, started = self.lookup.reads, time.perf_counter()
        found = self.lookup.lookup(keys)
        if self.lookup.reads > before:
            self.tally.add(READS, STORE)
            self.tally.add(READ_TIME, STORE, (time.perf_counter() - started) * 1e6)
        for outcome, count in Counter(each.outcome for each in found).items():
            self.tally.add(LOOKUPS, outcome, count)
        return found

    def _answer(
        self, request: pb_utils.InferenceRequest, checked: Checked, rows: list[Features]
    ) -> pb_utils.InferenceResponse:
        without = [(number, row.outcome) for number, row in enumerate(rows) if row.source == "training_means"]
        if checked.require_features and without:
            told = ", ".join(f"row {number}: {outcome}" for number, outcome in without[:5])
            what = (
                f"{len(without)} of {len(rows)} rows have no stored features, and {REQUIRE_FEATURES} is true: {told}"
            )
            if any(outcome in ("throttled", "timeout", "error") for _, outcome in without):
                return self._refuse(request, "store_unavailable", what, pb_utils.TritonError.UNAVAILABLE)
            return self._refuse(request, "no_features", what, pb_utils.TritonError.NOT_FOUND)
        features = np.concatenate(
            [checked.measurements, np.array([row.values for row in rows], dtype=np.float32)], axis=1, dtype=np.float32
        )
        sources = np.array([[row.source.encode()] for row in rows], dtype=np.object_)
        ages = np.array([[AGE_UNKNOWN_S if row.age_s is None else row.age_s] for row in rows], dtype=np.float32)
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor("features", features),
                pb_utils.Tensor("features_source", sources),
                pb_utils.Tensor("features_age_s", ages),
            ]
        )

    def _refuse(
        self, request: pb_utils.InferenceRequest, reason: str, what: str, code: int
    ) -> pb_utils.InferenceResponse:
        self.tally.add(REFUSED, reason)
        pb_utils.Logger.log_info(f"request {request.request_id() or 'without an id'} refused ({reason})")
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(what, code))
