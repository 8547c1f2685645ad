"""How a service follows a trace, judged against its objective; and what would keep it where it is missed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from components.contracts.scaling import replica_start_seconds
from ops.capacity.autoscaler import SYNC_SECONDS
from ops.capacity.latency import Latencies
from ops.capacity.load import Profile, Server, needed
from ops.capacity.service import Service
from ops.capacity.simulate import Result, simulate
from ops.capacity.traces import DIURNAL, FLASH_CROWD, diurnal, flash_crowd, read, scaled

SCHEMA_VERSION: Final = 1
REQUEST_MS: Final = 50.0
"""A request's time in the model where nobody said: a guess, which the report calls one."""
NOT_SIMULATED: Final = (
    "other services on the same machines, machines that a cloud is out of, and machines that it takes back",
    "rollouts, failures, clients that ask again, and the hours at which a service does not run",
    "the network, the door's own time, its rate limits and retries",
    "requests of different lengths: each takes as long in the model",
)


@dataclass(frozen=True)
class Forecast:
    """One course, and what it means."""

    service: Service
    trace: str
    profile: Profile
    server: Server
    assumed: bool
    """Whether nobody said how long a request takes."""
    result: Result

    @property
    def p99_ms(self) -> float:
        """Of all requests of the trace."""
        return 1000 * self.result.latencies.quantile(0.99)

    @property
    def met(self) -> bool:
        """Whether 99 of 100 requests were answered within the objective."""
        return self.p99_ms <= self.service.objective_ms

    @property
    def part_within(self) -> float:
        """The part of requests that were answered within the objective."""
        return self.result.latencies.part_within(self.service.objective_ms / 1000)

    @property
    def late_seconds(self) -> float:
        """The longest while in which more than one in a hundred was not."""
        late = (1000 * m.p99_seconds > self.service.objective_ms for m in self.result.moments)
        return SYNC_SECONDS * max((sum(1 for _ in run) for is_late, run in groupby(late) if is_late), default=0)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what is infinite is null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "stack": self.service.stack,
            "service": self.service.name,
            "trace": self.trace,
            "seconds": self.profile.seconds,
            "request_ms": 1000 * self.server.service_seconds,
            "request_ms_is_assumed": self.assumed,
            "replica_rps": round(self.server.rps, 3),
            "min_replicas": self.service.scaler.least,
            "max_replicas": self.service.scaler.most,
            "warm_replicas": self.service.hosting.warm,
            "replica_start_seconds": replica_start_seconds(self.service.hosting.repository_gib),
            "objective_p99_ms": self.service.objective_ms,
            "p99_ms": finite(self.p99_ms, 1),
            "requests": round(self.result.latencies.requests),
            "part_within_objective": round(self.part_within, 5),
            "longest_while_beyond_seconds": self.late_seconds,
            "unserved": round(self.result.latencies.unserved),
            "no_room_seconds": self.result.unplaced_seconds,
            "objective_met": self.met,
            "not_simulated": list(NOT_SIMULATED),
            "phases": [{"name": name, "at": at} for name, at in self.phases()],
            "course": [
                {
                    "at": m.at,
                    "rps": m.rps,
                    "wanted": m.wanted,
                    "ready": m.ready,
                    "machines": m.nodes,
                    "waiting": m.pending,
                    "p99_ms": finite(1000 * m.p99_seconds, 1),
                }
                for m in self.result.moments
            ],
        }

    def phases(self) -> list[tuple[str, float]]:
        """The phases that are few enough to name, with their first moments."""
        found = [(phase.name, begin) for phase, begin in self.profile.begins()]
        return found if len({name for name, _ in found}) == len(found) else []


def finite(value: float, digits: int) -> float | None:
    """The value, rounded; None where it is infinite."""
    return round(value, digits) if math.isfinite(value) else None


def forecast(
    service: Service, trace: str, *, request_ms: float | None = None, peak_rps: float | None = None
) -> Forecast:
    """Simulate the service under a trace.

    Args:
        trace: `diurnal`, `flash-crowd`, or the path of a CSV file.
        request_ms: a request's time in the model.
        peak_rps: the trace's highest rate, in place of its own.

    Raises:
        UserError: there is no such trace.
    """
    server = service.server(request_ms or REQUEST_MS)
    profile = _profile(service, server, trace)
    profile = scaled(profile, peak_rps) if peak_rps is not None else profile
    return judged(Forecast(service, trace, profile, server, request_ms is None, Result((), Latencies(), 0.0)))


def judged(asked: Forecast) -> Forecast:
    """The same question with its answer."""
    service, profile, server = asked.service, asked.profile, asked.server
    wanted = needed(profile.rps(0), server, service.busy_percent)
    first = min(service.scaler.most, max(service.scaler.least, wanted))
    result = simulate(service.scaler, profile, server, service.hosting, patience=service.patience, first=first)
    return replace(asked, result=result)


def _profile(service: Service, server: Server, trace: str) -> Profile:
    each = server.rps * service.busy_percent / 100
    least, most = service.scaler.least * each, service.scaler.most * each
    if trace == DIURNAL:
        return diurnal(most)
    if trace == FLASH_CROWD:
        return flash_crowd(least, most, service.scaler.down.window_seconds)
    return read(Path(trace))


def remedy(missed: Forecast) -> str:
    """What keeps the objective under the same trace: the fewest more replicas, or warm ones."""
    service, request_ms = missed.service, 1000 * missed.server.service_seconds
    if request_ms > service.objective_ms:
        return (
            f"Make the model faster, or raise the objective: a request alone takes {request_ms:g} ms, and "
            f"{service.objective_ms} ms are promised."
        )
    found: list[str] = []
    least = _fewest(missed, service.scaler.least + 1, service.scaler.most, lambda n: service.with_replicas(least=n))
    if least is not None:
        found.append(f"set min_replicas to {least}")
    most_warm = service.scaler.most - service.scaler.least
    warm = _fewest(missed, service.hosting.warm + 1, most_warm, lambda n: service.with_replicas(warm=n))
    if warm is not None:
        found.append(f"set warm_replicas to {warm}")
    if not found:
        return "Raise max_replicas, choose a faster accelerator, or raise the objective: no more replicas keep it."
    return f"{' or '.join(found).capitalize()}; simulated so, the objective is kept."


def _fewest(missed: Forecast, low: int, high: int, changed: Callable[[int], Service]) -> int | None:
    """The fewest of something that meets the objective, by halving; None if not even the most does."""

    def meets(number: int) -> bool:
        return judged(replace(missed, service=changed(number))).met

    if low > high or not meets(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle + 1, high)
    return high
