"""rclone, which copies objects and nothing else: what a fetch is measured against."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain.distribution import Packaged, ensure_packaged, has_packages

_REMEDY = "Install rclone and put it on PATH (Debian, Ubuntu: apt-get install rclone; macOS: brew install rclone)."
_PACKAGED = Packaged("rclone", ("rclone",), ("rclone",), _REMEDY)


def ensure_rclone(steps: Steps | None = None) -> Path:
    """The program, from PATH, else from the cache, else unpacked now from the distribution's package.

    Raises:
        UserError: it cannot be had.
    """
    on_path = shutil.which("rclone")
    if on_path is not None:
        return Path(on_path)
    if not has_packages():
        raise UserError("there is no rclone on PATH, and this system has no apt-get", "PATH", _REMEDY)
    return ensure_packaged(_PACKAGED, _problem, steps) / "rclone"


def _problem(program: Path) -> str | None:
    return None if os.access(program, os.X_OK) else f"{program} is no executable"
