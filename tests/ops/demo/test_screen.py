"""The screen tells what is known, and where the rest lies."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ops.demo import screen
from ops.demo.model import Drill, Predictions, Preview, Result, State

FOLDER = Path("/out/demo-dev-aws")


def printed(result: Result, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    screen.show(result, FOLDER, console)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def test_a_demo_that_passed_fits_on_one_screen(passed: Result) -> None:
    assert len(printed(passed, 100).splitlines()) <= 24


@pytest.mark.parametrize(
    "told",
    [
        "every step is green: 9 of 9 steps in 1 min 21 s",
        "5 deployed, as planned",
        "empty; no drift",
        "82 rules: 132 pass, 0 fail",
        "the engine gives the same verdicts",
        "228 of 228",
        "7.2 ms",
        "RPO 1.2 s of 6 h allowed, RTO 10.4 s of 1 h allowed",
        "emulated",
        "/out/demo-dev-aws/report.html",
        "/out/demo-dev-aws/drill-dev-aws-1.json",
    ],
)
def test_the_screen_tells_of_every_job(passed: Result, told: str) -> None:
    assert told in printed(passed)


def test_a_path_is_never_folded(passed: Result) -> None:
    assert str(FOLDER / "drill-dev-aws-1.json") in printed(passed, 40)


def test_both_moments_and_protocols_have_a_row(passed: Result) -> None:
    text = printed(passed)
    assert [text.count(word) for word in ("before the loss", "after the restore", "HTTP", "gRPC")] == [2, 2, 2, 2]


def test_nothing_is_told_of_what_was_not_reached(barely_begun: Result) -> None:
    text = printed(barely_begun)
    assert "it could not be finished: 1 of 9 steps" in text
    assert not any(word in text for word in ("resources", "golden", "RPO", "evidence"))


def test_a_file_that_was_not_written_is_not_named(barely_begun: Result) -> None:
    assert "report.html" not in printed(replace(barely_begun, files=()))


def test_findings_are_named_and_many_are_cut(passed: Result) -> None:
    step = replace(passed.steps[0], state=State.FOUND, findings=tuple(f"finding {n}" for n in range(30)))
    text = printed(replace(passed, steps=(step, *passed.steps[1:])))
    assert "! finding 0" in text
    assert "and 22 more, in the report" in text


def test_wrong_predictions_are_seen(passed: Result, predictions: Callable[..., Predictions]) -> None:
    assert "227 of 228" in printed(replace(passed, predictions=(predictions(matching=227),)))


def test_a_drill_that_could_not_go_on_has_no_times(passed: Result, drill: Drill) -> None:
    failed = replace(drill, proven=False, objects="", rpo=None, rto=None, findings=("no recovery point",))
    text = printed(replace(passed, drill=failed))
    assert "not proven" in text
    assert "not measured" in text


def test_drift_that_was_not_looked_for_is_not_claimed_absent(passed: Result) -> None:
    assert "no drift" not in printed(replace(passed, preview=Preview(5, (), None)))


def test_square_brackets_of_a_value_are_no_markup(passed: Result) -> None:
    assert "update [red]x[/]" in printed(
        replace(passed, steps=(replace(passed.steps[0], findings=("update [red]x[/]",)), *passed.steps[1:]))
    )
