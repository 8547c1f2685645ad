"""Finds the constructor call that makes a resource: file and line in this checkout."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Final

from common.paths import repo_root

_PROGRAMS: Final = ("components", "stacks", "tests")
"""Folders whose code makes resources; whatever else is on the way to a constructor only passes the call on."""


def made_at(resource: object) -> str:
    """`file:line` of the innermost call that makes `resource`, seen from inside its constructor; empty if unknown.

    A frame of the resource's own constructor (a component that calls its base) is not who makes it.
    """
    frame = sys._getframe(1)
    while frame is not None:
        file = _in_checkout(frame.f_code.co_filename)
        if file:
            code = frame.f_code
            own = code.co_argcount > 0 and frame.f_locals.get(code.co_varnames[0]) is resource
            if not own:
                return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


@cache
def _in_checkout(filename: str) -> str:
    """The file's path below the checkout, with slashes, where it belongs to a program; empty for all others."""
    try:
        inside = Path(filename).resolve().relative_to(repo_root())
    except (OSError, ValueError):
        return ""
    return inside.as_posix() if inside.parts[0] in _PROGRAMS else ""
