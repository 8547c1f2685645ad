"""Pictures of what went on over time."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from common.panels import RED, Line, Panel, draw, ticks


def drawn(values: list[float], *, logarithmic: bool = False, heading: str = "h") -> str:
    panel = Panel("p", (Line("l", values, RED),), logarithmic)
    return draw(heading, "d", [float(n) for n in range(len(values))], (panel,), [("first", 0.0)])


def points(picture: str) -> list[tuple[float, float]]:
    (line,) = (e for e in ElementTree.fromstring(picture).iter() if e.tag.endswith("polyline"))  # noqa: S314
    return [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]  # type: ignore[misc]


def test_a_higher_value_is_drawn_higher() -> None:
    heights = [y for _, y in points(drawn([0, 1, 5, 10]))]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("logarithmic", [True, False])
def test_what_is_not_finite_is_drawn_at_the_top(logarithmic: bool) -> None:
    heights = [y for _, y in points(drawn([1, 10, math.inf], logarithmic=logarithmic))]
    assert heights[2] <= min(heights)


def test_each_power_of_ten_is_as_high_as_the_next() -> None:
    heights = [y for _, y in points(drawn([0.1, 1, 10, 100], logarithmic=True))]
    assert heights[0] - heights[1] == pytest.approx(heights[2] - heights[3], abs=0.2)


def test_a_peak_is_not_lost_among_many_values() -> None:
    values = [0.0] * 50_000
    values[33_333] = 7.0
    many = points(drawn(values))
    assert len(many) <= 700 and min(y for _, y in many) < max(y for _, y in many)


def test_words_are_escaped() -> None:
    assert "<script>" not in drawn([1], heading="<script>")


@pytest.mark.parametrize("seconds", [60, 3600, 86_400, 14 * 86_400])
def test_an_axis_names_two_to_nine_moments(seconds: float) -> None:
    assert 1 <= len(ticks(seconds)) <= 9
