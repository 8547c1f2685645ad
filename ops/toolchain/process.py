"""Runs a long build command: its output in a log file, its end tied to ours, its progress reported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ops.errors import UserError

_POLL_SECONDS = 0.25
_STOP_SECONDS = 5.0
_TAIL_BYTES = 4096
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a library must not be loaded between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def _die_with_parent() -> None:
    # A parent that is killed outright cannot stop its children; on Linux the kernel does it instead.
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def last_line(log: Path) -> str:
    """The last line in `log` that is not blank, for a progress display or an error."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL_BYTES))
        lines = file.read().decode("utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


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
        sink.write(f"$ {' '.join(map(str, command))}\n".encode())
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
            tick(last_line(log))
            time.sleep(_POLL_SECONDS)
    finally:
        stop_group(child)
    if child.returncode != 0:
        raise UserError(
            f"{title} failed with exit status {child.returncode}: {last_line(log)}",
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
