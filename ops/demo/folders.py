"""A demo's two folders: a private one for its local cloud, and one for its reports that appears whole."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from common.errors import UserError
from ops.demo.model import State

HOME_PREFIX: Final = "seawall-demo-"
_LOCK: Final = "demo.lock"
_SETTLED_S: Final = 60.0
"""A folder without a held lock is no abandoned one before this age: its demo may be about to take the lock."""
_SUFFIXES: Final = {State.FAILED: "-failed", State.INTERRUPTED: "-interrupted"}


def new_demo_id(stack: str, now: datetime) -> str:
    """A name that no other demo has: `demo-<stack>-<UTC time>-<six hex digits>`."""
    return f"demo-{stack}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Home:
    """A private folder in the system's temporary one, for the stacks and temporary files of one demo.

    Folders of demos that were killed before they could remove theirs are removed on the way.
    """

    def __init__(self, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        _remove_abandoned(parent)
        self.path = Path(tempfile.mkdtemp(prefix=HOME_PREFIX, dir=parent))
        self._lock = FileLock(self.path / _LOCK, timeout=0)
        self._lock.acquire()

    @contextmanager
    def holds_temporary_files(self) -> Iterator[None]:
        """Have this process make its temporary files in here for the length of a block: they go with the rest."""
        folder, before = self.path / "tmp", tempfile.tempdir
        folder.mkdir(exist_ok=True)
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before

    def logs(self) -> dict[str, Path]:
        """The logs of the local cloud's servers, by a name for each."""
        found = sorted(self.path.glob("*/emulator/**/*.log"))
        return {"-".join(path.relative_to(self.path).parts[1:]): path for path in found}

    def remove(self) -> bool:
        """Delete it with all that is in it; whether nothing is left."""
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)
        return not self.path.exists()


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of demos that ended without doing so: nobody holds their lock."""
    for folder in parent.glob(f"{HOME_PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):
            if time.time() - folder.stat().st_mtime < _SETTLED_S or folder.stat().st_uid != os.getuid():
                continue
            with FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


class ReportFolder:
    """Where a demo's files lie: hidden while they are written, and renamed into place at the end.

    Raises:
        UserError: the folder cannot be made.
    """

    def __init__(self, out: Path, demo_id: str) -> None:
        self._out, self.name = out.absolute(), demo_id
        self.path = self._out / f".{demo_id}.part"
        self.logs = self.path / "logs"
        try:
            self.logs.mkdir(parents=True)
        except OSError as error:
            what, remedy = (
                f"reports cannot be written: {error.strerror}",
                "Name a folder that you may write, with --out.",
            )
            raise UserError(what, str(out), remedy) from None

    def write(self, name: str, content: str | Mapping[str, Any]) -> None:
        """Write one file; anything but text as JSON."""
        text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (self.path / name).write_text(text, encoding="utf-8")

    def keep(self, logs: Mapping[str, Path]) -> None:
        """Copy logs that would go with the local cloud."""
        for name, path in logs.items():
            with contextlib.suppress(OSError):
                shutil.copyfile(path, self.logs / name)

    def files(self) -> set[str]:
        """What was written so far, relative to the folder."""
        return {path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()}

    def final_path(self, ending: State) -> Path:
        """Where the folder will be: its name says if the demo did not come to its end."""
        return self._out / f"{self.name}{_SUFFIXES.get(ending, '')}"

    def publish(self, ending: State) -> Path:
        """Give it its name: only now does a reader see it."""
        return self.path.rename(self.final_path(ending))

    def discard(self) -> None:
        """Remove what was written; without effect once published."""
        shutil.rmtree(self.path, ignore_errors=True)
