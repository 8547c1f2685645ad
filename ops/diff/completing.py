"""Adds to a comparison what follows from it: steps, reach, cost and picture. Pure."""

from __future__ import annotations

from dataclasses import replace

from ops.diff.blast import blast
from ops.diff.costs import cost_change
from ops.diff.model import StackDiff
from ops.diff.picture import picture
from ops.diff.reach import opened
from ops.diff.steps import steps
from policies.inventory import Inventory


def completed(diff: StackDiff, base: Inventory | None, head: Inventory | None) -> StackDiff:
    """`diff` with all that a reviewer is told beside what changes; as it is where nothing does."""
    if not (diff.changes or diff.outputs or diff.verdicts) and diff.fate == "both":
        return diff
    reach = opened(base, head)
    return replace(
        diff,
        steps=steps(diff.changes, base, head),
        reach=reach,
        blast=blast(diff.changes, base, head, reach),
        cost=cost_change(base, head),
        picture=picture(diff.changes, base, head),
    )
