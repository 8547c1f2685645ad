"""What the autoscaler reads of a simulated replica."""

from __future__ import annotations

from collections import deque

import pytest

from components.contracts.scaling import BUSY_WINDOW_SECONDS
from components.kubernetes import metrics
from ops.capacity.measures import SCRAPE_SECONDS, Scrapes, rate


def scraped(seconds: int, busy: float, since: int = 0) -> Scrapes:
    scrapes = Scrapes()
    for at in range(since, seconds + 1, SCRAPE_SECONDS):
        scrapes.scrape(at, 1e6 * busy * (at - since), 0)
    return scrapes


def test_the_simulation_looks_as_often_as_the_deployed_prometheus() -> None:
    assert SCRAPE_SECONDS == metrics.SCRAPE_SECONDS


def test_a_replica_that_serves_for_long_reads_as_busy_as_it_is() -> None:
    assert scraped(600, 2.8).busy(600) == pytest.approx(2.8, rel=0.01)


def test_one_look_is_no_measure() -> None:
    assert scraped(0, 2.8).busy(0) is None


def test_a_new_replica_reads_idle_at_first() -> None:
    read = [scraped(100 + age, 2.8, 100).busy(100 + age) or 0 for age in (10, 30, 60)]
    assert read[0] < read[1] < read[2] and read[0] < 2.8 / 4 and read[2] == pytest.approx(2.8, rel=0.1)


def test_an_old_counter_is_extrapolated_half_a_gap_beyond_a_series_that_ends() -> None:
    samples = deque([(60.0, 100.0), (65.0, 110.0), (70.0, 120.0)])
    assert rate(samples, 100, BUSY_WINDOW_SECONDS) == pytest.approx(20 * (10 + 2.5 + 2.5) / 10 / 60)
