"""One command at a time on a stack: a file lock whose holder a refused command can name."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from common.errors import UserError


@contextmanager
def exclusive(folder: Path, stack: str) -> Iterator[None]:
    """Hold the stack's lock.

    Raises:
        UserError: at once, if another command holds it; the kernel frees the lock of a command that died.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Also where the folder was there before: it holds what the emulated cloud knows, secrets included.
    folder.chmod(0o700)
    lock = FileLock(folder / "lock", timeout=0, thread_local=False)
    holder = folder / "holder.json"
    try:
        lock.acquire()
    except Timeout as e:
        raise UserError(
            f"another command works on {stack}: {_describe(holder)}",
            str(folder),
            "Wait until it has ended, or end it, and try again.",
        ) from e
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "command": " ".join(sys.argv)[:200]}))
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _describe(holder: Path) -> str:
    try:
        known = json.loads(holder.read_text())
        return f"process {known['pid']}, {known['command']}"
    except (OSError, ValueError, KeyError):
        return "it did not say which"
