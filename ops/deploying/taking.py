"""Takes the engine's plan of a stack: its own preview with a refresh, what it puts at risk, and who must agree."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from common.checkout import commit, operator
from common.console import Steps
from common.errors import UserError
from ops.deploying.driver import FOUNDATION, Driver, Place, deployed_commit, last_update
from ops.deploying.preview import Preview, read_preview
from ops.deploying.sides import planned_diff
from ops.diff.worktree import checkout, resolve, stacks_at
from ops.gates.decide import required
from ops.gates.facts import change_of
from ops.gates.guards import gates_at
from ops.gates.model import Requirement
from ops.gates.plan import Plan, is_first
from ops.gates.reading import items_of
from ops.gates.settings import Gates
from ops.plan.planner import plan_stack
from policies.inventory import Inventory


@dataclass(frozen=True)
class Taken:
    """A plan as the engine gives it now, and what it needs."""

    plan: Plan
    preview: Preview
    gates: Gates
    gates_from: str
    requirements: tuple[Requirement, ...]
    saved: Path
    """The engine's own plan, which an update can be bound to; gone after the block."""


def base_of(driver: Driver, place: Place, named: str | None, update: str) -> str:
    """The commit that a stack's change starts from: the one that is named, else the one that is deployed.

    Raises:
        UserError: it is not known, or not in this clone.
    """
    if named:
        return resolve(named)
    noted = deployed_commit(driver) if place is Place.CLOUD else ""
    if noted:
        return resolve(noted)
    if is_first(update) or place is Place.LOCAL:
        return resolve("HEAD")
    raise UserError(
        "the stack's history does not say which commit is deployed, so there is nothing to read its gates from",
        driver.stack,
        "Name the commit that is deployed with --base.",
    )


@contextmanager
def taken(
    driver: Driver, place: Place, steps: Steps, *, base: str | None = None, foundation: bool = False
) -> Iterator[Taken]:
    """The plan of what an update would do now; nothing is changed.

    Raises:
        UserError: the engine, or either side's own plan, fails; the gates are refused.
    """
    update = last_update(driver)
    start = base_of(driver, place, base, update)
    gates, gates_from = gates_at(start, None)
    with tempfile.TemporaryDirectory(prefix="seawall-deploy-") as folder:
        saved = Path(folder) / "update-plan.json"
        with steps.step(f"Preview {driver.stack}, with what its cloud says now"):
            told = driver.pulumi(*_preview(saved, foundation=foundation))
        preview = read_preview(told, json.loads(saved.read_text(encoding="utf-8")) if saved.is_file() else None)
        plan = _plan(driver.stack, preview, start, update, steps)
        yield Taken(plan, preview, gates, gates_from, required(plan.stack, plan.items, gates), saved)


def apply(
    driver: Driver, found: Taken, steps: Steps, *, foundation: bool = False, unconstrained: bool = False
) -> None:
    """Bring the stack up by the engine's saved plan, which lets nothing else be done.

    Args:
        unconstrained: leave the saved plan out, where the engine cannot keep to it.

    The engine calls the option experimental (Pulumi 3.259, `pulumi up --help`, read 2026-11-22). It previews once
    more under the plan, so that what is refused is refused before anything is changed.

    Raises:
        UserError: the engine failed.
    """
    part = FOUNDATION if foundation else ()
    with steps.step(f"Update {driver.stack}"):
        held = () if unconstrained else ("--plan", str(found.saved))
        driver.pulumi("up", "--yes", "--refresh", *held, *part)


def _preview(saved: Path, *, foundation: bool) -> tuple[str, ...]:
    part = FOUNDATION if foundation else ()
    # The secrets are shown in the saved plan alone; what is printed masks them (tried with Pulumi 3.259, 2026-11-22).
    return ("preview", "--json", "--refresh", "--save-plan", str(saved), "--show-secrets", *part)


def _plan(stack: str, preview: Preview, base: str, update: str, steps: Steps) -> Plan:
    with steps.step("Plan what is deployed and what is to be, for what each holds and costs"):
        before = _deployed(stack, base) if not is_first(update) and stack in stacks_at(base) else None
        after = plan_stack(stack)
    diff = planned_diff(stack, preview, before, after)
    change = change_of(diff, base, None, {step.urn: step.secrets for step in preview.steps if step.secrets})
    made = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": operator(), "commit": commit()}
    return Plan(stack, "engine", preview.steps, items_of(change), base, update, made)


def _deployed(stack: str, base: str) -> Inventory | None:
    with checkout(base) as folder:
        return folder.plan([stack]).get(stack)
