"""Inputs that fit a resource type, made from the SDK's own table of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from common.sdk.schema import Fields, ResourceSchema, WireType

_DEEPEST = 4
_TEXT = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=8)
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "str": _TEXT,
    "bool": st.booleans(),
    "int": st.integers(-1000, 1000),
    "number": st.floats(-1000, 1000),
    "any": st.one_of(_TEXT, st.integers(), st.dictionaries(_TEXT, _TEXT, max_size=2)),
    "asset": st.just({"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}),
}


def _value(kind: WireType, schema: ResourceSchema, depth: int) -> st.SearchStrategy[Any]:
    if isinstance(kind, str):
        return _SCALARS[kind]
    name, *rest = kind
    if name == "enum":
        return st.sampled_from(rest)
    if name == "union":
        return st.one_of([_value(member, schema, depth) for member in rest])
    if name == "list":
        return st.lists(_value(rest[0], schema, depth + 1), max_size=0 if depth >= _DEEPEST else 2)
    if name == "map":
        return st.dictionaries(_TEXT, _value(rest[0], schema, depth + 1), max_size=0 if depth >= _DEEPEST else 2)
    return _object(schema.objects[rest[0]], schema, depth + 1)


def _object(fields: Fields, schema: ResourceSchema, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Every required field, and above the deepest level some optional ones."""
    required = {name: kind for name, (kind, needed) in fields.items() if needed}
    optional = {} if depth >= _DEEPEST else {name: kind for name, (kind, needed) in fields.items() if not needed}

    def build(chosen: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        kinds = required | {name: optional[name] for name in chosen}
        return st.fixed_dictionaries({name: _value(kind, schema, depth) for name, kind in kinds.items()})

    if not optional:
        return build([])
    return st.lists(st.sampled_from(sorted(optional)), max_size=3, unique=True).flatmap(build)


@pytest.fixture(scope="session")
def fitting_inputs() -> Callable[[ResourceSchema], st.SearchStrategy[dict[str, Any]]]:
    """A strategy of inputs that a resource type accepts."""
    return lambda schema: _object(schema.inputs, schema, 0)
