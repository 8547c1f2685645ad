"""Runs the demo from its first step to its report, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from common.errors import UserError
from common.paths import out_dir, repo_root
from ops.demo import leftovers, screen
from ops.demo.board import Board
from ops.demo.folders import Home, ReportFolder, new_demo_id
from ops.demo.model import Ending, Problem, Result
from ops.demo.report import render
from ops.demo.stages import STAGES, Demo
from ops.local.workspace import find_workspace, read_settings
from ops.plan.planner import checked_name

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Interrupts:
    """Turns the first signal to end into a KeyboardInterrupt; more of them do not disturb the cleaning up."""

    happened: bool = False
    armed: bool = False
    """Whether a signal is acted on; else it is remembered."""
    told: Callable[[], None] = lambda: None
    """Called before the KeyboardInterrupt."""

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self.happened = True
        if self.armed:
            self.armed = False
            self.told()
            raise KeyboardInterrupt

    def arm(self, told: Callable[[], None]) -> None:
        """From now on act on a signal, at once if there was one."""
        self.told, self.armed = told, True
        if self.happened:
            self.armed = False
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Take the signals that end a command, for the length of a block in the main thread."""
    taken = Interrupts()
    previous = {number: signal.signal(number, taken.handle) for number in _SIGNALS}
    try:
        yield taken
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def run_demo(stack: str, out: Path | None, *, as_json: bool = False) -> int:
    """Do all steps on a local cloud of the demo's own, and write the report below `out`; returns the exit code.

    Raises:
        UserError: there is no such stack, its settings are refused, or a step could not run; a report of what was
            done is written then too.
    """
    settings = read_settings(find_workspace(checked_name(stack), repo_root()))
    with interrupts() as taken:
        report = ReportFolder(out or out_dir(), new_demo_id(stack, datetime.now(UTC)))
        try:
            leftovers.adopt_orphans()
            board = Board([(key, title) for key, title, _ in STAGES])
            demo = Demo(report.demo_id, settings, Home(), report, board)
            error = _act(demo, taken)
            result, folder = _publish(demo)
        finally:
            report.discard()
    _print(result, folder, as_json=as_json)
    if error is not None:
        raise error
    return result.exit_code


def _act(demo: Demo, taken: Interrupts) -> UserError | None:
    """Do the steps until one cannot; then clean up without being disturbed. Returns why it could not."""
    error: UserError | None = None
    try:
        taken.arm(demo.board.stopping)
        with demo.home.holds_temporary_files(), demo.board as board:
            for key, _, act in STAGES:
                with board.stage(key) as stage:
                    act(demo, stage)
    except KeyboardInterrupt:
        demo.interrupted = True
    except Exception as caught:
        # A child that a Ctrl-C ended first fails its step; that is no failure of the step.
        demo.interrupted = taken.happened
        error = None if taken.happened else explained(caught, demo.report, demo.home)
    finally:
        taken.armed = False
        unfinished = demo.interrupted or error is not None
        for forced in demo.wind_up(keep_logs=unfinished):
            demo.board.console.print(f"! {forced}", markup=False, soft_wrap=True)
    if error is not None:
        demo.problem = Problem(error.what, error.where, error.remedy)
    return error


def explained(error: Exception, report: ReportFolder, home: Home) -> UserError:
    """The error as the user is told it: with the place where a log is kept, and any fault of ours with its trace."""
    kept = report.final_path(Ending.FAILED) / "logs"
    if isinstance(error, UserError):
        places = {str(path): str(kept / name) for name, path in home.logs().items()}
        where = error.where.replace(str(report.logs), str(kept))
        return UserError(error.what, places.get(where, where), error.remedy)
    report.write("logs/traceback.txt", "".join(traceback.format_exception(error)))
    what = f"a fault in Seawall itself: {type(error).__name__}: {error}"
    return UserError(what, str(kept / "traceback.txt"), "report it, with the folder that this file is in")


def _publish(demo: Demo) -> tuple[Result, Path]:
    """Write the result and the page, and show the folder to readers."""
    try:
        files = tuple(sorted({*demo.report.files(), "report.html", "result.json"}))
        result = replace(demo.result(), files=files)
        demo.report.write("result.json", result.to_json())
        demo.report.write("report.html", render(result, demo.diagram))
        return result, demo.report.publish(result.ending)
    except OSError as error:
        raise UserError(
            f"the report cannot be written: {error.strerror}",
            str(demo.report.path.parent),
            "free space, or use --out",
        ) from error


def _print(result: Result, folder: Path, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({**result.to_json(), "folder": str(folder)}, indent=1, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False)
    wide = console if console.is_terminal else Console(highlight=False, width=160)
    here = Path.cwd()
    screen.show(result, folder.relative_to(here) if folder.is_relative_to(here) else folder, wide)
    if result.ending is Ending.INTERRUPTED:
        wide.print("interrupted; nothing is left running, and the next demo starts anew", markup=False)
