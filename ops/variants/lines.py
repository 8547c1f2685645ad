"""Reads JSON lines of one kind out of logs, which have other lines too."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from common.errors import UserError

STANDARD_INPUT = Path("-")


def lines_of(paths: Iterable[Path], kind: str) -> Iterator[dict[str, Any]]:
    """The lines whose `log` is `kind`, of all files; `-` is standard input.

    Raises:
        UserError: a file cannot be read, or a line of this kind is cut off in its middle.
    """
    for path in paths:
        try:
            text = sys.stdin.read() if path == STANDARD_INPUT else path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the log cannot be read: {error}", str(path), "Name a readable file, or -.") from error
        for number, line in enumerate(text.splitlines(), 1):
            if kind not in line or "{" not in line:
                continue
            try:
                # Whatever a log's collector has put before the line.
                told = json.loads(line[line.index("{") :])
            except (ValueError, RecursionError) as error:
                raise UserError(
                    f"a line of {kind} is no JSON: {error}", f"{path}:{number}", "Fetch the log anew, in whole lines."
                ) from error
            if isinstance(told, dict) and told.get("log") == kind:
                yield told
