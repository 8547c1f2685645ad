"""Negative controls bite: a check that overlooks a planted fault is told, and what was planted is undone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from ops.drill.controls import object_controls
from ops.drill.judging import failure
from ops.drill.model import Control, ExpectedObject
from ops.drill.restoring import check_objects, read_objects

Expected = tuple[ExpectedObject, ...]


def expected_of(contents: dict[str, bytes]) -> Expected:
    return tuple(ExpectedObject(k, len(v), hashlib.sha256(v).hexdigest()) for k, v in contents.items())


def read(store: Any, expected: Expected) -> tuple[Expected, dict[str, str | None]]:
    return expected, read_objects(store, expected)


def detected(control: Control) -> bool:
    return bool(failure(control.planted)) and not any(map(failure, control.undone))


def test_both_faults_of_objects_are_detected_and_undone(store: Any) -> None:
    store.objects = {"a": b"small", "b": b"the largest object"}
    before = dict(store.objects)
    assert [detected(c) for c in object_controls(store, *read(store, expected_of(before)))] == [True, True]
    assert store.objects == before


def test_a_fault_that_the_check_overlooks_is_told(store: Any) -> None:
    store.objects = {"a": b"content"}
    expected = expected_of(store.objects)
    expected, digests = read(store, expected)
    blind = check_objects(store, expected, digests)
    assert [detected(c) for c in object_controls(store, expected, digests, check=lambda: blind)] == [False, False]


def test_a_control_counts_only_if_the_data_was_clean_before(store: Any) -> None:
    store.objects = {"a": b"content"}
    expected = (*expected_of(store.objects), ExpectedObject("never restored", 1, "00"))
    assert not any(detected(c) for c in object_controls(store, *read(store, expected)))


def test_what_was_planted_is_undone_when_the_check_itself_breaks(store: Any) -> None:
    store.objects = {"a": b"content"}
    expected, digests = read(store, expected_of(store.objects))
    answers = iter([check_objects(store, expected, digests)])
    with pytest.raises(StopIteration):
        object_controls(store, expected, digests, check=lambda: next(answers))
    assert store.objects == {"a": b"content"}
