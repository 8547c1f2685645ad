"""Simulates a service under a load: its replicas, its autoscaler, its machines, and how long requests take.

Requests are spread over the replicas that are ready; each second is served as a whole. The seed alone decides the
noise, so that the same question has the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from components.contracts.serving import BUSY_REQUESTS_METRIC, PENDING_REQUESTS_METRIC
from ops.capacity.autoscaler import SYNC_SECONDS, Autoscaler, Seen, Spec
from ops.capacity.course import Sample
from ops.capacity.latency import Latencies, chance_waits
from ops.capacity.load import Fleet, Profile, Server
from ops.capacity.machines import Hosting, Machines
from ops.capacity.measures import SCRAPE_SECONDS, Scrapes

STEP_SECONDS: Final = 1
_NOISE_REQUESTS: Final = 1.0
"""A backlog of less than this for each request that is worked on at once is chance, and counted there."""


@dataclass(frozen=True)
class Patience:
    """What the door lets wait.

    Args:
        seconds: after which it gives a request up.
        in_flight: requests to the service at once, over all of the door's replicas; more are refused.
    """

    seconds: float = math.inf
    in_flight: float = math.inf

    def waiting(self, server: Server, replicas: int) -> float:
        """Requests that may wait at each of so many replicas."""
        share = self.in_flight / max(replicas, 1)
        return min(server.rps * self.seconds, max(0.0, share - server.requests_at_once))


@dataclass(frozen=True)
class Moment(Sample):
    """A while of the course, as long as the autoscaler's between two looks."""

    p99_seconds: float = 0.0
    """Of the requests that came in it; infinite where more than one in a hundred found no replica."""


@dataclass(frozen=True)
class Result:
    """The whole course."""

    moments: Sequence[Moment]
    latencies: Latencies
    unplaced_seconds: float
    """How long replicas were wanted that no pool had room for."""


@dataclass
class _Run:
    scaler: Autoscaler
    profile: Profile
    fleet: Fleet
    machines: Machines
    wanted: int
    scrapes: dict[str, Scrapes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    born: int = 0

    def resize(self, wanted: int, now: float) -> None:
        """Ask for replicas, or let some go: those that do not serve yet first, of the others the youngest."""
        self.wanted = wanted
        while len(self.names) < wanted:
            name, self.born = f"r{self.born:05}", self.born + 1
            self.names.append(name)
            self.machines.ask(name, now)
        if len(self.names) > wanted:
            placed = self.machines.placed
            kept = sorted(self.names, key=lambda n: (placed[n].serves_at if n in placed else float("inf"), n))
            for name in kept[wanted:]:
                self.names.remove(name)
                self.machines.release(name, now)

    def ready(self, now: float) -> None:
        """The replicas that have started serve, and no others."""
        serving = {name for name, r in self.machines.placed.items() if r.serves_at <= now}
        if serving != self.fleet.replicas.keys():
            self.fleet.ready(sorted(serving))
            self.scrapes = {name: self.scrapes.get(name, Scrapes()) for name in sorted(serving)}

    def seen(self, now: float) -> dict[str, Seen]:
        """What the autoscaler finds at this moment."""
        placed = self.machines.placed
        waiting = sum(name not in placed or placed[name].runs_at > now for name in self.names)
        running = len(self.names) - waiting
        busy = [value for scrapes in self.scrapes.values() if (value := scrapes.busy(now)) is not None]
        pending = [scrapes.pending for scrapes in self.scrapes.values() if scrapes.pending >= 0]
        return {
            name: Seen([round(1000 * value) for value in values], running - len(values), waiting)
            for name, values in ((BUSY_REQUESTS_METRIC, busy), (PENDING_REQUESTS_METRIC, pending))
            if name in self.scaler.spec.targets
        }


def simulate(
    spec: Spec,
    profile: Profile,
    server: Server,
    hosting: Hosting,
    *,
    patience: Patience = Patience(),
    seed: int = 8,
    first: int | None = None,
) -> Result:
    """The course of a service whose autoscaler has this spec.

    Args:
        first: replicas that serve at the beginning; the fewest if left out.
    """
    run = _Run(Autoscaler(spec), profile, Fleet(server, seed), Machines(hosting), first or spec.least)
    run.names = [f"r{number:05}" for number in range(run.wanted)]
    run.born = run.wanted
    run.machines.begin(run.names)
    moments: list[Moment] = []
    whole, inside, unplaced = Latencies(), Latencies(), 0.0
    for tick in range(round(profile.seconds / STEP_SECONDS)):
        now = float(tick * STEP_SECONDS)
        if tick % SCRAPE_SECONDS == 0:
            run.machines.look(now)
            for name, scrapes in run.scrapes.items():
                replica = run.fleet.replicas[name]
                scrapes.scrape(now, replica.busy_us, replica.pending)
        if tick % SYNC_SECONDS == 0:
            run.resize(run.scaler.decide(now, run.wanted, run.seen(now)), now)
        run.ready(now)
        unplaced += STEP_SECONDS * any(name not in run.machines.placed for name in run.names)
        rps = profile.rps(now)
        serve(run.fleet, rps, inside, patience)
        if (tick + 1) % SYNC_SECONDS == 0:
            count, pending = run.machines.count(now), round(run.fleet.pending, 1)
            ready = len(run.fleet.replicas)
            moments.append(
                Moment(now, round(rps, 3), run.wanted, ready, count, pending, round(inside.quantile(0.99), 4))
            )
            whole.merge(inside)
            inside = Latencies()
    whole.merge(inside)
    return Result(moments, whole, unplaced)


def serve(fleet: Fleet, rps: float, latencies: Latencies, patience: Patience = Patience()) -> None:
    """One second, and how long the requests take that come in it."""
    server, count, came = fleet.server, len(fleet.replicas), rps * STEP_SECONDS
    before = [replica.queue for replica in fleet.replicas.values()]
    fleet.serve(rps, STEP_SECONDS)
    gone = fleet.give_up(patience.waiting(server, count))
    latencies.unserved += gone
    if not came:
        return
    if not count:
        # Those that may wait are answered late, if at all: none is called answered.
        latencies.unserved += max(0.0, came - gone)
        return
    answered = max(0.0, 1 - gone / came) * came
    waits = chance_waits(server.requests_at_once, round(100 * rps / (count * server.rps)), server.service_seconds)
    by_chance = 0
    for began, replica in zip(before, fleet.replicas.values(), strict=True):
        backlog = (began + replica.queue) / 2
        if backlog <= _NOISE_REQUESTS * server.requests_at_once:
            by_chance += 1
        else:
            latencies.add(answered / count, server.service_seconds + backlog / server.rps)
    if by_chance:
        latencies.add_parts(answered * by_chance / count, server.service_seconds, waits)
