"""Runs a rehearsal: the control plane, the stack on it, every check, and a second preview at the end."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from common.errors import UserError
from components.kubernetes.node_autoscaler import EMPTY_NODE_MINUTES
from localcloud.cluster import ControlPlane, NodeGroup, Pace, control_plane, furnish, node_groups
from ops.plan.planner import plan_stack
from ops.rehearse import admission, flows, following, placing, rights
from ops.rehearse.groups import GroupScaler
from ops.rehearse.laying import lay, planned_objects, read_back
from ops.rehearse.model import Report
from ops.rehearse.stage import FLEET, Stage
from ops.rehearse.tempo import HPA_SYNC_SECONDS, Tempo
from policies.inventory import Inventory
from stacks.settings import Settings, stack_file

SPEED: Final = 20.0
"""By how much a rehearsal compresses time by default: a load of two hours is over in six minutes."""
PATIENCE_SECONDS: Final = 120.0
NOT_JUDGED: Final = (
    "containers: no image is pulled, no model is served, no probe is asked; pods become ready by themselves",
    "network policies are computed from the objects, no packet is sent but those of the metrics chain",
    "the node autoscaler is simulated by each group's fewest and most machines, and a start time; stock-outs and a "
    "cloud's own order of groups are not",
    "the load is simulated, its requests spread evenly over the replicas",
    "what clouds add to a cluster beside nodes' labels and admission of GPUs",
)
AREAS: Final = ("admission", "rights", "flows", "placing", "rollouts", "drains", "zones", "load")
Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Plan:
    """What of a rehearsal is done, and how."""

    speed: float = SPEED
    areas: tuple[str, ...] = AREAS
    seconds: tuple[float, float, float, float] | None = None
    """Of the load's phases; by the stack's own windows if left out."""
    patience_seconds: float = PATIENCE_SECONDS
    answer_seconds: float = following.FIRST_ANSWER_SECONDS
    """How long the first measures may take to reach the autoscaler, once Prometheus and the adapter are ready."""
    change: Change = field(default=lambda objects: objects)
    """Changes the stack's objects before they are laid down: a test plants its faults so."""
    groups: Callable[[tuple[NodeGroup, ...]], tuple[NodeGroup, ...]] = field(default=lambda groups: groups)
    """The same for its machines."""


def run_areas(asked: Sequence[str] | None) -> tuple[str, ...]:
    """The areas that are asked for; all where none is named.

    Raises:
        UserError: there is no such area.
    """
    unknown = [area for area in asked or () if area not in AREAS]
    if unknown:
        raise UserError(
            f"no area of a rehearsal: {', '.join(unknown)}", "--only", f"Name some of {', '.join(AREAS)}."
        )
    return tuple(area for area in AREAS if not asked or area in asked)


def rehearse(stack: str, folder: Path, steps: Steps, plan: Plan | None = None) -> Report:
    """Deploy the stack with the engine to a control plane of its own, try it, and preview again.

    Args:
        folder: where logs go.

    Raises:
        UserError: something could not be run; what was found is no error.
    """
    from ops.local.session import open_local  # with it comes Pulumi's whole SDK

    plan = plan or Plan()
    settings = Settings.load(stack_file(stack))
    with _plane(settings, plan_stack(stack), plan, steps) as (plane, scaler), tempfile.TemporaryDirectory() as home:
        report = Report(stack, plane.version, Tempo(plan.speed), not_judged=list(NOT_JUDGED))
        with (
            _timed(report),
            open_local(stack, steps, home=Path(home), keep=False, kubeconfig=plane.kubeconfig) as local,
            scaler.running(),
        ):
            local.up()
            asked = [dict(r.inputs) for r in local.resources() if r.custom and r.type.startswith("kubernetes:")]
            objects = read_back(plane, [item for item in asked if "apiVersion" in item])
            _try(
                Stage(plane, settings, objects, scaler, scaler.tempo, report, steps, plan.patience_seconds),
                folder,
                plan,
            )
            outcome = local.preview()
            shown = "; ".join(map(str, outcome.changes[:3]))
            report.add(
                "engine",
                "a second preview is empty after all that has acted",
                not outcome.changes,
                shown or outcome.summary(),
            )
    return report


def rehearse_planned(
    stack: str, folder: Path, steps: Steps, plan: Plan | None = None, inventory: Inventory | None = None
) -> Report:
    """The same without the engine: the objects of the stack's plan, and no second preview.

    Raises:
        UserError: something could not be run.
    """
    plan = plan or Plan()
    settings = Settings.load(stack_file(stack))
    inventory = inventory or plan_stack(stack)
    with _plane(settings, inventory, plan, steps) as (plane, scaler):
        report = Report(stack, plane.version, Tempo(plan.speed), not_judged=list(NOT_JUDGED))
        report.not_judged.append("the engine: objects were laid down as the stack's plan has them")
        with _timed(report), scaler.running():
            objects = lay(plane, plan.change(planned_objects(inventory)))
            _try(
                Stage(plane, settings, objects, scaler, scaler.tempo, report, steps, plan.patience_seconds),
                folder,
                plan,
            )
    return report


@contextlib.contextmanager
def _plane(
    settings: Settings, inventory: Inventory, plan: Plan, steps: Steps
) -> Iterator[tuple[ControlPlane, GroupScaler]]:
    groups = node_groups(settings.cloud, settings.region, settings.zones, settings.pools, inventory.resources)
    tempo = Tempo(plan.speed)
    pace = Pace(
        pod_ready_seconds=0.2,
        app_ready_seconds={FLEET: 0.3},
        pod_gone_seconds=0.1,
        hpa_sync_seconds=tempo.shorter(HPA_SYNC_SECONDS),
    )
    with control_plane(settings.cluster.version, plan.groups(groups), pace=pace, steps=steps) as plane:
        furnish(plane, settings.cloud)
        yield plane, GroupScaler(plane, tempo, 60 * EMPTY_NODE_MINUTES)


@contextlib.contextmanager
def _timed(report: Report) -> Iterator[None]:
    report.began, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    try:
        yield
    finally:
        report.seconds = time.monotonic() - began


def _try(stage: Stage, folder: Path, plan: Plan) -> None:
    """Every area that is asked for, in the order of what they change."""
    fewest, most = stage.settings.fleet.min_replicas, stage.settings.fleet.max_replicas
    tries: Mapping[str, Sequence[Callable[[], object]]] = {
        "admission": (lambda: admission.admitted(stage), lambda: admission.restricted(stage)),
        "rights": (lambda: rights.rights(stage), lambda: rights.tokens(stage)),
        "flows": (lambda: flows.flows(stage),),
        "placing": (
            lambda: placing.workloads(stage),
            lambda: placing.from_zero(stage) and placing.at_most(stage) and placing.at_least(stage),
        ),
        "rollouts": (
            lambda: placing.rollout(stage, fewest, "at the fewest"),
            lambda: placing.rollout(stage, most, "at the most"),
        ),
        "drains": (lambda: placing.drains(stage, fewest),),
        "zones": (lambda: placing.zone_loss(stage, fewest),),
        "load": (lambda: following.follow(stage, folder / "chain", plan.seconds, plan.answer_seconds),),
    }
    with following.compressed(stage):
        for area in plan.areas:
            with stage.steps.step(f"Rehearse {stage.report.stack}: {area}"):
                for each in tries[area]:
                    each()
        stage.unmark()
