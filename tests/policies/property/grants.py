"""Which changes of an AWS policy document take rights away: those harm no one, and no rule need find them.

An Allow that is gone, or that names an action, a resource or a principal which nobody has, grants less than before.
So does a Deny that denies more. What grants more is a change of meaning like every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.examples import Text

Path = tuple[str | int, ...]

_LESS_OF: Final = ("removed", "emptied", "swapped", "marked", "region", "elsewhere")
"""Kinds of change after which what a list or a text names is less, or something that is not there."""
_NAMES: Final = ("Action", "Resource", "Principal")


def narrows(inputs: Mapping[str, Any], path: Path, kind: str) -> bool:
    """Whether a change of this kind at `path` only takes rights away."""
    document, rest = _document(inputs, path)
    if document is None:
        return False
    if not rest or rest[0] != "Statement":  # the whole text, or its version
        return bool(rest) and kind != "hidden"
    effects = {str(entry.get("Effect")) for entry in document["Statement"]}
    effect = str(document["Statement"][rest[1]].get("Effect")) if len(rest) > 1 else "".join(sorted(effects))
    name = rest[2] if len(rest) > 2 else ""
    if effect == "Allow":
        return (
            (not name and kind in _LESS_OF)
            or (name == "Effect" and kind != "hidden")
            or (name in _NAMES and kind in _LESS_OF)
            or (name == "Condition" and len(rest) > 4 and kind in ("swapped", "marked", "emptied"))
        )
    return effect == "Deny" and name in _NAMES and kind in ("widened", "everything")


def _document(inputs: Any, path: Path) -> tuple[Any, Path]:
    """The policy document around `path`, and the path within it; None where there is none."""
    node = inputs
    for depth, part in enumerate((*path, "")):
        inner = node.content if isinstance(node, Text) else node
        if isinstance(inner, Mapping) and isinstance(inner.get("Statement"), list):
            return inner, path[depth:]
        if isinstance(inner, Mapping):
            node = inner.get(part)
        else:
            node = inner[part] if isinstance(inner, list) and isinstance(part, int) and part < len(inner) else None
    return None, ()
