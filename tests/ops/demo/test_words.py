"""Numbers are put in words that a person reads at once."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ops.demo import words
from ops.demo.model import Result


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min"), (81, "1 min 21 s"), (3600, "1 h"), (21660, "6 h 01 min")],
)
def test_a_duration_has_one_or_two_units(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@given(st.floats(0, 1e6))
@example(59.96)
@example(3599.7)
def test_no_duration_has_sixty_of_a_smaller_unit(seconds: float) -> None:
    assert not re.search(r"\b60(\.0)? (s|min)\b", words.duration(seconds))


def test_a_server_that_never_answers_has_no_latency(passed: Result) -> None:
    assert words.latencies(replace(passed.predictions[0][1], latency=None)) == ("–", "–", "–")
