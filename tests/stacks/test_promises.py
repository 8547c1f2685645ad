"""What a stack promises of recovery is shown with what it is bounded to, and with the parts of that."""

from __future__ import annotations

from typing import Any

import pytest

from components.contracts.recovery import bounds
from components.contracts.restore import restore_minutes
from stacks.files import platform_names
from stacks.promises import promises, promises_in
from stacks.settings import Settings, stack_file


@pytest.mark.parametrize("stack", platform_names())
def test_each_promise_of_a_committed_stack_covers_its_bound_and_the_parts_add_up(stack: str) -> None:
    s = Settings.load(stack_file(stack))
    told = promises(s.cloud, s.feature_store, s.backup)
    assert [p.bound for p in told if p.objective == "rpo"] == list(bounds(s.cloud, s.feature_store, s.backup))
    assert [p.bound.minutes for p in told if p.objective == "rto"] == [restore_minutes(s.cloud, s.feature_store)]
    for promise in told:
        shown = promise.to_json()
        assert shown["promised_minutes"] >= shown["bound_minutes"] == sum(part["minutes"] for part in shown["parts"])
        assert all(f"{part['minutes']} min {part['name']}" in str(promise) for part in shown["parts"])


@pytest.mark.parametrize("stack", platform_names())
def test_a_plan_says_what_its_settings_file_says(stack: str) -> None:
    s = Settings.load(stack_file(stack))
    assert promises_in(s.model_dump(mode="json")) == promises(s.cloud, s.feature_store, s.backup)


@pytest.mark.parametrize("settings", [{}, {"cloud": "aws"}, {"cloud": "x"}, {"cloud": "aws", "backup": 3}])
def test_settings_that_are_not_there_promise_nothing(settings: dict[str, Any]) -> None:
    assert promises_in(settings) == ()
