"""What numbered writes tell of a loss: the age up to which everything came back, and what is impossible."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.drill.judging import failure
from ops.drill.model import Check
from ops.drill.numbered import OBJECTS, NumberedWrites, Written, measured
from ops.features.rows import Row

LOST_S = 100.0


def written(count: int) -> Written:
    """One write a second, the last one a second before the loss."""
    return Written({n: LOST_S - count + n - 1 for n in range(1, count + 1)}, set(range(1, count + 1)))


def check(came_back: list[int], count: int = 10, at_most_s: float = 60.0, late_s: float = 0.0) -> Check:
    return measured({OBJECTS: came_back}, {OBJECTS: written(count)}, LOST_S, at_most_s, {OBJECTS: late_s})


@given(newest=st.integers(1, 10))
def test_the_newest_that_came_back_tells_the_loss(newest: int) -> None:
    found = check(list(range(1, newest + 1)))
    assert found.found["measured_s"] == 11 - newest and not failure(found)


def test_a_loss_beyond_the_objective_fails() -> None:
    assert "at most 5 is allowed" in failure(check([1, 2], at_most_s=5.0))


def test_what_nobody_wrote_before_the_loss_is_impossible() -> None:
    assert "impossible" in failure(check([*range(1, 12)]))


def test_nothing_that_came_back_is_no_measurement() -> None:
    assert "none came back" in failure(check([]))


@pytest.mark.parametrize(("late_s", "fails"), [(0.0, True), (2.0, True), (3.0, False)])
def test_a_gap_is_allowed_only_as_far_as_the_copies_promise(late_s: float, fails: bool) -> None:
    assert bool(failure(check([1, 2, 3, 4, 5, 6, 8, 9], late_s=late_s))) is fails


def test_the_loss_counts_from_the_oldest_that_is_missing() -> None:
    assert check([1, 2, 4, 5], late_s=60).found["measured_s"] == 9


def test_a_write_that_was_never_acknowledged_may_be_gone() -> None:
    began = Written({1: 98.0, 2: 99.0}, {1})
    found = measured({OBJECTS: [1]}, {OBJECTS: began}, LOST_S, 60.0, {OBJECTS: 0.0})
    assert found.found["measured_s"] == 2 and not failure(found)


class Refusing:
    """Takes a few writes, and then none."""

    def __init__(self, takes: int) -> None:
        self.takes = takes

    def write(self, rows: dict[str, Row]) -> None:
        if not self.takes:
            raise UserError("the table is gone", "t", "Look.")
        self.takes -= 1


def test_writes_go_on_until_they_are_refused_and_say_why(store: Any) -> None:
    clock = iter(range(10_000))
    rows: Any = Refusing(3)
    with NumberedWrites("id", store, rows, lambda: float(next(clock)), 1, every_s=0.001) as numbered:
        while not numbered.refusals:
            pass
    assert numbered.refusals["rows"][1] == "the table is gone"
    assert numbered.written["rows"].acknowledged == {1, 2, 3}
    assert numbered.objects(store.objects) == sorted(store.objects)
