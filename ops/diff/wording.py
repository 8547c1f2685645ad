"""How single values, properties and changes are written in Markdown: pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ops.diff.model import ACTIONS, Cause, PropertyChange, ResourceChange

VALUE_LIMIT: Final = 160
"""Characters of a value that are shown."""
MARKS: Final = {"removed": "-", "replaced": "±", "changed": "~", "added": "+"}
WORDS: Final = {"removed": "removed", "replaced": "replaced", "changed": "changed", "added": "added"}


def value(shown: object) -> str:
    """A value as code, on one line and not too long."""
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, sort_keys=True)
    return code(short(inline(text)))


def short(text: str) -> str:
    """Text with its end left out where it is too long."""
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}… ({len(text)} characters)"


def code(text: str) -> str:
    """Text as inline code, whatever backticks it has."""
    fence = "``" if "`" in text else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else '`""`'


def inline(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())


def prose(text: str) -> str:
    """Text on one line in which nothing is taken for HTML, as a closing tag in a value would be."""
    return inline(text).replace("<", "&lt;")


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
        case "setting":
            old = "set to" if cause.before is None else f"{value(cause.before)} →"
            what = f"{code(cause.what)}: {old} {'removed' if cause.after is None else value(cause.after)}"
        case "several settings":
            what = f"several settings together: {code(cause.what)}" if "," in cause.what else cause.what
        case _:
            what = code(cause.what) if "/" in cause.what else cause.what
    where = f" ({prose(cause.where)})" if cause.where and cause.where != cause.what else ""
    return f"{what}{where}" + (f"; {prose(cause.note)}" if cause.note else "")
