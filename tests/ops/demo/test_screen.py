"""The screen shows what is known and where the rest lies, on a narrow terminal and in a file."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ops.demo import screen
from ops.demo.model import Result, State
from ops.serving.golden import Mismatch

FOLDER = Path("/out/demo-dev-aws")


def printed(result: Result, width: int | None = None) -> str:
    """What a terminal of `width` columns shows; None: what a file gets."""
    console = Console(
        file=io.StringIO(), width=width, highlight=False, force_terminal=width is not None, color_system=None
    )
    screen.show(result, FOLDER, console)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("width", [80, 120])
def test_a_demo_that_passed_fits_on_one_screen(passed: Result, width: int) -> None:
    lines = printed(passed, width).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= width


def test_a_long_result_is_wrapped_whole_beside_its_name(passed: Result) -> None:
    passed.steps[2].result = " ".join(f"word{n}" for n in range(40))
    lines = printed(passed, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [word for line in lines for word in line.split() if word.startswith("word")] == passed.steps[
        2
    ].result.split()
    assert all(line.startswith(" " * 14) for line in lines if "word39" in line)


def test_a_file_gets_whole_lines_without_padding(passed: Result) -> None:
    passed.steps[2].result = "a long result; " * 20 + "end"
    lines = printed(passed).splitlines()
    assert any(line.endswith("end") and passed.steps[2].result in line for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize(
    "text",
    [
        "every step is green, 11 of 11 steps in 1 min 21 s",
        "policies well; and the rest of it",
        "114 of 114",
        "7.2 ms",
        "/out/demo-dev-aws/report.html",
        "/out/demo-dev-aws/drill-1.json",
    ],
)
def test_the_screen_shows_every_job(passed: Result, text: str) -> None:
    assert text in printed(passed, 80)


def test_a_path_is_never_wrapped(passed: Result) -> None:
    assert str(FOLDER / "drill-1.json") in printed(passed, 40)


def test_both_moments_and_protocols_have_a_row(passed: Result) -> None:
    text = printed(passed, 80)
    assert [text.count(word) for word in ("before the loss", "after the restore", "HTTP", "gRPC")] == [2, 2, 2, 2]


def test_what_was_not_reached_is_not_shown(barely_begun: Result) -> None:
    barely_begun.files = ()
    text = printed(barely_begun, 80)
    assert "it could not be finished, 1 of 11 steps" in text
    assert not any(word in text for word in ("resources", "golden", "evidence", "report.html"))


def test_findings_are_named_and_many_are_cut(passed: Result) -> None:
    passed.steps[0].state, passed.steps[0].findings = State.FOUND, tuple(f"update [red]{n}[/]" for n in range(30))
    text = printed(passed, 80)
    assert "! update [red]0[/]" in text
    assert "and 22 more, in the report" in text


def test_wrong_predictions_are_seen(passed: Result) -> None:
    assert passed.served is not None
    (http, grpc) = passed.served.results
    wrong = replace(http, mismatches=(Mismatch("row-1", "late"),))
    passed.served = replace(passed.served, results=(wrong, grpc))
    assert "113 of 114" in printed(passed, 80)
