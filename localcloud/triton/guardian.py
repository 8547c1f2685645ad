"""Runs one server and ends it with the process that asked for it, however that process ends.

Standard library only; run as a script by `localcloud.triton.server`:

    python -I -S guardian.py FOLDER SHM_PREFIX GRACE_SECONDS COMMAND…

Its standard input is a pipe that the parent holds open. When that pipe closes, because the parent stopped the
server or because it died (even by SIGKILL), the server gets SIGTERM, after GRACE_SECONDS SIGKILL with all that it
started. Then FOLDER and the shared memory segments whose names start with SHM_PREFIX are removed: Triton leaves
both behind when it has to be killed. Ends with the server's exit status.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (the kernel's, not a temporary file of ours)
POLL_S = 0.1
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """In the child, before exec: the kernel kills it should this guardian be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def guard(folder: Path, shm_prefix: str, grace_s: float, command: list[str]) -> int:
    """Runs `command` until it ends or standard input closes; returns its exit status."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, process_group=0, close_fds=True
    )
    try:
        while not stopping and child.poll() is None:
            readable, _, _ = select.select([sys.stdin.fileno()], [], [], POLL_S)
            stopping = stopping or (bool(readable) and not os.read(sys.stdin.fileno(), 1))
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(grace_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
        shutil.rmtree(folder, ignore_errors=True)
        for segment in SHARED_MEMORY.glob(f"{shm_prefix}*"):
            segment.unlink(missing_ok=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:]))
