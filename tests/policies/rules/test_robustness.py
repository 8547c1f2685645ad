"""Evaluation is total: whatever the inputs hold, each rule gives a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.evaluation import evaluate
from policies.examples import Scene
from policies.model import Rule
from policies.rules import RULES

_STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**6) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_OTHERS = ([], {}, [[]], [{}], {"": []}, "", 7, 0.5, True, None)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))


def _with(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, Mapping):
        return {key: _with(item, path[1:], new) if key == path[0] else item for key, item in value.items()}
    return [_with(item, path[1:], new) if index == path[0] else item for index, item in enumerate(value)]


def test_no_input_whatever_its_type_crashes_a_rule(whole: dict[str, Scene]) -> None:
    places = [
        (inventory, resource, path)
        for inventory in (scene.inventory() for scene in whole.values())
        for resource in inventory.resources
        for path in _paths(resource.inputs)
    ]

    @settings(max_examples=200, deadline=None)
    @given(position=st.integers(0, len(places) - 1), value=_STRANGE)
    def judged(position: int, value: Any) -> None:
        inventory, resource, path = places[position]
        strange = replace(resource, inputs=_with(resource.inputs, path, value))
        resources = tuple(strange if r is resource else r for r in inventory.resources)
        assert evaluate(replace(inventory, resources=resources))

    judged()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_value_of_another_type_in_its_own_example_crashes_a_rule(rule: Rule) -> None:
    inventory = rule.examples().scene().inventory()
    of_its_types = [each for each in inventory.resources if each.type in rule.types]
    for resource in inventory.resources:
        for path, value in product(_paths(resource.inputs), _OTHERS):
            strange = replace(resource, inputs=_with(resource.inputs, path, value))
            planted = replace(
                inventory, resources=tuple(strange if r is resource else r for r in inventory.resources)
            )
            for subject in of_its_types:
                assert rule.check(strange if subject is resource else subject, planted)
