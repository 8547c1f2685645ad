"""The commit that is deployed, and the update that an approval follows, are what the backend's history says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.errors import UserError
from ops.deploying.driver import Place, deployed_commit, last_update
from ops.deploying.taking import base_of
from ops.gates.plan import is_first


class Told:
    """A stack whose history is this."""

    stack = "prod-aws"

    def __init__(self, *updates: dict[str, Any]) -> None:
        self._history = json.dumps(list(updates))

    def pulumi(self, *arguments: str) -> str:
        assert arguments[:2] == ("stack", "history")
        return self._history


def update(commit: str, result: str = "succeeded", kind: str = "update", at: str = "2026-11-22") -> dict[str, Any]:
    """An entry of the history."""
    return {"kind": kind, "version": 3, "startTime": at, "result": result, "environment": {"git.head": commit}}


def test_the_deployed_commit_is_that_of_the_newest_update_that_succeeded() -> None:
    assert deployed_commit(Told(update("c", "failed"), update("r", kind="refresh"), update("b"), update("a"))) == "b"


def test_an_update_without_a_commit_is_not_passed_over_for_an_older_one() -> None:
    assert deployed_commit(Told({**update("b"), "environment": {}}, update("a"))) == ""


def test_where_nothing_says_what_is_deployed_nothing_is_assumed() -> None:
    with pytest.raises(UserError, match="does not say which commit is deployed"):
        base_of(Told({**update("b"), "environment": {}}), Place.CLOUD, None, "update 3")


def test_a_stack_that_was_never_deployed_starts_from_this_commit() -> None:
    assert base_of(Told(), Place.CLOUD, None, last_update(Told())) == base_of(Told(), Place.CLOUD, "HEAD", "none")


def test_a_stack_whose_updates_all_failed_is_not_deployed_yet() -> None:
    tried = Told(update("b", "failed", at="2"), update("a", "failed", at="1"))
    assert is_first(last_update(tried)) and not is_first(last_update(Told(update("b", "failed"), update("a"))))
    assert last_update(tried) != last_update(Told(update("a", "failed", at="1"))), "each try uses approvals up"
    assert base_of(tried, Place.CLOUD, None, last_update(tried)) == base_of(Told(), Place.CLOUD, "HEAD", "none")


def test_each_update_is_another() -> None:
    assert last_update(Told()) == "none"
    assert last_update(Told(update("a", at="1"))) != last_update(Told(update("a", at="2")))
