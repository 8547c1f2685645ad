"""How long simulated requests take, beside a simulation of each single one."""

from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.capacity.latency import Latencies, chance_waits, erlang_c
from ops.capacity.load import Fleet, Server
from ops.capacity.simulate import serve


def one_by_one(server: Server, busy: float, requests: int = 60_000) -> list[float]:
    """Seconds that each request takes, of Poisson arrivals at one replica."""
    chance, now = random.Random(3), 0.0  # noqa: S311 - noise of a simulation
    found: list[float] = []
    free = [0.0] * server.requests_at_once
    for _ in range(requests):
        now += chance.expovariate(busy * server.rps)
        begins = max(now, heapq.heappop(free))
        heapq.heappush(free, begins + server.service_seconds)
        found.append(begins + server.service_seconds - now)
    return sorted(found)


@pytest.mark.parametrize(("at_once", "seconds"), [(1, 0.1), (4, 0.05), (16, 0.05)])
@pytest.mark.parametrize("busy", [0.3, 0.7, 0.9])
def test_the_99th_percentile_is_that_of_single_requests(at_once: int, seconds: float, busy: float) -> None:
    server = Server(at_once, seconds)
    each = one_by_one(server, busy)
    fleet, whole = Fleet(server), Latencies()
    fleet.ready(["a", "b"])
    for _ in range(6000):
        serve(fleet, 2 * busy * server.rps, whole)
    assert whole.quantile(0.99) == pytest.approx(each[int(0.99 * len(each))], rel=0.3)


def test_requests_without_a_replica_are_never_answered() -> None:
    fleet, whole = Fleet(Server(4, 0.1)), Latencies()
    serve(fleet, 10, whole)
    assert whole.quantile(0.99) == math.inf and whole.part_within(1e6) == 0


@given(st.integers(1, 64), st.integers(0, 300), st.floats(0.001, 10))
def test_the_parts_of_chance_are_a_whole(servers: int, percent: int, seconds: float) -> None:
    parts = chance_waits(servers, percent, seconds)
    assert sum(part for part, _ in parts) == pytest.approx(1) and min(wait for _, wait in parts) >= 0


def test_one_server_is_found_busy_as_often_as_it_is() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


@given(st.lists(st.floats(0.001, 1000), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_within_a_bin_of_the_exact_one(seconds: list[float], part: float) -> None:
    whole = Latencies()
    for each in seconds:
        whole.add(1, each)
    exact = sorted(seconds)[math.ceil(round(part * len(seconds), 6)) - 1]
    assert exact * 0.999 <= whole.quantile(part) <= exact * 1.021
