"""The folder that a rendering is written to: whole or not at all, and never over what is not of a rendering."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from common.files import can_be_written
from ops.render.manifests import Rendering

RECORD: Final = "rendered.json"
"""Beside the files: what they are of, their digests, and what they lack."""
SCHEMA_VERSION: Final = 1
_NAMED: Final = 3


def contents(rendering: Rendering) -> dict[str, str]:
    """Every file of the folder, the record among them."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "stack": rendering.stack,
        "kubernetes": rendering.kubernetes,
        "files": {path: _digest(text) for path, text in sorted(rendering.files.items())},
        "known_when_deployed": [{"file": g.file, "path": g.path} for g in rendering.unknown],
        "withheld": [{"object": w.object, "secret": w.path} for w in rendering.withheld],
    }
    return {**rendering.files, RECORD: json.dumps(record, indent=1) + "\n"}


def differences(folder: Path, rendering: Rendering) -> list[str]:
    """What a rendering written now would change, file by file."""
    wanted = contents(rendering)
    has = {path: (folder / path).read_bytes() for path in _files(folder)} if folder.is_dir() else {}
    found = [f"{path} is missing" for path in sorted(wanted.keys() - has.keys())]
    found += [f"{path} is not of this rendering" for path in sorted(has.keys() - wanted.keys())]
    found += [f"{path} differs" for path in sorted(wanted.keys() & has.keys()) if has[path] != wanted[path].encode()]
    return found


def check_ours(folder: Path, stack: str) -> None:
    """Refuse a folder that has anything but an untouched rendering of this stack.

    Raises:
        UserError: it has, or it cannot be written.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError("this is no folder", str(folder), "Name a new folder, or that of a rendering.")
    if not can_be_written(folder.absolute().parent):
        raise UserError("the folder cannot be made", str(folder), "Name one in a folder that you may write.")
    files = _files(folder) if folder.exists() else []
    if not files:
        return
    record = _record(folder)
    if record is not None and record["stack"] != stack:
        remedy = "Name another folder for this stack, or remove that one."
        raise UserError(f"the folder has a rendering of {record['stack']}", str(folder), remedy)
    known = {RECORD: "", **(record["files"] if record else {})}
    foreign = [path for path in files if record is None or path not in known]
    if foreign:
        raise UserError(
            f"the folder has files that no rendering wrote: {_few(foreign)}", str(folder), "Name an empty folder."
        )
    changed = [p for p in files if p != RECORD and _digest((folder / p).read_text("utf-8", "replace")) != known[p]]
    if changed:
        raise UserError(
            f"files of the rendering were changed since: {_few(changed)}",
            str(folder),
            "Keep changes in a kustomization of your own that has this folder as its base, and remove this one.",
        )


def write(folder: Path, rendering: Rendering) -> None:
    """Put the rendering in the place of what `check_ours` let pass.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    new, old = made / "new", made / "old"
    try:
        for path, text in contents(rendering).items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    found = []
    for root, _, names in os.walk(folder):
        found += [str((Path(root) / name).relative_to(folder)) for name in names]
    return sorted(found)


def _record(folder: Path) -> Mapping[str, Any] | None:
    try:
        told = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = told["files"]
        ours = told["schema_version"] == SCHEMA_VERSION and isinstance(told["stack"], str) and isinstance(files, dict)
        return told if ours else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _few(paths: list[str]) -> str:
    more = f", and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"{', '.join(paths[:_NAMED])}{more}"
