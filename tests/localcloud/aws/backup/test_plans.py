"""AWS Backup backs up what the deployed plan and selection say, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.aws.backup.plans import can_copy, copy_targets, is_due, is_selected
from localcloud.aws.decisions import KeyView, can_use

TABLE = "arn:aws:dynamodb:eu-west-1:1:table/features"
KEY = KeyView("arn:key", "Enabled")


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ({"Resources": [TABLE]}, True),
        ({"Resources": ["arn:aws:dynamodb:*:*:table/*"]}, True),
        ({"Resources": ["arn:aws:dynamodb:eu-west-1:1:table/other"]}, False),
        ({"Resources": []}, False),
        ({"Resources": ["*"], "NotResources": [TABLE]}, False),
        ({"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "b", "ConditionValue": "yes"}]}, True),
        ({"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "b", "ConditionValue": "no"}]}, False),
    ],
)
def test_a_selection_covers_what_it_names(selection: dict[str, Any], wanted: bool) -> None:
    assert bool(is_selected(TABLE, {"b": "yes"}, selection)) is wanted


def test_a_rule_without_copy_actions_copies_nowhere() -> None:
    assert copy_targets({"RuleName": "r"}) == []


def test_a_copy_action_has_its_own_retention() -> None:
    rule = {"CopyActions": [{"DestinationBackupVaultArn": "arn:v", "Lifecycle": {"DeleteAfterDays": 7}}]}
    assert copy_targets(rule) == [("arn:v", 7)]


@pytest.mark.parametrize(
    ("last_point", "last_write", "wanted"),
    [(None, None, True), (None, 5.0, True), (10.0, None, False), (10.0, 5.0, False), (10.0, 11.0, True)],
)
def test_a_schedule_is_due_once_after_each_write(
    last_point: float | None, last_write: float | None, wanted: bool
) -> None:
    assert bool(is_due(last_point, last_write)) is wanted


@pytest.mark.parametrize(
    ("source", "exists", "target", "wanted"),
    [
        (KEY, True, KEY, True),
        (KEY, False, KEY, False),
        (KeyView("arn:key", "Disabled"), True, KEY, False),
        (KEY, True, KeyView("arn:key", "Disabled"), False),
        (KEY, True, KeyView("arn:key", ""), False),
        (KeyView("", ""), True, KeyView("", ""), True),
    ],
)
def test_a_copy_needs_the_target_vault_and_both_keys(
    source: KeyView, exists: bool, target: KeyView, wanted: bool
) -> None:
    assert bool(can_copy(source, exists, target)) is wanted


@pytest.mark.parametrize(("state", "wanted"), [("Enabled", True), ("Disabled", False), ("PendingDeletion", False)])
def test_only_an_enabled_key_can_be_used(state: str, wanted: bool) -> None:
    assert bool(can_use(KeyView("arn:key", state))) is wanted
