"""Runs the engine's preview of a stack, the user's or the local cloud's, and tells it as a diff."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from pulumi.automation import LocalWorkspace, Stack
from pulumi.automation._stack import StackInitMode
from pulumi.automation.errors import CommandError

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from localcloud.front import ensure_engine
from ops.diff.compare import compare_resources
from ops.diff.completing import completed
from ops.diff.model import Cause, ResourceChange, StackDiff
from ops.diff.pins import told
from ops.diff.run import PROVIDERS, Change, causes_of, planned
from ops.local.runs import GuardedCommand, Outcome, first_trouble, last_words
from ops.local.session import LocalCloud, open_local
from ops.plan.planner import plan_stack
from ops.preview.deployed import deployed_inventory
from ops.preview.events import StepReader
from ops.preview.telling import engine_diff, traced, untraced
from policies.evaluation import evaluate
from policies.inventory import Inventory

_OURS: Final = ("AWS_", "GOOGLE_", "CLOUDSDK_", "KUBECONFIG", "PULUMI_")
"""What the engine's runner leaves out for the local cloud, and a preview with the user's own credentials needs."""
_REFUSED: Final = "protect"


@dataclass(frozen=True)
class Engine:
    """A stack that an engine can preview."""

    stack: Stack
    name: str

    def export(self) -> Mapping[str, Any]:
        """Pulumi's state; secrets stay encrypted."""
        told = self._pulumi("stack", "export")
        return json.loads(told or "{}")

    def deployed_commit(self) -> str | None:
        """The commit of the last update that succeeded, if the backend knows it."""
        with suppress(CommandError, ValueError, KeyError, TypeError):
            history = json.loads(self._pulumi("stack", "history", "--json", "--page-size", "20") or "[]")
            for update in history:
                if update.get("kind") in ("update", "destroy") and update.get("result") == "succeeded":
                    return (update.get("environment") or {}).get("git.head") or None
        return None

    def _pulumi(self, *arguments: str) -> str:
        workspace = self.stack.workspace
        where = str(workspace.work_dir)
        return workspace.pulumi_command.run([*arguments, "--stack", self.name], where, workspace.env_vars).stdout


def users_stack(name: str, steps: Steps) -> Engine:
    """The stack in the user's own backend, with the user's login and credentials.

    Raises:
        UserError: the backend has no such stack, or cannot be asked.
    """
    engine = ensure_engine(steps)
    workspace = LocalWorkspace(
        work_dir=str(repo_root()),
        env_vars={key: value for key, value in os.environ.items() if key.startswith(_OURS)},
        pulumi_command=GuardedCommand(engine.cli, engine.version),
    )
    try:
        return Engine(Stack(name, workspace, StackInitMode.SELECT), name)
    except CommandError as error:
        remedy = "Log in with `pulumi login`, and create the stack as the README says; or preview it with --local."
        raise UserError(last_words(str(error)), f"stack {name}", remedy) from error


def local_stack(name: str, steps: Steps) -> AbstractContextManager[LocalCloud]:
    """The stack on the local cloud, which is left as it is."""
    return open_local(name, steps, keep=False)


def preview(
    engine: Engine, base: str | None, steps: Steps, *, plan: Callable[[str], Inventory] = plan_stack
) -> StackDiff:
    """What an update would do, in the form of a diff.

    Args:
        base: the commit that is deployed; the backend is asked where it is left out.

    Raises:
        UserError: the preview fails for another reason than a protected resource, or there is no such commit.
    """
    with steps.step(f"Plan {engine.name}"):
        head = plan(engine.name)
    deployed = deployed_inventory(engine.name, engine.export())
    commit = base or engine.deployed_commit()
    offline, causes, note = _offline(commit, engine.name, head, steps, asked=base is not None)
    reader = StepReader()
    with steps.step(f"Preview {engine.name}"):
        stopped = _run(engine, reader)
    missing = offline if stopped else {}
    found = engine_diff(engine.name, reader.seen.values(), deployed, head, evaluate, missing)
    known = traced(found.changes, offline, causes) if commit and not note else untraced(found.changes)
    notes = tuple(filter(None, (stopped, note)))
    return completed(replace(found, causes=known, notes=notes), _with_settings(deployed, head), head)


def _with_settings(deployed: Inventory, head: Inventory) -> Inventory:
    """The state knows no settings; what is deployed is priced with those of now, and that is said."""
    return replace(deployed, settings=head.settings)


def _run(engine: Engine, reader: StepReader) -> str:
    """Why the engine ended early; empty if it did not.

    Raises:
        UserError: it failed, and not over a protected resource.
    """
    try:
        engine.stack.preview(on_event=reader)
    except CommandError as error:
        refused = [trouble for trouble in reader.errors if _REFUSED in trouble.message]
        if not refused:
            trouble = first_trouble(Outcome("preview", errors=reader.errors), str(error))
            remedy = "Fix what the engine says, and preview again."
            raise UserError(f"the preview failed: {trouble.message}", trouble.urn or engine.name, remedy) from error
        names = ", ".join(dict.fromkeys(t.urn.rpartition("::")[2] for t in refused))
        return (
            f"The engine ended its preview at what is protected ({names}). What it did not come to is told as the "
            "comparison of plans has it."
        )
    return ""


def _offline(
    commit: str | None, stack: str, head: Inventory, steps: Steps, *, asked: bool
) -> tuple[Mapping[str, ResourceChange], tuple[Cause, ...], str]:
    """What the comparison of the deployed commit's plan with the working tree's says, and why there is none."""
    if commit is None:
        return {}, (), ""
    try:
        change = Change.between(commit, None)
        with planned(change, [stack], [stack], steps) as both:
            before = both.before[stack]
            changes = compare_resources(before, head, PROVIDERS)
            bare = StackDiff(stack, "both", tuple(changes))
            bare = replace(bare, causes=causes_of(bare, before, head, change, both))
            pinned = told(bare, head, change.pins(stack))
    except UserError as error:
        if asked:
            raise
        return {}, (), f"The deployed commit {commit[:12]} is not here ({error.what}), so nothing is traced."
    return {c.resource.urn: c for c in pinned.changes}, pinned.causes, ""
