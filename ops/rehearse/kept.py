"""The last rehearsal of a stack, as its report was kept: what other reports show of it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from ops.rehearse.model import SCHEMA_VERSION

LARGEST_PICTURE_BYTES = 2 * 2**20


@dataclass(frozen=True)
class Kept:
    """A rehearsal that was done before."""

    began: str
    """ISO 8601."""
    kubernetes: str
    verdict: str
    checks: int
    failed: tuple[str, ...]
    """Each failed check, with what was seen."""
    not_judged: tuple[str, ...]
    picture: str
    """A data URI of the picture; empty if there is none."""


def newest(out: Path, stack: str) -> Kept | None:
    """The newest rehearsal of the stack whose report lies in `out`; None if there is none that can be read."""
    for folder in sorted(out.glob(f"rehearsal-{stack}-*"), reverse=True):
        try:
            told = json.loads((folder / "rehearsal.json").read_text(encoding="utf-8"))
            if told["schema_version"] != SCHEMA_VERSION or told["stack"] != stack:
                continue
            checks = [(str(c["name"]), str(c["seen"]), c["ok"] is True) for c in told["checks"]]
            return Kept(
                str(told["began"]),
                str(told["kubernetes"]),
                str(told["verdict"]),
                len(checks),
                tuple(f"{name}: {seen}" for name, seen, ok in checks if not ok),
                tuple(map(str, told["not_judged"])),
                _picture(folder / "rehearsal.svg"),
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _picture(path: Path) -> str:
    """As a data URI: a picture in a page of its own runs no script."""
    try:
        if path.stat().st_size > LARGEST_PICTURE_BYTES:
            return ""
        return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError:
        return ""
