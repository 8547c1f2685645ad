"""Things that are built once into `<cache>/<name>/<key>/`: whole or not at all, and never twice at a time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from common.console import Steps
from common.errors import UserError
from common.paths import cache_dir
from localcloud.processes.process import run_logged, signals_interrupt
from localcloud.toolchain.progress import shown


@dataclass(frozen=True)
class Entry:
    """The place of one built thing. `key` holds all that a different build would differ in."""

    name: str
    key: str

    @property
    def path(self) -> Path:
        return cache_dir() / self.name / self.key

    @property
    def log(self) -> Path:
        """The whole output of the last build."""
        return cache_dir() / "logs" / f"{self.name}-{self.key}.log"

    @property
    def lock(self) -> Path:
        return cache_dir() / "locks" / f"{self.name}-{self.key}.lock"

    @property
    def unfinished_prefix(self) -> str:
        return f".{self.key}.building-"


@dataclass(frozen=True)
class Workshop:
    """What a build function is handed: where to leave the result, where to work, how to run commands."""

    result: Path
    """An existing empty folder that becomes the entry when the build function returns."""
    scratch: Path
    """An existing empty folder on the same disk, removed when the build ends."""
    log: Path
    tick: Callable[[str], None]
    steps: Steps

    def run(self, title: str, command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str]) -> None:
        """Run one command of the build with its output in the log.

        Raises:
            UserError: it cannot be started or ends with an exit status other than 0.
        """
        run_logged(command, title=title, log=self.log, cwd=cwd, environment=environment, tick=self.tick)


Build = Callable[[Workshop], None]
Problem = Callable[[Path], str | None]
"""Why a folder in the cache cannot be used, or None when it can."""


def no_problem(_: Path) -> str | None:
    """For entries that are good whenever they exist."""
    return None


def is_built(entry: Entry, problem: Problem = no_problem) -> bool:
    """Whether `entry` is in the cache and usable."""
    return entry.path.is_dir() and problem(entry.path) is None


def build_once(
    entry: Entry, build: Build, *, title: str, steps: Steps | None = None, problem: Problem = no_problem
) -> Path:
    """The folder of `entry`, built now if the cache lacks it or holds an unusable one.

    An interrupted build leaves nothing under the entry's name; what it leaves beside it goes at the next build.

    Raises:
        UserError: the build failed, or what it built is not usable, or the cache cannot be written.
    """
    if is_built(entry, problem):
        return entry.path
    steps = steps or Steps()
    try:
        with _locked(entry, title, steps):
            if not is_built(entry, problem):
                _build_into_place(entry, build, title, steps, problem)
    except OSError as error:
        raise UserError(
            f"{title} failed: {error.strerror or error}",
            str(error.filename or entry.path),
            "Free disk space or permissions there, or set SEAWALL_CACHE to another folder.",
        ) from error
    return entry.path


@contextmanager
def _locked(entry: Entry, title: str, steps: Steps) -> Iterator[None]:
    entry.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(entry.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with steps.step(f"{title}: waiting for another process that does it"):
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _build_into_place(entry: Entry, build: Build, title: str, steps: Steps, problem: Problem) -> None:
    parent = entry.path.parent
    parent.mkdir(parents=True, exist_ok=True)
    entry.log.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(entry)
    entry.log.write_bytes(b"")
    unfinished = Path(tempfile.mkdtemp(prefix=entry.unfinished_prefix, dir=parent))
    try:
        result, scratch = unfinished / "result", unfinished / "scratch"
        result.mkdir()
        scratch.mkdir()
        with signals_interrupt(), shown(title, steps) as tick:
            build(Workshop(result=result, scratch=scratch, log=entry.log, tick=tick, steps=steps))
            found = problem(result)
            if found is not None:
                raise UserError(f"{title}: what was built is not usable: {found}", str(entry.log), "Read that log.")
        if entry.path.exists():
            entry.path.rename(unfinished / "replaced")
        result.rename(entry.path)
    finally:
        remove_tree(unfinished)


def remove_unfinished(entry: Entry) -> None:
    """Remove what interrupted builds of `entry` left. The caller holds the entry's lock."""
    for leftover in entry.path.parent.glob(f"{entry.unfinished_prefix}*"):
        remove_tree(leftover)


def remove_tree(folder: Path) -> None:
    """Remove `folder` with read-only folders in it, which Go's module cache is full of."""
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
