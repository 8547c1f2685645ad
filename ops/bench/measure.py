"""Takes samples: of a child process as a whole, or of a call, and of two things in turns."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ops.bench.model import Sample, Series
from ops.errors import UserError

Run = Callable[[], Sample]

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`: the one thing in which macOS and Linux differ here."""


def child(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Sample:
    """Run `command` to its end: wall-clock time, and what the kernel says that it used.

    Python keeps compiled modules meanwhile, whatever the environment says: as for most users, only a first run
    compiles.

    Raises:
        UserError: it ended with an exit code other than 0; its last words are passed on.
    """
    kept = {k: v for k, v in (os.environ if env is None else env).items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=kept, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip().splitlines()[-5:]
            raise UserError(
                f"exit code {process.returncode}: {' / '.join(words) or 'not a word'}",
                " ".join(str(part) for part in command),
                "run that command by itself and mend what it says",
            )
    return Sample(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT / 1e6)


def timed(call: Callable[[], object]) -> Sample:
    """One call in this process: wall-clock time only."""
    start = time.perf_counter()
    call()
    return Sample(time.perf_counter() - start)


def in_turns(runs: Mapping[str, Run], repeats: int, warmups: int = 1) -> tuple[Series, ...]:
    """Sample each of `runs`, one after the other, again and again: A B A B.

    Whatever else the machine does meanwhile then falls on all of them alike. The first `warmups` rounds, which
    fill caches, are thrown away.
    """
    taken: dict[str, list[Sample]] = {what: [] for what in runs}
    for round_number in range(warmups + repeats):
        for what, run in runs.items():
            sample = run()
            if round_number >= warmups:
                taken[what].append(sample)
    return tuple(Series(what, tuple(samples)) for what, samples in taken.items())
