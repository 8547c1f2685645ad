"""How long requests take at a simulated fleet: the wait that a backlog makes, and that of chance meetings.

Beside a backlog, requests that come by chance at once wait for one another: as in a queue with Poisson arrivals and
as many servers as a replica works on at once (Erlang's C), half as long as with exponential work, since a model's is
nearly constant (Allen and Cunneen's correction).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

_BINS_PER_E: Final = 50
"""A bin is 2 % wide."""
_FULL: Final = 0.97
"""From here on the backlog of the simulation itself says how long a request waits."""
_PARTS: Final = ((0.5, 0.25), (0.3, 0.65), (0.15, 0.875), (0.04, 0.97), (0.009, 0.9945), (0.001, 0.9995))
"""Parts of those that wait, with the quantile that stands for each."""


@cache
def chance_waits(servers: int, percent: int, service_seconds: float) -> tuple[tuple[float, float], ...]:
    """Parts of the requests, with their wait in seconds, at a replica that is busy to this percentage."""
    load = min(percent / 100, _FULL)
    if load <= 0:
        return ((1.0, 0.0),)
    waits = erlang_c(servers, load * servers)
    mean = service_seconds / (servers * (1 - load)) / 2
    tail = tuple((waits * part, -mean * math.log(1 - quantile)) for part, quantile in _PARTS)
    return ((1 - waits, 0.0), *tail)


def erlang_c(servers: int, offered: float) -> float:
    """The part of requests that find all servers busy, of a queue that is offered less than there are servers."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


@dataclass
class Latencies:
    """Requests by how long they took."""

    _bins: dict[int, float] = field(default_factory=dict)
    unserved: float = 0.0
    """Requests that never got an answer: refused, or given up."""

    def add(self, requests: float, seconds: float) -> None:
        """So many that took so long."""
        number = math.floor(_BINS_PER_E * math.log(max(seconds, 1e-6)))
        self._bins[number] = self._bins.get(number, 0.0) + requests

    def add_parts(self, requests: float, seconds: float, waits: Iterable[tuple[float, float]]) -> None:
        """So many that took so long, and each part of them its wait beside it."""
        for part, wait in waits:
            self.add(requests * part, seconds + wait)

    def merge(self, other: Latencies) -> None:
        """Those of another while too."""
        for number, requests in other._bins.items():
            self._bins[number] = self._bins.get(number, 0.0) + requests
        self.unserved += other.unserved

    @property
    def requests(self) -> float:
        """All of them."""
        return sum(self._bins.values()) + self.unserved

    def quantile(self, part: float) -> float:
        """Seconds within which this part of them was answered, 2 % too long at most; infinite if they were not."""
        left = part * self.requests
        for number in sorted(self._bins):
            left -= self._bins[number]
            if left <= 1e-9:
                return math.exp((number + 1) / _BINS_PER_E)
        return math.inf if self.requests else 0.0

    def part_within(self, seconds: float) -> float:
        """The part that took no longer; 1 of none."""
        most = math.floor(_BINS_PER_E * math.log(seconds))
        served = sum(requests for number, requests in self._bins.items() if number <= most)
        return served / self.requests if self.requests else 1.0
