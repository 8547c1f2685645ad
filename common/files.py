"""Writes a file whole or not at all, and says before the work if it cannot be written after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from common.errors import UserError


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written.

    Raises:
        UserError: it is a folder, or its own folder is missing or may not be written.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UserError("the folder does not exist", str(folder), "Make it, or name another.")
    if path.is_dir():
        raise UserError("this is a folder, and a file is to be written", str(path), "Name a file in it.")
    if not can_be_written(folder):
        raise UserError("the folder cannot be written to", str(folder), "Name a file in a folder that you may write.")


def can_be_written(folder: Path) -> bool:
    """Whether something can be made in `folder`, or the folder itself if it is not there."""
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


def write_whole(path: Path, text: str) -> None:
    """Write `text` as UTF-8, and show it to readers only when it is complete; a device is written as it is.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    try:
        handle, partial = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(partial).chmod(0o644)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
