"""Plans several stacks at once: one process for each cloud, since a cloud's SDK takes over a second to load."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from common.os_errors import as_user_error
from ops.plan import planner
from policies.inventory import Inventory

_INTERRUPTED: Final = (-signal.SIGINT, -signal.SIGTERM)


@dataclass(frozen=True)
class Job:
    """One plan: a committed stack, with its own settings or those in another file."""

    stack: str
    file: Path | None = None

    def __str__(self) -> str:
        return f"{self.stack}={self.file}" if self.file else self.stack

    @staticmethod
    def of(text: str) -> Job:
        """The inverse of `str`."""
        stack, _, file = text.partition("=")
        return Job(stack, Path(file) if file else None)


def plan_stacks(stacks: Sequence[str]) -> tuple[Inventory, ...]:
    """The inventories of committed stacks, in their order.

    Raises:
        UserError: as `plan_stack`, for the first stack of a cloud that cannot be planned.
    """
    return plan_jobs([Job(stack) for stack in stacks])


def plan_jobs(jobs: Sequence[Job]) -> tuple[Inventory, ...]:
    """The inventories that are asked for, in their order.

    Raises:
        UserError: as `plan_stack`, for the first job of a cloud that cannot be planned.
    """
    one_by_one = (os.cpu_count() or 1) == 1 or not jobs
    here, *elsewhere = [list(jobs)] if one_by_one else _by_cloud(jobs).values()
    workers = [_Worker(group) for group in elsewhere]
    try:
        planned = {job: _planned(job) for job in here}
        for group, worker in zip(elsewhere, workers, strict=True):
            planned.update(zip(group, worker.inventories(), strict=True))
    finally:
        for worker in workers:
            worker.end()
    return tuple(planned[job] for job in jobs)


def _planned(job: Job) -> Inventory:
    return planner.plan_stack(job.stack, job.file) if job.file else planner.plan_stack(job.stack)


def _by_cloud(jobs: Sequence[Job]) -> Mapping[str, list[Job]]:
    groups = by_cloud([job.stack for job in jobs])
    return {cloud: [job for job in jobs if job.stack in stacks] for cloud, stacks in groups.items()}


def by_cloud(stacks: Sequence[str]) -> Mapping[str, list[str]]:
    """The stacks, `<environment>-<cloud>`, by cloud."""
    groups: dict[str, list[str]] = {}
    for stack in stacks:
        groups.setdefault(stack.rpartition("-")[2], []).append(stack)
    return groups


class _Worker:
    """Another process that plans some of the stacks, with this process's Python, path and environment."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        # -P: the folder that the user is in must not shadow a module.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ops.plan.several", *map(str, jobs)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def inventories(self) -> list[Inventory]:
        """What it planned, in the order of its jobs, once it is done."""
        told, trouble = self._process.communicate()
        if self._process.returncode in _INTERRUPTED:
            raise KeyboardInterrupt  # whoever stops a command stops its processes with it
        if self._process.returncode:
            raise RuntimeError(f"planning ended with {self._process.returncode}: {trouble.decode(errors='replace')}")
        answer = json.loads(told)
        if "error" in answer:
            raise UserError(**answer["error"])
        return [Inventory.from_json(told) for told in answer["inventories"]]

    def end(self) -> None:
        """Stop it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def answer(jobs: Sequence[str]) -> dict[str, Any]:
    """What a worker prints: its inventories, or the error that stopped it."""
    try:
        asked = [Job.of(text) for text in jobs]
        return {"inventories": [_planned(job).to_json() for job in asked]}
    except (UserError, OSError) as caught:
        error = as_user_error(caught) if isinstance(caught, OSError) else caught
        return {"error": {"what": error.what, "where": error.where, "remedy": error.remedy}}


if __name__ == "__main__":
    gc.disable()  # as `ops.cli` does for the command that asks for it
    json.dump(answer(sys.argv[1:]), sys.stdout)
