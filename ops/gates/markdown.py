"""Says on a report's first lines which approvals a change needs, and of whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ops.diff.wording import code, prose, short
from ops.gates.model import Kind, Requirement

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
        told = [item for item in each.items if item.kind is not Kind.CHANGE]
        said = list(dict.fromkeys(f"  - {_text(item.note or str(item))}{_subject(item)}" for item in told))
        lines += said[:SHOWN]
        if len(said) > SHOWN:
            lines.append(f"  - and {len(said) - SHOWN} more")
        if not told:
            lines.append(f"  - it asks about all that changes ({len(each.items)} items)")
    return lines


def _subject(item: object) -> str:
    subject = str(getattr(item, "subject", ""))
    return f" ({code(subject.rsplit('::', 1)[-1])})" if getattr(item, "note", "") else ""


def _people(requirement: Requirement) -> str:
    many = "one" if requirement.approvals == 1 else str(requirement.approvals)
    return f"{many} of {', '.join(code(who) for who in requirement.approvers)}"


def _text(text: str) -> str:
    """One line that is no Markdown, and mentions nobody."""
    return prose(short(text, 300))
