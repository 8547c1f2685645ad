"""The wire form of properties: what goes in comes out, secrets stay secret, unknowns stay unknown."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from localcloud.providers.values import (
    UNKNOWN,
    decode,
    encode,
    has_unknown,
    path_text,
    secret_paths_of_outputs,
)

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN)
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(), t, max_size=3))


@given(st.dictionaries(st.text(), TREES, max_size=4))
def test_values_survive_the_wire(values: dict[str, Any]) -> None:
    assert decode(encode(values)).values == values


@given(st.dictionaries(st.text(min_size=1), TREES, min_size=1, max_size=4))
def test_secrets_survive_the_wire(values: dict[str, Any]) -> None:
    paths = {(key,) for key in values}
    decoded = decode(encode(values, paths))
    assert (decoded.values, decoded.secrets) == (values, paths)


def test_a_secret_input_is_a_secret_output_at_the_same_path() -> None:
    outputs = {"data": {"token": "t", "user": "u"}, "name": "n"}
    assert secret_paths_of_outputs(outputs, frozenset({("data", "token")}), ()) == {("data", "token")}


def test_a_secret_whose_path_is_gone_makes_the_whole_output_secret() -> None:
    assert secret_paths_of_outputs({"data": "joined"}, frozenset({("data", "token")}), ()) == {("data",)}


def test_an_output_that_is_always_secret_needs_no_secret_input() -> None:
    assert secret_paths_of_outputs({"authString": "x"}, frozenset(), ["authString", "absent"]) == {("authString",)}


def test_an_unknown_is_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": 1}]})


def test_a_path_is_written_as_pulumi_writes_it() -> None:
    assert path_text(("rules", 0, "id")) == "rules[0].id"
