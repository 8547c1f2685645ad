"""The step list keeps book of what was done, and shows it where nobody watches."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from localcloud.toolchain.progress import shown
from ops.demo.board import Board
from ops.demo.model import State

PLANNED = [("one", "First thing"), ("two", "Second [thing]"), ("three", "Third thing")]


@pytest.fixture
def board(printed: io.StringIO) -> Board:
    """A board that prints into `printed`, as into a file."""
    return Board(PLANNED, Console(file=printed, width=200))


@pytest.fixture
def terminal(printed: io.StringIO) -> Board:
    """A board on a terminal."""
    return Board(PLANNED, Console(file=printed, width=100, height=30, force_terminal=True))


def states(board: Board) -> list[State]:
    return [step.state for step in board.steps]


def test_all_steps_are_known_before_the_first(board: Board) -> None:
    assert [(step.key, step.title) for step in board.steps] == PLANNED
    assert set(states(board)) == {State.PENDING}


def test_a_step_runs_and_then_is_done(board: Board) -> None:
    with board, board.stage("one") as stage:
        assert states(board)[0] is State.RUNNING
        stage.told = "12 made"
    assert (board.steps[0].state, board.steps[0].told) == (State.OK, "12 made")


def test_a_step_with_findings_is_not_green(board: Board) -> None:
    with board, board.stage("one") as stage:
        stage.findings = ("something is wrong",)
    assert (board.steps[0].state, board.steps[0].findings) == (State.FOUND, ("something is wrong",))


def test_an_error_marks_its_step_and_goes_on_up(board: Board) -> None:
    with pytest.raises(ValueError, match="boom"), board, board.stage("two"):
        raise ValueError("boom")
    assert states(board) == [State.PENDING, State.FAILED, State.PENDING]


def test_an_interrupt_is_told_from_an_error(board: Board) -> None:
    with pytest.raises(KeyboardInterrupt), board, board.stage("two"), board.step("inner"):
        raise KeyboardInterrupt
    assert board.steps[1].state is State.INTERRUPTED
    assert [part.outcome for part in board.steps[1].parts] == ["interrupted"]


def test_what_a_step_calls_becomes_its_parts(board: Board) -> None:
    with board, board.stage("one"):
        with board.step("outer"), board.step("inner"):
            pass
        with board.step("after"):
            pass
    assert [part.title for part in board.steps[0].parts] == ["inner", "outer", "after"]


def test_each_step_takes_lines_of_its_own_without_a_terminal(board: Board, printed: io.StringIO) -> None:
    with board, board.stage("two") as stage:
        stage.told = "done [so]"
        with board.step("a part"):
            board.note("a note")
    first, note, part, last = printed.getvalue().splitlines()
    assert (first, note.strip()) == ("… [2/3] Second [thing]", "a note")
    assert "✓ a part" in part
    assert last.startswith("✓ [2/3] Second [thing]")
    assert last.endswith("done [so]")


def test_findings_are_printed_below_their_step(board: Board, printed: io.StringIO) -> None:
    with board, board.stage("one") as stage:
        stage.findings = ("one is wrong", "two is wrong")
    assert [line.strip() for line in printed.getvalue().splitlines()[-2:]] == ["! one is wrong", "! two is wrong"]


def test_a_terminal_shows_every_step_with_its_mark(terminal: Board, printed: io.StringIO) -> None:
    with terminal:
        with terminal.stage("one") as stage:
            stage.told = "12 made"
        with pytest.raises(ValueError, match="boom"), terminal.stage("two"):
            raise ValueError("boom")
    lines = printed.getvalue().splitlines()
    found = [next(line for line in reversed(lines) if title in line) for _, title in PLANNED]
    assert [mark in line for mark, line in zip("✓✗·", found, strict=True)] == [True] * 3


def test_a_long_result_never_hides_a_title_or_a_time(terminal: Board, printed: io.StringIO) -> None:
    with terminal, terminal.stage("two") as stage:
        stage.told = "very long " * 30
    line = next(line for line in reversed(printed.getvalue().splitlines()) if "very long" in line)
    assert "Second [thing]" in line and "0.0 s" in line


def test_a_build_may_show_its_own_progress_below_the_list(terminal: Board) -> None:
    with terminal, terminal.stage("one"), shown("Build a thing", terminal) as line:
        line("compiling")
    assert [part.title for part in terminal.steps[0].parts] == ["Build a thing"]


def test_a_part_outside_any_step_is_no_error(board: Board) -> None:
    with board.step("between"):
        board.note("well")
    assert [done.title for done in board.done] == ["between"]
