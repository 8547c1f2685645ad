"""Plans the working tree's program, with its own settings or others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.errors import UserError
from ops.plan.planner import plan_stack
from ops.plan.several import Job, plan_jobs
from policies.inventory import Inventory


def plan_both(stacks: Sequence[str], others: Mapping[str, str]) -> tuple[dict[str, Inventory], dict[str, Inventory]]:
    """The inventories of `stacks` as the working tree has them, and of those in `others` with these settings.

    Args:
        others: stack → the text of another settings file of it.

    Raises:
        UserError: a stack cannot be planned.
    """
    with tempfile.TemporaryDirectory(prefix="seawall-diff-") as folder:
        written = {stack: _write(Path(folder), stack, text) for stack, text in others.items()}
        jobs = [*(Job(stack) for stack in stacks), *(Job(stack, file) for stack, file in written.items())]
        planned = plan_jobs(jobs)
    mine, theirs = planned[: len(stacks)], planned[len(stacks) :]
    return {i.stack: i for i in mine}, {i.stack: i for i in theirs}


def plan_with(stack: str, text: str) -> Inventory | None:
    """The inventory of a stack with other settings; None if they are refused."""
    with tempfile.TemporaryDirectory(prefix="seawall-diff-") as folder:
        try:
            return plan_stack(stack, _write(Path(folder), stack, text))
        except UserError:
            return None


def _write(folder: Path, stack: str, text: str) -> Path:
    file = folder / f"Pulumi.{stack}.yaml"
    file.write_text(text, encoding="utf-8")
    return file
