"""Finds and ends what a command started and left running (Linux; elsewhere only direct descendants are seen)."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Sequence
from typing import Final

import psutil

GRACE_S: Final = 5.0
"""What a stopped server's children may take to end."""
_PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h
_SHOWN: Final = 100
"""Characters of a command that are shown."""


def adopt_orphans() -> None:
    """From now on a descendant whose parent ends becomes this process's child, so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all(grace_s: float = GRACE_S) -> tuple[str, ...]:
    """Wait up to `grace_s` seconds for descendants to end, then kill those left; returns what they were."""
    psutil.wait_procs(_descendants(), timeout=grace_s)
    left = [process for process in _descendants() if _runs(process)]
    names = tuple(_name(process) for process in left)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=grace_s)
    return names


def _descendants() -> Sequence[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _runs(process: psutil.Process) -> bool:
    """Whether it has not ended; one that has may wait for its parent to ask."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return f"{process.pid} ({' '.join(process.cmdline())[:_SHOWN]})"
    except psutil.Error:
        return str(process.pid)
