"""Runs the demo from its first step to its report, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from common.checkout import commit
from common.errors import UserError
from common.os_errors import as_user_error
from common.paths import out_dir, repo_root
from ops.capacity.crowd import crowd_of
from ops.demo import leftovers, screen
from ops.demo.board import Board
from ops.demo.folders import Home, ReportFolder, new_demo_id
from ops.demo.model import EXIT_CODES, Result, State
from ops.demo.report import render
from ops.demo.stages import STAGES, Act, Demo
from ops.features.store import check_emulated
from ops.local.workspace import find_workspace, read_platform
from ops.rehearse.kept import newest
from stacks.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the first signal to end into a KeyboardInterrupt; more of them do not disturb the cleaning up."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self.happened = False
        self.armed = True
        """Whether a signal is acted on; else it is remembered."""
        self._heard = heard

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        self.happened = True
        if self.armed:
            self.armed = False
            self._heard()
            raise KeyboardInterrupt


@contextmanager
def interrupts(heard: Callable[[], None]) -> Iterator[Interrupts]:
    """Take the signals that end a command, for the length of a block in the main thread; `heard` may not raise."""
    taken = Interrupts(heard)
    previous = {number: signal.signal(number, taken) for number in _SIGNALS}
    try:
        yield taken
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def run_demo(
    stack: str,
    out: Path | None,
    *,
    as_json: bool = False,
    quiet: bool = False,
    stages: Sequence[tuple[str, str, Act]] = STAGES,
    end_leftovers: Callable[[], tuple[str, ...]] = leftovers.end_all,
) -> int:
    """Do every step, print the results, and return the exit code.

    Args:
        stages: key, title and action of each step.
        end_leftovers: ends what was started on the way and still runs, and returns what that was.

    Raises:
        UserError: no such stack, or none that a demo can show, before anything is started; or a step could not run:
            the report is written then too.
    """
    settings = settings_to_show(stack, repo_root())
    started, board = datetime.now(UTC), Board([(key, title) for key, title, _ in stages], quiet=quiet)
    with interrupts(board.stopping) as taken:
        report = ReportFolder(out or out_dir(), new_demo_id(stack, started))
        try:
            result = Result(report.name, settings.place, commit(), started, board.steps)
            result.rehearsal = newest(out or out_dir(), stack)
            demo = Demo(result, Home(), report, board, end_leftovers=end_leftovers)
            _act(demo, taken, [act for _, _, act in stages])
            if result.inventory is not None:
                result.crowd = crowd_of(result.inventory, settings)
            folder = _publish(result, report)
        finally:
            report.discard()
    _print(result, folder, as_json=as_json)
    if result.problem is not None:
        raise result.problem
    return EXIT_CODES[result.ending]


def settings_to_show(stack: str, root: Path) -> Settings:
    """The settings of a stack below `root`.

    Raises:
        UserError: no such stack, or its feature store is one that the local cloud only records.
    """
    settings = read_platform(find_workspace(stack, root))
    check_emulated(settings.feature_store.kind, f"{stack}: feature_store.kind")
    return settings


def _act(demo: Demo, taken: Interrupts, acts: Sequence[Act]) -> None:
    """Do the steps until one cannot; then clean up without being disturbed."""
    result, board = demo.result, demo.board
    try:
        with demo.home.holds_temporary_files(), board.shown():
            for step, act in zip(board.steps, acts, strict=True):
                with board.stage(step):
                    act(demo, step)
    except KeyboardInterrupt:
        result.interrupted = True
    except Exception as caught:
        # A child that a Ctrl-C ended first fails its step; that is no failure of the step.
        result.interrupted = taken.happened
        result.problem = None if taken.happened else _explained(caught, demo.report, demo.home)
    finally:
        taken.armed = False
        for forced in demo.wind_up(keep_logs=result.interrupted or result.problem is not None):
            board.console.print(f"! {forced}", markup=False, soft_wrap=True)
    result.seconds = round((datetime.now(UTC) - result.started).total_seconds(), 1)


def _explained(error: Exception, report: ReportFolder, home: Home) -> UserError:
    """The error with the place where a log is kept, and any fault of ours with its trace."""
    kept = report.final_path(State.FAILED) / "logs"
    if isinstance(error, OSError):
        error = as_user_error(error)
    if isinstance(error, UserError):
        places = {str(path): str(kept / name) for name, path in home.logs().items()}
        where = error.where.replace(str(report.logs), str(kept))
        return UserError(error.what, places.get(where, where), error.remedy)
    report.write("logs/traceback.txt", "".join(traceback.format_exception(error)))
    what = f"a fault in Seawall itself: {type(error).__name__}: {error}"
    return UserError(what, str(kept / "traceback.txt"), "Report it, with the folder that this file is in.")


def _publish(result: Result, report: ReportFolder) -> Path:
    """Write the result and the page, and show the folder to readers."""
    try:
        result.files = tuple(sorted(report.files() | {"report.html", "result.json"}))
        report.write("result.json", result.to_json())
        report.write("report.html", render(result))
        return report.publish(result.ending)
    except OSError as error:
        what = f"the report cannot be written: {error.strerror}"
        raise UserError(what, str(report.path.parent), "Free space, or use --out.") from error


def _print(result: Result, folder: Path, *, as_json: bool) -> None:
    if as_json:
        document = {**result.to_json(), "folder": str(folder)}
        sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        return
    console, here = Console(highlight=False), Path.cwd()
    screen.show(result, folder.relative_to(here) if folder.is_relative_to(here) else folder, console)
    if result.ending is State.INTERRUPTED:
        console.print("interrupted; nothing is left running, and the next demo starts anew", markup=False)
