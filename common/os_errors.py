"""Says an error of the operating system as what a user can act on: what happened, where, and what to do."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from common.errors import UserError
from common.paths import cache_dir, local_dir, out_dir

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
NEARLY_FULL_BYTES: Final = 16 * 2**20
"""A disk with less free space than this is named where the system does not say which one is full."""

_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: ("the disk is full", "Free some space there{move}."),
    errno.EDQUOT: ("your disk quota is used up", "Free some space there{move}."),
    errno.EFBIG: ("the file would be larger than is allowed", "Raise the limit with `ulimit -f unlimited`."),
    errno.EROFS: ("the disk is read-only", "Use a disk that can be written{move}."),
    errno.EACCES: ("you may not do this", "Change the permissions{move}."),
    errno.EPERM: ("you may not do this", "Change the owner or the permissions{move}."),
    errno.ENOENT: ("there is no such file or folder", "Check the name, and make the folder if it is missing."),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", "Check the path{move}."),
    errno.EISDIR: ("this is a folder, and a file is needed", "Name a file."),
    errno.EEXIST: ("this exists already", "Remove it, or name another."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter one."),
    errno.ELOOP: ("links lead in a circle", "Remove the link that points back."),
    errno.EMFILE: ("too many files are open in this process", "Raise the limit with `ulimit -n 4096`."),
    errno.ENFILE: ("too many files are open on this machine", "End other programs, or raise the system's limit."),
    errno.EAGAIN: ("the system gives no further process", "End other programs, or raise `ulimit -u`."),
    errno.ENOMEM: ("there is not enough memory", "End other programs, or use a larger machine."),
    errno.EIO: ("the disk or the terminal does not answer", "Check the device, then run the command again."),
    errno.ENOEXEC: ("this program is not for this machine", "Install the program anew."),
    errno.ETXTBSY: ("this program is being written", "Wait a moment and run the command again."),
    errno.EADDRINUSE: ("the address is taken", "End the program that uses it, and run the command again."),
    errno.ECONNREFUSED: ("nothing answers at this address", "Check the network, and run the command again."),
    errno.ENETUNREACH: ("the network cannot be reached", "Check the network, and run the command again."),
}


_SCRATCH: Final = "TMPDIR"


def as_user_error(error: OSError) -> UserError:
    """What a user is shown in place of `error`."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        # Copying a tree gathers its errors as (source, target, reason), the reason as text: "[Errno 28] No space …".
        _, target, why = error.args[0][0]
        number = re.match(r"\[Errno (\d+)]", str(why))
        error = OSError(int(number[1]), os.strerror(int(number[1])), str(target)) if number else OSError(str(why))
    path = _path(error)
    said = (error.strerror or str(error) or type(error).__name__).strip()
    what, remedy = _WORDS.get(error.errno or 0, (said, "Change that, and run the command again."))
    if what is not said and said.lower() not in what:
        what = f"{what} ({said})"
    where = path or ""
    if not path and error.errno in FULL:
        where = fullest_disk()
    return UserError(what, where or "this command", remedy.format(move=_move(where)))


def is_full(folder: Path) -> bool:
    """Whether next to nothing can be written to `folder`."""
    return free_bytes(folder) < NEARLY_FULL_BYTES


def fullest_disk() -> str:
    """Of the places that Seawall writes to, those on a disk with next to no space; empty where none is."""
    return " or ".join(str(path) for path in _places() if is_full(path))


def free_bytes(path: Path) -> int:
    """What may still be written to the disk that `path` is on, or would be on."""
    existing = next(p for p in (path, *path.absolute().parents) if p.exists())
    return shutil.disk_usage(existing).free


def require_space(folder: Path, needed_bytes: int, free: Callable[[Path], int] = free_bytes) -> None:
    """Refuse to begin what would fill the disk.

    Raises:
        UserError: less than `needed_bytes` are free where `folder` is, or would be.
    """
    left = free(folder)
    if left < needed_bytes:
        raise UserError(
            f"the disk is nearly full: {left / 2**20:.0f} MiB are free, {needed_bytes / 2**20:.0f} MiB are needed",
            str(folder),
            _WORDS[errno.ENOSPC][1].format(move=_move(str(folder))),
        )


def _places() -> dict[Path, str]:
    """Where Seawall writes → what moves it."""
    return {
        local_dir(): "SEAWALL_LOCAL",
        cache_dir(): "SEAWALL_CACHE",
        out_dir(): "SEAWALL_OUT",
        Path(tempfile.gettempdir()): _SCRATCH,
    }


def _path(error: OSError) -> str:
    names = [os.fsdecode(n) if isinstance(n, bytes) else n for n in (error.filename, error.filename2)]
    return " → ".join(name for name in names if isinstance(name, str))


def _move(where: str) -> str:
    """The variable that moves what `where` lies in: of folders in each other, the innermost."""
    fitting = [(str(path), name) for path, name in _places().items() if name != _SCRATCH and str(path) in where]
    if re.search(rf"^{re.escape(tempfile.gettempdir())}($|/tmp|/seawall-)", where):
        fitting.append((tempfile.gettempdir(), _SCRATCH))
    found = max(fitting, default=None, key=lambda place: len(place[0]))
    return f", or set {found[1]} to another folder than {found[0]}" if found else ""
