"""How single values, properties and changes are written in Markdown: pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ops.diff.model import ACTIONS, Cause, PropertyChange, ResourceChange

VALUE_LIMIT: Final = 160
"""Characters of a value that are shown."""
MARKS: Final = {"removed": "-", "replaced": "±", "changed": "~", "added": "+"}
_BACKTICKS: Final = re.compile(r"`+")
_CODE: Final = re.compile(r"((?<!`)`[^`]+`(?!`))")
_SPECIAL: Final = re.compile(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)|#(?=\d)|^[#>+=-]|!(?=\[)")
"""What GitHub's Markdown would read as more than the character."""
_NOTHING: Final = "\u200b"
"""A space of no width: what it parts is no link, and calls nobody."""
WORDS: Final = {"removed": "removed", "replaced": "replaced", "changed": "changed", "added": "added"}


def value(shown: object) -> str:
    """A value as code, on one line and not too long."""
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, sort_keys=True)
    return code(short(inline(text)))


def short(text: str, limit: int = VALUE_LIMIT) -> str:
    """Text with its end left out where it is too long."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def code(text: str) -> str:
    """Text as inline code on one line, whatever backticks it has: the fence is longer than any of them."""
    text = inline(text)
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else '`""`'


def inline(text: str) -> str:
    """Text on one line, without characters that are not seen or that turn the line round."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def prose(text: str) -> str:
    """Text on one line in which nothing is taken for HTML, Markdown or somebody's name; its code stays code."""
    parts = _CODE.split(inline(text))
    return "".join(part if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _escaped(text: str) -> str:
    shown = _SPECIAL.sub(lambda found: f"\\{found[0]}", text.replace("&", "&amp;").replace("<", "&lt;"))
    return shown.replace("@", f"@{_NOTHING}").replace("://", f":{_NOTHING}//")


def property_line(change: PropertyChange) -> str:
    """One property, before and after."""
    because = " **(replaces)**" if change.replaces else ""
    if change.before is None:
        return f"- {code(change.path)}: set to {value(change.after)}{because}"
    if change.after is None:
        return f"- {code(change.path)}: {value(change.before)} removed{because}"
    return f"- {code(change.path)}: {value(change.before)} → {value(change.after)}{because}"


def counted(changes: Iterable[ResourceChange]) -> str:
    """How many are what: `2 replaced, 5 changed`."""
    actions = [change.action for change in changes]
    parts = [f"{actions.count(action)} {WORDS[action]}" for action in ACTIONS if action in actions]
    return ", ".join(parts) or "nothing in the plan"


def names(members: Sequence[ResourceChange]) -> str:
    """The names of resources that change alike, and their types."""
    named = Counter(change.resource.name for change in members)
    shown = ", ".join(name if count == 1 else f"{name} ({count})" for name, count in named.items())
    types = list(dict.fromkeys(change.resource.type for change in members))
    kind = types[0] if len(types) == 1 else ", ".join(token.rpartition(":")[2] for token in types)
    return f"{code(f'{MARKS[members[0].action]} {shown}')} {kind}"


def cause_line(cause: Cause) -> str:
    """What caused something, and where it stands."""
    match cause.kind:
        case "setting" if cause.before is None and cause.after is None:
            what = code(cause.what) if "." in cause.what else cause.what
        case "setting" | "version":
            old = "set to" if cause.before is None else f"{value(cause.before)} →"
            what = f"{code(cause.what)}: {old} {'removed' if cause.after is None else value(cause.after)}"
        case "several settings":
            what = f"several settings together: {code(cause.what)}" if "," in cause.what else cause.what
        case _:
            what = code(cause.what) if "/" in cause.what else cause.what
    where = f" ({prose(cause.where)})" if cause.where and cause.where != cause.what else ""
    return f"{what}{where}" + (f"; {prose(cause.note)}" if cause.note else "")
