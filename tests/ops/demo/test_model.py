"""How a demo's end is decided."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ops.demo.model import Ending, Predictions, Problem, Result, State


def with_step(result: Result, **changes: object) -> Result:
    """The result with its third step changed."""
    steps = list(result.steps)
    steps[2] = replace(steps[2], **changes)  # pyright: ignore[reportArgumentType]
    return replace(result, steps=tuple(steps))


def test_a_demo_with_every_step_green_passes(passed: Result) -> None:
    assert (passed.ending, passed.exit_code) == (Ending.PASSED, 0)


def test_a_finding_of_one_step_is_the_demos(passed: Result) -> None:
    found = with_step(passed, state=State.FOUND, findings=("drift: update table",))
    assert (found.ending, found.exit_code, found.findings) == (Ending.FOUND, 1, ("drift: update table",))


@pytest.mark.parametrize("state", [State.FAILED, State.PENDING, State.RUNNING])
def test_a_step_that_did_not_end_leaves_the_demo_unfinished(passed: Result, state: State) -> None:
    unfinished = with_step(passed, state=state)
    assert (unfinished.ending, unfinished.exit_code) == (Ending.FAILED, 2)


def test_a_problem_outside_the_steps_is_not_passed_over(passed: Result) -> None:
    assert replace(passed, problem=Problem("no space", "/out", "free some")).exit_code == 2


def test_an_interrupt_is_told_from_a_failure(passed: Result) -> None:
    stopped = with_step(passed, state=State.INTERRUPTED)
    assert (stopped.ending, stopped.exit_code) == (Ending.INTERRUPTED, 130)


def test_an_interrupt_between_steps_counts(passed: Result) -> None:
    assert replace(passed, interrupted=True).exit_code == 130


def test_no_requests_are_no_golden_predictions() -> None:
    assert not Predictions("before", "http", 0, 0, 0, None, None, None, None).passed


def test_the_result_is_plain_json_with_its_own_verdict(passed: Result) -> None:
    document = json.loads(json.dumps(passed.to_json()))
    assert (document["ending"], document["exit_code"], document["mode"]) == ("passed", 0, "emulated")
    assert document["started"] == "2026-01-02T03:04:05+00:00"
    assert [row["passed"] for row in document["predictions"]] == [True] * 4


def test_an_unfinished_result_is_plain_json_too(barely_begun: Result) -> None:
    document = json.loads(json.dumps(barely_begun.to_json()))
    assert (document["exit_code"], document["drill"], document["predictions"]) == (2, None, [])
