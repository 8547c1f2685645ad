"""Plans both sides of a change and compares them, stack by stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.console import Steps
from common.sdk.replacement import replace_on
from ops.diff.compare import compare
from ops.diff.model import StackDiff
from ops.diff.worktree import plan_commit, resolve
from ops.plan.several import plan_stacks
from policies.evaluation import evaluate
from policies.inventory import Inventory
from stacks.settings import stack_names


def diff_stacks(base: str, head: str | None, steps: Steps) -> tuple[tuple[StackDiff, ...], tuple[str, str]]:
    """The diffs of all stacks that either side has, and what the sides are called.

    Raises:
        UserError: a side does not exist or cannot be planned.
    """
    base_commit = resolve(base)
    head_commit = resolve(head) if head else None
    with steps.step(f"planning {base} ({base_commit[:12]})"):
        before = plan_commit(base_commit)
    with steps.step(f"planning {head or 'the working tree'}"):
        after = plan_commit(head_commit) if head_commit else _plan_here()
    names = (f"{base} ({base_commit[:12]})", f"{head} ({head_commit[:12]})" if head_commit else "working tree")
    return compare_all(before, after), names


def compare_all(before: Mapping[str, Inventory], after: Mapping[str, Inventory]) -> tuple[StackDiff, ...]:
    """One diff for each stack that either side has, by name."""
    return tuple(
        compare(stack, before.get(stack), after.get(stack), replace_on=replace_on, evaluate=evaluate)
        for stack in sorted({*before, *after})
    )


def needs_care(diffs: Sequence[StackDiff]) -> bool:
    """Whether any stack's state is at risk or any verdict got worse."""
    return any(diff.at_risk or any(v.worse for v in diff.verdicts) for diff in diffs)


def _plan_here() -> Mapping[str, Inventory]:
    return {inventory.stack: inventory for inventory in plan_stacks(stack_names())}
