"""Runs a long build command: its output in a log file, its end tied to ours, its progress reported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from common.errors import UserError

_POLL_SECONDS = 0.25
_STOP_SECONDS = 5.0
_TAIL_BYTES = 4096
_COMMAND_MARK = "$ "
_TOLD_LINES = 3
"""What of a failed command's output goes into the error: its cause is often not in the last line alone."""
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a library must not be loaded between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def _die_with_parent() -> None:
    # A parent that is killed outright cannot stop its children; on Linux the kernel does it instead.
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def ended_by_exception() -> Iterator[None]:
    """While the block runs, SIGTERM and a closed terminal raise SystemExit, as Ctrl-C raises KeyboardInterrupt.

    So what the block has half done is undone then too. Outside the main thread, where Python sets no handlers,
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    replaced = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines that commands printed into `log`, at most `count`, for a progress display or an error."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL_BYTES))
        lines = file.read().decode("utf-8", errors="replace").split("\n")
    return [line.strip() for line in lines if line.strip() and not line.startswith(_COMMAND_MARK)][-count:]


def run_logged(
    command: Sequence[str | Path],
    *,
    title: str,
    log: Path,
    cwd: Path,
    environment: Mapping[str, str],
    tick: Callable[[str], None],
) -> None:
    """Run `command`, appending its output to `log`; `tick` gets the last line of the log several times a second.

    The command and its children are stopped when this call is interrupted.

    Raises:
        UserError: the command cannot be started, or ends with an exit status other than 0.
    """
    with log.open("ab") as sink:
        sink.write(f"{_COMMAND_MARK}{' '.join(map(str, command))}\n".encode())
        sink.flush()
        try:
            child = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            raise UserError(
                f"{title}: {command[0]} cannot be started ({error.strerror})",
                str(command[0]),
                "Check that the program exists and may be executed.",
            ) from error
    try:
        while child.poll() is None:
            tick("".join(last_lines(log, 1)))
            time.sleep(_POLL_SECONDS)
    finally:
        stop_group(child)
    if child.returncode != 0:
        raise UserError(
            f"{title} failed with exit status {child.returncode}: {' | '.join(last_lines(log, _TOLD_LINES))}",
            str(log),
            "Read that log; run the command again once its cause is gone.",
        )


def stop_group(child: subprocess.Popen[bytes]) -> None:
    """End `child`, if it still runs, together with the process group that it leads."""
    if child.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
