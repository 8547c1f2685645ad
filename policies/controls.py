"""Published catalogues of controls: which rules help to meet each, what is left, and what no rule covers, and why.

The data is in `policies/frameworks/*.yaml`, many to many: a rule helps with many controls, and a control has many
rules. A rule may also claim a control by itself (`frameworks=` in its own file); both are told together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from components.contracts.vocabulary import Cloud
from policies.model import Framework
from policies.rules import RULES

FOLDER: Final = Path(__file__).resolve().parent / "frameworks"
_KEYS: Final = frozenset({"title", "rules", "gap", "not_covered", "because"})


class Coverage(StrEnum):
    """How much of a control the rules judge."""

    WHOLE = "in whole"
    """All that a plan can show of it."""
    PART = "in part"
    """Some of it; `Control.gap` says what is left."""
    OUTSIDE = "outside"
    """It is not about anything that the platform makes."""
    MANUAL = "manual"
    """A person decides or does it."""
    NOT_YET = "not yet"
    """A plan could show it, and no rule reads it."""


_NOT_COVERED: Final = {
    "outside": Coverage.OUTSIDE,
    "manual": Coverage.MANUAL,
    "not-yet": Coverage.NOT_YET,
}


@dataclass(frozen=True)
class Control:
    """One control of a catalogue."""

    id: str
    title: str
    """In our own words."""
    coverage: Coverage
    rules: tuple[str, ...] = ()
    """Ids, sorted."""
    reason: str = ""
    """What the rules leave of it, or why none covers it; empty where it is covered in whole."""

    @property
    def is_covered(self) -> bool:
        """Whether any rule helps with it."""
        return self.coverage in (Coverage.WHOLE, Coverage.PART)


@dataclass(frozen=True)
class Catalogue:
    """One version of a published catalogue."""

    id: str
    title: str
    version: str
    source: str
    """Where numbers come from, and when they were read."""
    clouds: tuple[Cloud, ...]
    """Those that it is about; empty for all."""
    controls: tuple[Control, ...]


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """All catalogues by id.

    Raises:
        ValueError: a file does not say for a control either rules, or why there are none.
    """
    read = (_catalogue(path) for path in sorted(FOLDER.glob("*.yaml")))
    return {catalogue.id: catalogue for catalogue in read}


def _catalogue(path: Path) -> Catalogue:
    data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    claimed = _claims(data.get("framework"))
    written = {str(id): value for id, value in data["controls"].items()}
    controls = [_control(f"{path.name}: {id}", id, value, claimed.get(id, ())) for id, value in written.items()]
    title = "a control that a rule names, and this list does not"
    controls += [
        Control(id, title, Coverage.PART, tuple(sorted(rules)), "what else it asks for is not said")
        for id, rules in claimed.items()
        if id not in written
    ]
    return Catalogue(
        id=data["id"],
        title=data["title"],
        version=str(data["version"]),
        source=data["source"],
        clouds=tuple(Cloud(cloud) for cloud in data.get("clouds", ())),
        controls=tuple(controls),
    )


def _claims(framework: str | None) -> Mapping[str, Sequence[str]]:
    """Control → the rules that name it in their own files."""
    found: dict[str, list[str]] = {}
    if framework is not None:
        for rule in RULES:
            for control in rule.frameworks.get(Framework[framework], ()):
                found.setdefault(control, []).append(rule.id)
    return found


def _control(where: str, id: str, told: Mapping[str, Any], claimed: Sequence[str]) -> Control:
    rules = tuple(sorted({*told.get("rules", ()), *claimed}))
    why, because, gap = told.get("not_covered"), told.get("because", ""), told.get("gap", "")
    if set(told) - _KEYS or (why is None) == (not told.get("rules")) or bool(why) != bool(because) or (why and gap):
        raise ValueError(f"{where}: give rules (and a gap), or not_covered and because")
    if why is None:
        return Control(id, told["title"], Coverage.PART if gap else Coverage.WHOLE, rules, gap)
    if rules:  # a rule came that names it: the reason says what is left
        return Control(id, told["title"], Coverage.PART, rules, because)
    return Control(id, told["title"], _NOT_COVERED[why], (), because)
