"""What a drill calls proven: nothing missing, nothing changed, nothing too new, and controls that bite."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.drill.controls import run_controls
from ops.drill.judging import EARLY_CANARY, LATE_CANARY, flipped, judge_features, judge_objects, rows_hash
from ops.drill.model import ExpectedObject, ObjectCheck
from ops.drill.protocol import check_objects

CONTENTS = st.dictionaries(st.text("abc/", min_size=1, max_size=6), st.binary(min_size=1, max_size=40), min_size=1)
ROWS = st.dictionaries(st.text(max_size=8), st.text(max_size=8))


def expected_of(contents: dict[str, bytes]) -> tuple[ExpectedObject, ...]:
    return tuple(ExpectedObject(k, len(v), hashlib.sha256(v).hexdigest()) for k, v in contents.items())


def check(expected: tuple[ExpectedObject, ...], found: dict[str, bytes]) -> ObjectCheck:
    digests: dict[str, str | None] = {k: hashlib.sha256(v).hexdigest() for k, v in found.items()}
    return judge_objects(expected, {k: len(v) for k, v in found.items()}, digests)


@given(contents=CONTENTS)
def test_an_exact_copy_passes(contents: dict[str, bytes]) -> None:
    assert check(expected_of(contents), contents).passed


@given(contents=CONTENTS, data=st.data())
def test_any_missing_flipped_or_extra_object_fails(contents: dict[str, bytes], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(contents)))
    dropped = {k: v for k, v in contents.items() if k != key}
    assert check(expected_of(contents), dropped).missing == (key,)
    assert check(expected_of(contents), {**contents, key: flipped(contents[key])}).mismatched == (key,)
    assert check(expected_of(dropped), contents).extra == (key,)


def test_a_restore_of_nothing_is_not_a_restore() -> None:
    assert not check((), {}).passed


@given(data=st.binary(min_size=1, max_size=200))
def test_a_flip_changes_exactly_one_bit(data: bytes) -> None:
    changed = [a ^ b for a, b in zip(data, flipped(data), strict=True) if a != b]
    assert len(changed) == 1 and changed[0].bit_count() == 1


@given(rows=ROWS)
def test_the_hash_of_rows_does_not_depend_on_their_order(rows: dict[str, str]) -> None:
    assert rows_hash(rows) == rows_hash(dict(reversed(rows.items())))


@given(a=ROWS, b=ROWS)
def test_the_hash_of_rows_tells_different_rows_apart(a: dict[str, str], b: dict[str, str]) -> None:
    assert (rows_hash(a) == rows_hash(b)) == (a == b)


@pytest.mark.parametrize(
    ("restored", "passed"),
    [
        ({"p": "1", f"{EARLY_CANARY}-x": "0"}, True),
        ({"p": "1"}, False),
        ({"p": "2", f"{EARLY_CANARY}-x": "0"}, False),
        ({"p": "1", f"{EARLY_CANARY}-x": "0", f"{LATE_CANARY}-x": "0"}, False),
    ],
)
def test_features_pass_only_as_they_were_at_the_recovery_point(restored: dict[str, str], passed: bool) -> None:
    expected = {"p": "1", f"{EARLY_CANARY}-x": "0"}
    assert judge_features("t", expected, restored, "x").passed is passed


def test_both_controls_are_detected_and_undone(store: Any) -> None:
    store.objects = {"a": b"small", "b": b"the largest object"}
    before = dict(store.objects)
    expected = expected_of(before)
    controls = run_controls(store, expected, lambda: check_objects(store, expected))
    assert [c.detected for c in controls] == [True, True]
    assert store.objects == before


def test_a_control_that_the_check_overlooks_is_told(store: Any) -> None:
    store.objects = {"a": b"content"}
    blind = ObjectCheck(expected=1, restored=1, bytes=7)
    controls = run_controls(store, expected_of(store.objects), lambda: blind)
    assert [c.detected for c in controls] == [False, False]


def test_a_control_counts_only_if_the_data_was_clean_before(store: Any) -> None:
    store.objects = {"a": b"content"}
    expected = (*expected_of(store.objects), ExpectedObject("never restored", 1, "00"))
    controls = run_controls(store, expected, lambda: check_objects(store, expected))
    assert not any(c.detected for c in controls)
