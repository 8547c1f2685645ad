"""What a change of inputs means to the real providers."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.sdk.replacement_aws import name_property, replace_on
from localcloud.providers.diffing import decide
from localcloud.providers.values import UNKNOWN

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
TREES = st.recursive(
    LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=4), t, max_size=3), max_leaves=8
)
INPUTS = st.dictionaries(st.text(max_size=4).filter(lambda k: not k.startswith("__")), TREES, max_size=4)


@given(INPUTS)
def test_equal_inputs_are_no_change(inputs: dict[str, Any]) -> None:
    assert decide(inputs, inputs, replace_on=inputs).changes == ()


@given(INPUTS, INPUTS)
def test_only_a_listed_property_replaces(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert decide(old, new, replace_on=()).replaces == ()


def test_a_change_is_told_by_its_path() -> None:
    old = {"rules": [{"id": "a", "days": 3}, {"id": "b"}]}
    new = {"rules": [{"id": "a", "days": 5}, {"id": "b", "days": 1}]}
    changes = decide(old, new, replace_on=()).changes
    assert [(c.path, c.change) for c in changes] == [("rules[0].days", "update"), ("rules[1].days", "add")]


def test_a_change_below_a_replacing_path_replaces() -> None:
    old, new = ({"encryptionConfig": {"provider": {"keyArn": key}}} for key in "ab")
    assert decide(old, new, replace_on=["encryptionConfig"]).replaces == ("encryptionConfig.provider.keyArn",)


def test_taking_away_what_holds_a_replacing_path_replaces() -> None:
    old = {"launchTemplate": {"id": "lt-1", "version": "1"}}
    assert decide(old, {}, replace_on=["launchTemplate.id"]).replaces == ("launchTemplate",)


def test_list_positions_do_not_hide_a_replacing_path() -> None:
    old, new = ({"subnetIds": ["a", last]} for last in "bc")
    assert decide(old, new, replace_on=["subnetIds"]).replaces == ("subnetIds[1]",)


def test_an_unknown_value_counts_as_changed() -> None:
    assert decide({"vpcId": "vpc-1"}, {"vpcId": UNKNOWN}, replace_on=["vpcId"]).replaces == ("vpcId",)


def test_an_ignored_property_is_no_change() -> None:
    old, new = ({"scalingConfig": {"desiredSize": n}} for n in (1, 4))
    assert decide(old, new, replace_on=(), ignore=["scalingConfig.desiredSize"]).changes == ()


def test_a_replacement_that_keeps_its_name_deletes_first() -> None:
    old, new = ({"name": "features", "hashKey": key} for key in ("id", "entity_id"))
    token = "aws:dynamodb/table:Table"
    assert decide(old, new, replace_on=replace_on(token), name_property=name_property(token)).delete_before_replace


def test_a_new_name_lets_kubernetes_alone_create_first() -> None:
    old, new = ({"name": name} for name in ("features", "features-2"))
    bridged, kubernetes = (
        decide(old, new, replace_on=["name"], name_property="name", new_name_creates_first=first)
        for first in (False, True)
    )
    assert bridged.replaces == kubernetes.replaces == ("name",)
    assert (bridged.delete_before_replace, kubernetes.delete_before_replace) == (True, False)
