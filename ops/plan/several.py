"""Plans several stacks at once: one process for each cloud, since a cloud's SDK takes over a second to load."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from common.errors import UserError
from common.os_errors import as_user_error
from ops.plan import planner
from policies.inventory import Inventory

_INTERRUPTED: Final = (-signal.SIGINT, -signal.SIGTERM)


def plan_stacks(stacks: Sequence[str]) -> tuple[Inventory, ...]:
    """The inventories of committed stacks, in their order.

    Raises:
        UserError: as `plan_stack`, for the first stack of a cloud that cannot be planned.
    """
    one_by_one = (os.cpu_count() or 1) == 1 or not stacks
    here, *elsewhere = [list(stacks)] if one_by_one else by_cloud(stacks).values()
    workers = [_Worker(group) for group in elsewhere]
    try:
        planned = {stack: planner.plan_stack(stack) for stack in here}
        for worker in workers:
            planned.update(worker.inventories())
    finally:
        for worker in workers:
            worker.end()
    return tuple(planned[stack] for stack in stacks)


def by_cloud(stacks: Sequence[str]) -> Mapping[str, list[str]]:
    """The stacks, `<environment>-<cloud>`, by cloud."""
    groups: dict[str, list[str]] = {}
    for stack in stacks:
        groups.setdefault(stack.rpartition("-")[2], []).append(stack)
    return groups


class _Worker:
    """Another process that plans some of the stacks, with this process's Python, path and environment."""

    def __init__(self, stacks: Sequence[str]) -> None:
        # -P: the folder that the user is in must not shadow a module.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ops.plan.several", *stacks],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def inventories(self) -> dict[str, Inventory]:
        """What it planned, once it is done."""
        told, trouble = self._process.communicate()
        if self._process.returncode in _INTERRUPTED:
            raise KeyboardInterrupt  # whoever stops a command stops its processes with it
        if self._process.returncode:
            raise RuntimeError(f"planning ended with {self._process.returncode}: {trouble.decode(errors='replace')}")
        answer = json.loads(told)
        if "error" in answer:
            raise UserError(**answer["error"])
        return {told["stack"]: Inventory.from_json(told) for told in answer["inventories"]}

    def end(self) -> None:
        """Stop it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def answer(stacks: Sequence[str]) -> dict[str, Any]:
    """What a worker prints: its inventories, or the error that stopped it."""
    try:
        return {"inventories": [planner.plan_stack(stack).to_json() for stack in stacks]}
    except (UserError, OSError) as caught:
        error = as_user_error(caught) if isinstance(caught, OSError) else caught
        return {"error": {"what": error.what, "where": error.where, "remedy": error.remedy}}


if __name__ == "__main__":
    gc.disable()  # as `ops.cli` does for the command that asks for it
    json.dump(answer(sys.argv[1:]), sys.stdout)
