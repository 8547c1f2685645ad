"""Starts servers as child processes that never outlive the command, and says why one died."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.errors import UserError

DEFAULT_START_SECONDS = 60.0
STOP_SECONDS = 5.0


def leashed(command: Sequence[str]) -> list[str]:
    """`command`, started so that the kernel kills it once the thread that started it ends (Linux).

    Killed, and not asked to end: the lock that it works under is free by then, and the next command takes back
    whatever it left.
    """
    leash = str(Path(__file__).with_name("leash.py"))
    return [sys.executable, "-I", "-S", leash, str(os.getpid()), *command]


def kept(command: Sequence[str], *, forward_interrupt: bool) -> list[str]:
    """`command`, started so that all it starts ends with it, and with the thread that started it; see `keeper`."""
    keeper = str(Path(__file__).with_name("keeper.py"))
    return [sys.executable, "-I", "-S", keeper, str(os.getpid()), str(int(forward_interrupt)), *command]


class ServerProcess:
    """A server that prints `<announce><port>` on standard output or error once it listens.

    It runs in a session of its own, so that a Ctrl-C meant for the command does not reach it before its data is
    saved, and dies with the thread that started it.

    Args:
        name: how messages call it.
        command: the program and its arguments.
        log: where its output goes.
        remedy: what a user does when it dies.
        announce: a regular expression with one group, the port; None if there is nothing to wait for.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        remedy: str,
        announce: str | None = r"^listening on (\d+)$",
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        start_seconds: float = DEFAULT_START_SECONDS,
    ) -> None:
        self.name = name
        self.port = 0
        self._command = list(command)
        self._log = log
        self._remedy = remedy
        self._announce = re.compile(announce, re.MULTILINE) if announce else None
        self._environment = environment
        self._cwd = cwd
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it was started and not stopped."""
        return self._process.pid if self._process else None

    def start(self) -> int:
        """Start it and wait for its port, which is returned (0 without an announcement).

        Raises UserError if the program is missing, dies, or announces nothing in time.
        """
        self.launch()
        return self.wait()

    def launch(self) -> None:
        """Start it without waiting; `wait` follows. Raises UserError if the program is missing."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    leashed(self._command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._cwd,
                    env=dict(self._environment) if self._environment is not None else None,
                    start_new_session=True,
                )
        except OSError as e:
            raise UserError(f"{self.name} cannot start: {e}", self._command[0], self._remedy) from e

    def wait(self) -> int:
        """Wait until a launched server announces its port; see `start`."""
        deadline = time.monotonic() + self._start_seconds
        pause = 0.01
        while self._announce is not None:
            found = self._announce.search(self._log.read_text(errors="replace"))
            if found:
                self.port = int(found[1])
                break
            self.check()
            if time.monotonic() > deadline:
                self.stop()
                raise self._error(f"{self.name} did not start within {self._start_seconds:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return self.port

    def check(self) -> None:
        """Raise UserError if it was started and is gone, with the last lines of its log."""
        code = self._process.poll() if self._process else None
        if code is not None:
            how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            raise self._error(f"{self.name} {how}")

    def stop(self) -> None:
        """End it and every process that it started; never raises."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
                break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _error(self, what: str) -> UserError:
        tail = self.tail()
        text = f"{what}. Its last words:\n{tail}" if tail else f"{what}, without a word in its log"
        return UserError(text, str(self._log), self._remedy)
