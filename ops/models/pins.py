"""Changes what a stack's settings file pins, in place: every other byte, comments included, stays as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from common.errors import UserError

_SCALAR: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,}\]#][^,}\]#\n]*?(?=\s*(?:[,}\]#]|$))""")
_NOTE: Final = re.compile(r"\s+# (?:promoted|rolled back) .*$")
_COMMENT: Final = re.compile(r"\s#")
_NOTE_MAX: Final = 90


def edited(text: str, where: str, values: Mapping[tuple[str, ...], str], note: tuple[tuple[str, ...], str]) -> str:
    """The file's text with other scalars at these paths.

    Args:
        where: the file, for errors.
        values: path of keys → the new scalar, as YAML writes it.
        note: the path at whose line a comment is to say who changed it, and the comment; one of an earlier change is
            replaced, any other comment there stays, and then there is none of ours.

    Raises:
        UserError: a path is not in the file, or its value is no plain scalar.
    """
    document = YAML().load(text)
    lines = text.split("\n")
    places = {tuple(path): _place(document, path, where) for path in values}
    for path, (row, column) in sorted(places.items(), key=lambda item: item[1], reverse=True):
        found = _SCALAR.match(lines[row], column)
        if found is None:
            raise _not_there(path, where)
        lines[row] = lines[row][:column] + values[path] + lines[row][found.end() :]
    row, _ = _place(document, note[0], where)
    plain = _NOTE.sub("", lines[row])
    if not _COMMENT.search(plain):
        plain += f"  # {_one_line(note[1])}"
    lines[row] = plain
    return "\n".join(lines)


def _place(document: Any, path: Sequence[str], where: str) -> tuple[int, int]:
    node = document
    for key in path[:-1]:
        node = node.get(key) if isinstance(node, CommentedMap) else None
    if not isinstance(node, CommentedMap) or path[-1] not in node or isinstance(node[path[-1]], (dict, list)):
        raise _not_there(path, where)
    row, column = node.lc.value(path[-1])
    return int(row), int(column)


def _one_line(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= _NOTE_MAX else f"{told[: _NOTE_MAX - 1]}…"


def _not_there(path: Sequence[str], where: str) -> UserError:
    return UserError(
        f"{'.'.join(path)} is not written there as a plain value", where, "Write it in the file itself, on one line."
    )
