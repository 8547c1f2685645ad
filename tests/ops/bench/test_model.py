"""Ratios and targets."""

from __future__ import annotations

import pytest

from ops.bench.model import Sample, Series, Target, all_met, speed_of, times_of

AT_MOST = Target("at most", 2, "×")
AT_LEAST = Target("at least", 1, "×")


def series(what: str, *walls: float) -> Series:
    return Series(what, tuple(Sample(wall) for wall in walls))


def test_a_ratio_is_that_of_the_medians() -> None:
    result = times_of("n", "c", series("a", 1.0, 3.0, 100.0), series("b", 2.0, 2.0, 0.1), AT_MOST)
    assert result.figure == 1.5


def test_speed_is_the_baseline_s_time_over_ours() -> None:
    result = speed_of("n", "c", series("a", 2.0), series("b", 4.0), objects=10, size=8_000_000, target=AT_LEAST)
    assert result.figure == 2.0
    assert result.rates == {
        "a": {"objects_per_s": 5.0, "mb_per_s": 4.0},
        "b": {"objects_per_s": 2.5, "mb_per_s": 2.0},
    }


@pytest.mark.parametrize(("target", "figure"), [(AT_MOST, 2.0), (AT_MOST, 1.9), (AT_LEAST, 1.0), (AT_LEAST, 1.1)])
def test_a_target_is_met_up_to_its_bound(target: Target, figure: float) -> None:
    assert target.is_met(figure)


@pytest.mark.parametrize(("target", "figure"), [(AT_MOST, 2.01), (AT_LEAST, 0.99)])
def test_a_target_is_missed_beyond_its_bound(target: Target, figure: float) -> None:
    assert not target.is_met(figure)


def test_nothing_measured_is_nothing_met() -> None:
    assert not all_met([])


def test_the_json_tells_the_spread_and_not_only_the_middle() -> None:
    told = series("a", 1.0, 2.0, 5.0).to_json()
    assert (told["min_s"], told["median_s"], told["max_s"], told["runs"]) == (1.0, 2.0, 5.0, 3)


def test_memory_is_the_largest_of_all_runs() -> None:
    taken = Series("a", (Sample(1.0, peak_mb=200.0), Sample(1.0, peak_mb=250.0)))
    assert taken.to_json()["peak_mb"] == 250.0
