"""A simulated load, and Tritons that serve it: queues, and counters of busy time.

No model runs. A replica works on `requests_at_once` requests for `service_seconds` each; what it cannot take waits at
it. Requests are spread evenly over the replicas that are ready, with the noise of independent clients.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Final

_LEAST_WAIT_SECONDS: Final = 50e-6
"""Even an idle server's requests pass through its queue (40 to 50 µs, seen on Triton 2.51)."""
_LARGE_MEAN: Final = 50.0
"""From here on a Poisson number is as good as normal."""


@dataclass(frozen=True)
class Phase:
    """A while of load that goes evenly from one rate to another."""

    name: str
    seconds: float
    first_rps: float
    last_rps: float

    @property
    def steady(self) -> bool:
        """Whether the rate stays."""
        return self.first_rps == self.last_rps


@dataclass(frozen=True)
class Profile:
    """Phases, one after another."""

    phases: tuple[Phase, ...]

    @cached_property
    def _ends(self) -> tuple[float, ...]:
        return tuple(accumulate(phase.seconds for phase in self.phases))

    @property
    def seconds(self) -> float:
        """How long it all lasts."""
        return sum(phase.seconds for phase in self.phases)

    def rps(self, at: float) -> float:
        """Requests a second, at a moment; the last phase's end from then on."""
        number = bisect_right(self._ends, at)
        if number >= len(self.phases):
            return self.phases[-1].last_rps
        phase = self.phases[number]
        part = 1 - (self._ends[number] - at) / phase.seconds
        return phase.first_rps + part * (phase.last_rps - phase.first_rps)

    def begins(self) -> Iterable[tuple[Phase, float]]:
        """Each phase with its first moment."""
        begin = 0.0
        for phase in self.phases:
            yield phase, begin
            begin += phase.seconds


@dataclass(frozen=True)
class Server:
    """What one replica can do."""

    requests_at_once: int
    service_seconds: float

    @property
    def rps(self) -> float:
        """The most that it serves."""
        return self.requests_at_once / self.service_seconds


@dataclass
class Replica:
    """One replica's queue and counters."""

    queue: float = 0.0
    served: float = 0.0
    busy_us: float = 0.0
    queued_us: float = 0.0

    @property
    def pending(self) -> int:
        """Requests that wait."""
        return math.floor(self.queue)


@dataclass
class Fleet:
    """Replicas by name, under load; deterministic for a seed."""

    server: Server
    seed: int = 8
    replicas: dict[str, Replica] = field(default_factory=dict)
    homeless: float = 0.0
    """Requests that found no replica: clients try again."""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - noise of a simulation

    @property
    def pending(self) -> float:
        """Requests that wait, at replicas and before them."""
        return self.homeless + sum(replica.queue for replica in self.replicas.values())

    def ready(self, names: Iterable[str]) -> None:
        """These replicas, and no others, are ready; what waited at one that is gone is sent anew."""
        now = set(names)
        for gone in [name for name in self.replicas if name not in now]:
            self.homeless += self.replicas.pop(gone).queue
        for name in now:
            self.replicas.setdefault(name, Replica())

    def serve(self, rps: float, seconds: float) -> None:
        """Let `seconds` pass at this rate; they should be few beside what a measure's window has."""
        if not self.replicas:
            self.homeless += self._arrivals(rps * seconds)
            return
        each = (rps * seconds) / len(self.replicas)
        again, self.homeless = self.homeless / len(self.replicas), 0.0
        for name in sorted(self.replicas):
            self._serve(self.replicas[name], again + self._arrivals(each), seconds)

    def give_up(self, most_waiting: float) -> float:
        """Let no more than so many wait at each replica, or before the first; returns how many go unanswered."""
        gone, self.homeless = max(0.0, self.homeless - most_waiting), min(self.homeless, most_waiting)
        for replica in self.replicas.values():
            if replica.queue > most_waiting:
                gone, replica.queue = gone + replica.queue - most_waiting, most_waiting
        return gone

    def _serve(self, replica: Replica, arrived: float, seconds: float) -> None:
        waiting = replica.queue + arrived
        done = min(waiting, self.server.rps * seconds)
        replica.queue = waiting - done
        replica.served += done
        replica.busy_us += done * self.server.service_seconds * 1e6
        replica.queued_us += (replica.queue * seconds + done * _LEAST_WAIT_SECONDS) * 1e6

    def _arrivals(self, mean: float) -> float:
        """How many come: a Poisson number, so that many short whiles bring as many as one long one."""
        if mean > _LARGE_MEAN:
            return max(0.0, self._random.gauss(mean, math.sqrt(mean)))
        count, product, least = 0, self._random.random(), math.exp(-mean)
        while product > least:
            count, product = count + 1, product * self._random.random()
        return float(count)


def needed(rps: float, server: Server, busy_percent: int) -> int:
    """Replicas that serve this rate as busy as asked."""
    return math.ceil(rps / (server.rps * busy_percent / 100) - 1e-9)


def day(server: Server, busy_percent: int, low: int, high: int, seconds: Sequence[float]) -> Profile:
    """A ramp from what `low` replicas serve to what a number in between needs, a steady while there, a crowd that
    needs `high` at once, and the quiet after it. The steady while leaves the crowd a replica to ask for.

    Args:
        seconds: of the ramp, the steady while, the crowd and the quiet.
    """
    each = server.rps * busy_percent / 100
    middle = max(low, min(high - 1, low + math.ceil((high - low) * 0.55)))
    # In the middle of what that many replicas serve within the autoscaler's tolerance: noise decides nothing.
    steady, least, crowd = (middle - 0.4) * each, max(low - 0.5, 0.3) * each, (high - 0.3) * each
    ramp, calm, rush, quiet = seconds
    return Profile(
        (
            Phase("ramp", ramp, least, steady),
            Phase("steady", calm, steady, steady),
            Phase("crowd", rush, crowd, crowd),
            Phase("quiet", quiet, least, least),
        )
    )
