"""Claims about what counts as a difference between what was asked for and what is there."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.kubernetes.live import inputs_of
from localcloud.providers.values import UNKNOWN

JSON = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text("ab", min_size=1, max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=2), JSON))
def test_an_object_that_is_as_asked_for_has_no_difference(asked: dict[str, Any]) -> None:
    assert inputs_of(asked, asked) == asked


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=2), JSON))
def test_fields_that_others_own_are_no_difference(asked: dict[str, Any]) -> None:
    assert inputs_of(asked, {**asked, "owned": {"by": "another"}}) == asked


@pytest.mark.parametrize(
    ("asked", "stored"),
    [("1000m", "1"), ("1024Mi", "1Gi"), ("0.5", "500m"), (2, "2"), ("1e3", "1k"), ("1500M", "1500M")],
)
def test_a_quantity_in_other_words_is_no_difference(asked: object, stored: object) -> None:
    wanted = {"spec": {"resources": {"requests": {"cpu": asked}}}}
    assert inputs_of(wanted, {"spec": {"resources": {"requests": {"cpu": stored}}}}) == wanted


def test_another_quantity_is_a_difference() -> None:
    found = inputs_of({"requests": {"cpu": "1000m"}}, {"requests": {"cpu": "1001m"}})
    assert found == {"requests": {"cpu": "1001m"}}


def test_a_text_that_looks_like_a_quantity_is_compared_as_text() -> None:
    assert inputs_of({"labels": {"size": "1000m"}}, {"labels": {"size": "1"}}) == {"labels": {"size": "1"}}


@pytest.mark.parametrize("empty", [[], {}, "", False, 0, None, {"a": []}])
def test_what_is_empty_may_be_dropped_by_the_server(empty: object) -> None:
    assert inputs_of({"field": empty}, {}) == {"field": empty}


def test_a_field_that_was_taken_away_is_a_difference() -> None:
    assert inputs_of({"paused": True}, {}) == {}


def test_an_entry_that_another_added_to_a_list_is_a_difference() -> None:
    assert inputs_of({"rules": [{"a": 1}]}, {"rules": [{"a": 1}, {"b": 2}]}) == {"rules": [{"a": 1}, {"b": 2}]}


def test_the_text_of_a_secret_is_compared_with_its_data() -> None:
    asked = {"kind": "Secret", "stringData": {"key": "value"}}
    same = {"kind": "Secret", "data": {"key": base64.b64encode(b"value").decode()}}
    other = {"kind": "Secret", "data": {"key": base64.b64encode(b"other").decode()}}
    assert inputs_of(asked, same) == asked
    assert inputs_of(asked, other)["stringData"] == {"key": "other"}


def test_what_is_not_known_yet_stays_unknown() -> None:
    assert inputs_of({"spec": {"host": UNKNOWN}}, {"spec": {"host": "a"}})["spec"]["host"] is UNKNOWN
