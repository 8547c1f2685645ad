"""Numbers are told in words that a person reads at once."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ops.demo import wording


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min"), (81, "1 min 21 s"), (3600, "1 h"), (21660, "6 h 01 min")],
)
def test_a_duration_has_one_or_two_units(seconds: float, told: str) -> None:
    assert wording.duration(seconds) == told


@given(st.floats(0, 1e6))
@example(59.96)
@example(3599.7)
def test_no_duration_has_sixty_of_a_smaller_unit(seconds: float) -> None:
    assert not re.search(r"\b60(\.0)? (s|min)\b", wording.duration(seconds))


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 bytes"), (999, "999 bytes"), (24500, "24.5 kB"), (3.2e6, "3.2 MB"), (5e12, "5000.0 GB")],
)
def test_a_size_has_a_decimal_prefix(count: float, told: str) -> None:
    assert wording.size(count) == told


def test_no_answer_has_no_latency() -> None:
    assert wording.milliseconds(None) == "–"


@pytest.mark.parametrize(
    ("text", "told"), [("", ""), ("a" * 40, "a" * 12), (f"{'b' * 40}+changes", f"{'b' * 12} with changes")]
)
def test_a_commit_is_told_in_short(text: str, told: str) -> None:
    assert wording.commit(text) == told
