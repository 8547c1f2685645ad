"""Says on a report's first lines which approvals a change needs, and of whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ops.gates.model import Requirement

HEADING: Final = "**Needs approval**"
SHOWN: Final = 5
"""Items of one gate that are told; the others are counted."""


def section(requirements: Sequence[Requirement], granted: Sequence[str] = ()) -> list[str]:
    """The lines of a stack's section; none where no gate asks.

    Args:
        granted: gates that have their approvals.
    """
    if not requirements:
        return []
    lines = [HEADING, ""]
    for each in requirements:
        mark = "x" if each.gate in granted else " "
        lines.append(f"- [{mark}] `{each.gate}`: {_people(each)}. {_text(each.because)}")
        lines += [f"  - {_text(item.note or str(item))}{_subject(item)}" for item in each.items[:SHOWN]]
        if len(each.items) > SHOWN:
            lines.append(f"  - and {len(each.items) - SHOWN} more")
    return lines


def _subject(item: object) -> str:
    subject = str(getattr(item, "subject", ""))
    return f" (`{subject.rsplit('::', 1)[-1]}`)" if getattr(item, "note", "") else ""


def _people(requirement: Requirement) -> str:
    many = "one" if requirement.approvals == 1 else str(requirement.approvals)
    return f"{many} of {', '.join(requirement.approvers)}"


def _text(text: str) -> str:
    """One line that is no HTML and mentions nobody."""
    plain = " ".join(text.split()).replace("<", "&lt;").replace("@", "@\u200b")
    return plain if len(plain) <= 300 else f"{plain[:300]}…"
