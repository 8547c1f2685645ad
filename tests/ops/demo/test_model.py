"""How a demo's end is decided, and what its result holds."""

from __future__ import annotations

import json

import pytest

from common.errors import UserError
from ops.demo.model import EXIT_CODES, Result, State


def test_a_demo_with_every_step_green_passes(passed: Result) -> None:
    assert (passed.ending, EXIT_CODES[passed.ending]) == (State.PASSED, 0)


def test_a_finding_of_one_step_is_the_demos(passed: Result) -> None:
    passed.steps[2].findings = ("drift: update table",)
    assert (passed.ending, EXIT_CODES[passed.ending], passed.findings) == (State.FOUND, 1, ("drift: update table",))


@pytest.mark.parametrize("state", [State.FAILED, State.PENDING, State.RUNNING])
def test_a_step_that_did_not_end_leaves_the_demo_unfinished(passed: Result, state: State) -> None:
    passed.steps[2].state = state
    assert (passed.ending, EXIT_CODES[passed.ending]) == (State.FAILED, 2)


def test_a_problem_outside_the_steps_is_not_passed_over(passed: Result) -> None:
    passed.problem = UserError("no space", "/out", "Free some.")
    assert passed.ending is State.FAILED


def test_an_interrupt_is_told_from_a_failure(passed: Result) -> None:
    passed.steps[2].state = State.INTERRUPTED
    assert (passed.ending, EXIT_CODES[passed.ending]) == (State.INTERRUPTED, 130)


def test_an_interrupt_between_steps_counts(passed: Result) -> None:
    passed.interrupted = True
    assert passed.ending is State.INTERRUPTED


def test_the_result_is_plain_json_with_its_own_verdict(passed: Result) -> None:
    document = json.loads(json.dumps(passed.to_json()))
    assert (document["ending"], document["exit_code"], document["started"]) == (
        "passed",
        0,
        "2026-01-02T03:04:05+00:00",
    )
    assert [row["passed"] for row in document["predictions"]] == [True] * 4


def test_an_unfinished_result_is_plain_json_too(barely_begun: Result) -> None:
    barely_begun.problem = UserError("no engine", "PATH", "Install one.")
    document = json.loads(json.dumps(barely_begun.to_json()))
    assert (document["exit_code"], document["release"], document["predictions"]) == (2, None, [])
    assert document["problem"] == {"what": "no engine", "where": "PATH", "remedy": "Install one."}
