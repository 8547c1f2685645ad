"""What comes of one cause, as Markdown: resources that change alike are one line. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ops.diff.model import ACTIONS, Cause, PropertyChange, ResourceChange
from ops.diff.wording import code, names, property_line

MOST_TOGETHER: Final = 20
"""Resources that change alike and are named in one line."""
_SHORTEST: Final = 3
"""Characters of a setting that is looked for in other texts; a shorter one may be there by chance."""


@dataclass(frozen=True)
class Alike:
    """What is said of resources that change in the same way."""

    action: str
    order: str
    follows: str
    """The name of what is made anew, and brings this."""
    type: str
    """Of what comes or goes, since nothing else tells one from another there."""
    repeated: tuple[str, ...]
    """Properties that only take over the setting's new value."""
    lines: tuple[str, ...]
    """Every other property."""


def effect_lines(cause: Cause, changes: Mapping[str, ResourceChange]) -> Iterator[str]:
    """One line for each way in which resources change, those that lose most first, and their properties below."""
    groups: dict[Alike, list[ResourceChange]] = {}
    for effect in cause.effects:
        change = changes.get(effect.urn)
        if change is not None:
            groups.setdefault(_alike(change, effect.paths, cause, changes), []).append(change)
    for way, members in sorted(groups.items(), key=lambda item: (ACTIONS.index(item[1][0].action), -len(item[1]))):
        order = f"; {way.order}" if way.order else ""
        follows = f"; follows {code(way.follows)}" if way.follows else ""
        for start in range(0, len(members), MOST_TOGETHER):
            yield f"- {names(members[start : start + MOST_TOGETHER])}{order}{follows}"
        if way.repeated:
            yield f"  - as the setting: {', '.join(way.repeated)}"
        yield from (f"  {line}" for line in way.lines)


def _alike(
    change: ResourceChange, paths: Sequence[str], cause: Cause, changes: Mapping[str, ResourceChange]
) -> Alike:
    told = [p for p in change.properties if not paths or p.path in paths]
    source = changes.get(change.through or "")
    if source is not None:  # said by what it follows
        told = [p for p in told if p.after != f"from the new {source.resource.name}"]
    repeated = [p for p in told if _repeats(p, cause)]
    return Alike(
        change.action,
        change.order or "",
        source.resource.name if source else "",
        change.resource.type if change.action in ("added", "removed") else "",
        tuple(_places(repeated)),
        tuple(property_line(p) for p in told if p not in repeated),
    )


def _repeats(change: PropertyChange, cause: Cause) -> bool:
    """Whether a property is the setting that changed, or a text with it inside."""
    if cause.kind != "setting":
        return False
    if (change.before, change.after) == (cause.before, cause.after):
        return True
    texts = (change.before, change.after, cause.before, cause.after)
    before, after, old, new = (text if isinstance(text, str) else "" for text in texts)
    return len(old) >= _SHORTEST and len(new) >= _SHORTEST and old in before and before.replace(old, new) == after


def _places(repeated: Sequence[PropertyChange]) -> Iterator[str]:
    """Each input by its first name, with how often, and whether it replaces."""
    roots = [p.path.partition("»")[0].partition(".")[0] for p in repeated]
    replacing = {root for root, p in zip(roots, repeated, strict=True) if p.replaces}
    for root, count in Counter(roots).items():
        places = f" ({count} places)" if count > 1 else ""
        yield f"{code(root)}{places}{' **(replaces)**' if root in replacing else ''}"
