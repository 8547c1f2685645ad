"""The figure of simulated hours."""

from __future__ import annotations

import pytest

from ops.bench.simulating import HOURS_A_SECOND, measure_simulation


def test_hours_a_second_are_the_load_by_the_median_time() -> None:
    (result,) = measure_simulation(2)
    (series,) = result.series
    assert len(series.samples) == 2 and result.target == HOURS_A_SECOND
    assert result.figure * series.median_s * 60 == pytest.approx(90, rel=0.2)
