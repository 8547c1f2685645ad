"""The step list keeps book of what was done, on a terminal and where nobody watches."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from localcloud.toolchain.progress import shown
from ops.demo.board import Board
from ops.demo.model import State

PLANNED = [("one", "First thing"), ("two", "Second [thing]"), ("three", "Third thing")]


@pytest.fixture
def board(printed: io.StringIO) -> Board:
    """A board that prints into `printed`, as into a file."""
    return Board(PLANNED, Console(file=printed, width=80))


@pytest.fixture
def terminal(printed: io.StringIO) -> Board:
    """A board on a terminal of 80 columns."""
    return Board(PLANNED, Console(file=printed, width=80, height=30, force_terminal=True, color_system=None))


def last_screen(printed: io.StringIO) -> list[str]:
    """The lines of the list as the terminal showed it last."""
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.getvalue()).splitlines()
    start = max(number for number, line in enumerate(lines) if "First thing" in line)
    return [line.rstrip() for line in lines[start:] if line.strip()]


def test_a_step_runs_and_then_is_done(board: Board) -> None:
    first, *others = board.steps
    with board.shown(), board.stage(first):
        assert first.state is State.RUNNING
    assert (first.state, {step.state for step in others}) == (State.PASSED, {State.PENDING})


def test_a_step_with_findings_is_not_green(board: Board) -> None:
    with board.stage(board.steps[0]):
        board.steps[0].findings = ("something is wrong",)
    assert board.steps[0].state is State.FOUND


def test_an_error_marks_its_step_and_goes_on_up(board: Board) -> None:
    with pytest.raises(ValueError, match="boom"), board.shown(), board.stage(board.steps[1]):
        raise ValueError("boom")
    assert [step.state for step in board.steps] == [State.PENDING, State.FAILED, State.PENDING]


def test_an_interrupt_is_told_from_an_error(board: Board) -> None:
    with pytest.raises(KeyboardInterrupt), board.stage(board.steps[1]), board.step("inner"):
        raise KeyboardInterrupt
    assert board.steps[1].state is State.INTERRUPTED
    assert [part.outcome for part in board.steps[1].parts] == ["interrupted"]


def test_what_a_step_calls_becomes_its_parts(board: Board) -> None:
    with board.stage(board.steps[0]):
        with board.step("outer"), board.step("inner"):
            pass
        with board.step("after"):
            pass
    assert [part.title for part in board.steps[0].parts] == ["inner", "outer", "after"]


def test_a_part_outside_any_step_is_no_error(board: Board) -> None:
    with board.step("between"):
        board.note("well")
    assert [done.title for done in board.done] == ["between"]


def test_a_file_gets_whole_lines_without_padding(board: Board, printed: io.StringIO) -> None:
    with board.shown(), board.stage(board.steps[1]):
        board.steps[1].result, board.steps[1].findings = "done [so] " * 20 + "end", ("one is wrong", "two is wrong")
        with board.step("a part"):
            board.note("a note")
    first, note, part, last, *findings = printed.getvalue().splitlines()
    assert (first, note.strip()) == ("… [2/3] Second [thing]", "a note")
    assert "✓ a part" in part
    assert last.startswith("! [2/3] Second [thing]") and last.endswith("done [so] end")
    assert [line.strip() for line in findings] == ["! one is wrong", "! two is wrong"]
    assert [line for line in printed.getvalue().splitlines() if line != line.rstrip()] == []


def test_a_terminal_shows_every_step_with_its_mark(terminal: Board, printed: io.StringIO) -> None:
    with terminal.shown():
        with terminal.stage(terminal.steps[0]):
            terminal.steps[0].result = "12 made; and the rest of it"
        with pytest.raises(ValueError, match="boom"), terminal.stage(terminal.steps[1]):
            raise ValueError("boom")
    lines = last_screen(printed)
    assert [line.split()[0] for line in lines] == ["✓", "✗", "·"]
    assert lines[0].endswith("12 made")


def test_a_long_result_is_shown_whole_and_hides_no_title_or_time(terminal: Board, printed: io.StringIO) -> None:
    with terminal.shown(), terminal.stage(terminal.steps[1]):
        terminal.steps[1].findings = (" ".join(f"word{n}" for n in range(40)),)
    lines = last_screen(printed)
    assert max(map(len, lines)) <= 80
    assert any("Second [thing]" in line and "0.0 s" in line for line in lines)
    assert [word for line in lines for word in line.split() if word.startswith("word")] == [
        f"word{n}" for n in range(40)
    ]


def test_a_build_may_show_its_own_progress_below_the_list(terminal: Board) -> None:
    with terminal.shown(), terminal.stage(terminal.steps[0]), shown("Build a thing", terminal) as line:
        line("compiling")
    assert [part.title for part in terminal.steps[0].parts] == ["Build a thing"]
