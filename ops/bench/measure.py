"""Takes samples: of a child process as a whole, or of a call, and of two things in turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from common.errors import UserError
from ops.bench.model import Sample, Series

Run = Callable[[], Sample]

_LAUNCHER = Path(__file__).with_name("launcher.py")


def child(command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Sample:
    """Run `command` to its end: wall-clock time, and what the kernel says that it used.

    Python keeps compiled modules meanwhile, whatever the environment says: as for most users, only a first run
    compiles.

    Raises:
        UserError: it ended with an exit code other than 0; its last words are passed on.
    """
    kept = {k: v for k, v in (os.environ if env is None else env).items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch:
        result, words = Path(scratch) / "used.json", Path(scratch) / "words"
        with words.open("wb") as output:
            code = subprocess.run(
                [sys.executable, "-I", "-S", _LAUNCHER, result, *command],
                cwd=cwd,
                env=kept,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            ).returncode
        if code:
            last = words.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            raise UserError(
                f"exit code {code}: {' / '.join(last) or 'not a word'}",
                " ".join(str(part) for part in command),
                "Run that command by itself and fix what it says.",
            )
        return Sample(**json.loads(result.read_text(encoding="utf-8")))


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
