"""Plans both sides of a change and compares them, stack by stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from common.console import Steps
from common.sdk.replacement import deletes_first, replace_on, takes_list
from ops.diff.compare import Providers, compare
from ops.diff.model import StackDiff
from ops.diff.worktree import plan_commit, resolve, stacks_at
from ops.options import known_stack
from ops.plan.planner import check_settings
from ops.plan.several import plan_stacks
from policies.evaluation import evaluate
from policies.inventory import Inventory
from stacks.settings import stack_names

PROVIDERS: Final = Providers(replace_on, takes_list, deletes_first)


def diff_stacks(
    base: str, head: str | None, stacks: Sequence[str], steps: Steps
) -> tuple[tuple[StackDiff, ...], tuple[str, str]]:
    """The diffs of `stacks`, and what the sides are called.

    Args:
        stacks: all that either side has where none is named.

    Raises:
        UserError: a side does not exist or cannot be planned, or neither has a stack that is named. Settings that
            are refused in the working tree are said before anything is planned.
    """
    base_commit = resolve(base)
    head_commit = resolve(head) if head else None
    in_base = stacks_at(base_commit)
    in_head = stacks_at(head_commit) if head_commit else stack_names()
    for stack in stacks:
        known_stack(stack, sorted({*in_base, *in_head}), f"{base} and {head or 'the working tree'}")
    wanted = stacks or sorted({*in_base, *in_head})
    if not head_commit:
        check_settings([stack for stack in wanted if stack in in_head])
    with steps.step(f"Plan {base} ({base_commit[:12]})"):
        before = plan_commit(base_commit, [stack for stack in wanted if stack in in_base])
    with steps.step(f"Plan {head or 'the working tree'}"):
        here = [stack for stack in wanted if stack in in_head]
        after = plan_commit(head_commit, here) if head_commit else {i.stack: i for i in plan_stacks(here)}
    names = (f"{base} ({base_commit[:12]})", f"{head} ({head_commit[:12]})" if head_commit else "working tree")
    return compare_all(before, after), names


def compare_all(before: Mapping[str, Inventory], after: Mapping[str, Inventory]) -> tuple[StackDiff, ...]:
    """One diff for each stack that either side has, by name."""
    return tuple(
        compare(stack, before.get(stack), after.get(stack), providers=PROVIDERS, evaluate=evaluate)
        for stack in sorted({*before, *after})
    )


def needs_care(diffs: Sequence[StackDiff]) -> bool:
    """Whether any stack's state is at risk or any verdict got worse."""
    return any(diff.at_risk or any(v.worse for v in diff.verdicts) for diff in diffs)
