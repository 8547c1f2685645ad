"""The plan of a change between two commits, without credentials: what a pull request needs approval for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from common.checkout import commit, operator
from common.console import Steps
from common.paths import repo_root
from ops.diff.markdown import EVERY_STACK
from ops.diff.model import StackDiff
from ops.diff.run import diff_stacks
from ops.diff.worktree import resolve, stacks_at
from ops.gates.decide import required
from ops.gates.facts import change_of
from ops.gates.guards import file_at, gates_at
from ops.gates.markdown import section
from ops.gates.model import Kind, Requirement, canonical
from ops.gates.plan import Plan, PlannedStep
from ops.gates.reading import items_of
from ops.gates.settings import FILE, Gates
from stacks.settings import stack_names


@dataclass(frozen=True)
class Asked:
    """One stack's plan, and the approvals that it needs."""

    plan: Plan
    requirements: tuple[Requirement, ...]


def asked_offline(
    stacks: Sequence[str], base: str, head: str | None, steps: Steps
) -> tuple[tuple[Asked, ...], Gates, str]:
    """What a change needs approval for in each stack; the gates that say so, and where they stand.

    Args:
        stacks: all that either side has where none is named.
        head: the working tree where None.

    Raises:
        UserError: a side does not exist or cannot be planned, or the gates are refused.
    """
    start, end = resolve(base), resolve(head) if head else None
    gates, where = gates_at(start, end)
    diffs, _ = diff_stacks(base, head, stacks, steps)
    found = {diff.stack: diff for diff in diffs}
    known = stacks or sorted({*stacks_at(start), *(stacks_at(end) if end else stack_names())})
    told = (found.get(stack, StackDiff(stack, "both")) for stack in known)
    return tuple(asked_of(diff, start, end, gates) for diff in told), gates, where


Needed = Mapping[str, tuple[Requirement, ...]]
"""Stack → the approvals that it needs; under `EVERY_STACK` those that each stack needs alike."""


def needed(diffs: Sequence[StackDiff], base: str, head: str | None, stacks: Sequence[str] = ()) -> Needed:
    """The approvals that a change needs; empty where there are no gates yet.

    Args:
        stacks: those that were asked about, all where none is named: a waiver, or a file that judges, changes no
            stack's plan, and still asks somebody.

    Raises:
        UserError: the gates are refused, or git cannot tell.
    """
    start, end = resolve(base), resolve(head) if head else None
    if file_at(start, FILE) is None and not _now(end):
        return {}
    gates, _ = gates_at(start, end)
    told = {diff.stack: diff for diff in diffs}
    known = {*told, *(stacks or {*stacks_at(start), *(stacks_at(end) if end else stack_names())})}
    found = {
        stack: asked_of(told.get(stack, StackDiff(stack, "both")), start, end, gates).requirements
        for stack in sorted(known)
    }
    return apart(found)


def apart(found: Needed) -> Needed:
    """The same, with what is asked of every stack alike told once."""
    every = {each.gate: each for asked in found.values() for each in asked if _is_of_guards(each)}
    own = {stack: tuple(each for each in asked if not _is_of_guards(each)) for stack, asked in found.items()}
    return {EVERY_STACK: tuple(every.values()), **own}


def _is_of_guards(requirement: Requirement) -> bool:
    return all(item.kind is Kind.GUARDS for item in requirement.items)


def sections(found: Needed) -> Mapping[str, Sequence[str]]:
    """The lines of a report that say who must agree."""
    return {stack: lines for stack, asked in found.items() if (lines := section(asked))}


def _now(head: str | None) -> bool:
    return file_at(head, FILE) is not None if head else (repo_root() / FILE).is_file()


def asked_of(diff: StackDiff, base: str, head: str | None, gates: Gates) -> Asked:
    """What one stack's diff needs approval for.

    Args:
        base: the commit that it starts from, and whose gates these are.
        head: the commit that it ends in; None for the working tree.

    Raises:
        UserError: git, or a file of waivers, cannot be read.
    """
    items = items_of(change_of(diff, base, head))
    made = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": operator(), "commit": head or commit()}
    plan = Plan(diff.stack, "offline", planned_steps(diff), items, base, "", made)
    return Asked(plan, required(diff.stack, items, gates))


def planned_steps(diff: StackDiff) -> tuple[PlannedStep, ...]:
    """The steps of a diff; an added or removed resource with all of its inputs."""
    return tuple(
        PlannedStep(
            change.resource.urn,
            change.action,
            tuple((p.path, _json(p.before), _json(p.after)) for p in change.properties)
            or (("", "", _json([change.resource.inputs, sorted(change.resource.unknown_paths)])),),
            tuple(p.path for p in change.properties if p.replaces),
            (
                f"protect {str(change.resource.protect).lower()}",
                f"retainOnDelete {str(change.resource.retain_on_delete).lower()}",
                *([change.order] if change.order else []),
            ),
        )
        for change in diff.changes
    )


def _json(value: object) -> str:
    return "" if value is None else canonical(value)
