"""Finds and ends what a command started and left running (Linux; elsewhere only direct descendants are seen)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GRACE_S: Final = 5.0
"""What a stopped server's children may take to end."""
_POLL_S: Final = 0.05
_PROC: Final = Path("/proc")
_PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h


@dataclass(frozen=True)
class Process:
    """A running process."""

    pid: int
    parent: int
    state: str
    """As `ps` prints it; `Z…` has ended and waits to be asked for."""
    command: str


def adopt_orphans() -> None:
    """From now on a descendant whose parent ends becomes this process's child, so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(processes: Iterable[Process], root: int) -> tuple[Process, ...]:
    """The processes below `root`, parents first."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found, open_ends = [], [root]
    while open_ends:
        below = children.get(open_ends.pop(0), [])
        found += below
        open_ends += [process.pid for process in below]
    return tuple(found)


def running() -> tuple[Process, ...]:
    """Descendants of this process that have not ended; those that have are laid to rest."""
    found = descendants(_all_processes(), os.getpid())
    for process in found:
        if process.state.startswith("Z"):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
    return tuple(process for process in found if not process.state.startswith("Z"))


def _all_processes() -> tuple[Process, ...]:
    if _PROC.is_dir():
        listed = (_from_proc(folder) for folder in _PROC.iterdir() if folder.name.isdigit())
        return tuple(process for process in listed if process is not None)
    command = ["ps", "-A", "-o", "pid=,ppid=,stat=,args="]
    listing = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout
    return tuple(process for process in parse(listing) if not process.command.startswith(" ".join(command)))


def _from_proc(folder: Path) -> Process | None:
    """A process as Linux tells it; None if it has gone meanwhile."""
    try:
        # The name, in parentheses, may hold spaces and parentheses of its own.
        name, _, rest = (folder / "stat").read_text(errors="replace").partition("(")[2].rpartition(")")
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    state, parent, *_ = rest.split()
    return Process(int(folder.name), int(parent), state, command or name)


def parse(listing: str) -> tuple[Process, ...]:
    """The processes of `ps -o pid=,ppid=,stat=,args=`; a line of another form is passed over."""
    found = []
    for line in listing.splitlines():
        fields = line.split(None, 3)
        if len(fields) >= 3 and fields[0].isdigit() and fields[1].isdigit():
            found.append(Process(int(fields[0]), int(fields[1]), fields[2], fields[3] if len(fields) > 3 else ""))
    return tuple(found)


def await_none(grace_s: float = GRACE_S) -> tuple[Process, ...]:
    """What still runs `grace_s` seconds from now; empty at once when nothing does."""
    deadline = time.monotonic() + grace_s
    while (left := running()) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def end(processes: Iterable[Process]) -> None:
    """Kill them."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)


def told(processes: Iterable[Process], width: int = 100) -> str:
    """Process ids and commands, cut to `width` letters each."""
    by_pid: Mapping[int, str] = {process.pid: process.command for process in processes}
    return ", ".join(f"{pid} ({command[:width]})" for pid, command in by_pid.items())
