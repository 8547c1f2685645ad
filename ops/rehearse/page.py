"""The metrics page of a simulated Triton, for the real Prometheus to read."""

from __future__ import annotations

from typing import Final

from components.contracts import serving
from ops.capacity.load import Replica

STEP_MODEL: Final = "classifier"
ENSEMBLE: Final = "pipeline"
"""Clients ask for it; its busy time repeats that of its only step, as Triton's does."""


def page(replica: Replica, factor: float = 1.0, at_ms: int | None = None) -> str:
    """A replica's metrics page, as Triton writes it, of one ensemble with one step.

    Args:
        factor: by how much the load's time is compressed: counters of time run by the reader's clock, so that a
            rate of them is the number of busy requests that it is.
        at_ms: the moment that the counters are of, in Unix time: a scrape that comes late on a busy machine would
            otherwise look like a load that swings.
    """
    stamp = "" if at_ms is None else f" {at_ms}"
    first, spent, last = serving.BUSY_COUNTERS
    busy_us, queued_us = replica.busy_us / factor, replica.queued_us / factor
    rows: list[tuple[str, str, str, float]] = []
    for model in (STEP_MODEL, ENSEMBLE):
        waits = model == STEP_MODEL
        rows += [
            ("counter", "nv_inference_request_success", model, round(replica.served)),
            ("counter", first, model, busy_us * 0.05),
            ("counter", spent, model, busy_us * 0.9),
            ("counter", last, model, busy_us * 0.05),
            ("counter", serving.QUEUE_COUNTER, model, queued_us if waits else 0),
            ("gauge", serving.PENDING_REQUESTS_METRIC, model, replica.pending if waits else 0),
        ]
    by_name: dict[tuple[str, str], list[str]] = {}
    for kind, name, model, value in rows:
        by_name.setdefault((name, kind), []).append(f'{name}{{model="{model}",version="1"}} {value:.3f}{stamp}')
    return "".join(f"# TYPE {name} {kind}\n" + "\n".join(lines) + "\n" for (name, kind), lines in by_name.items())
