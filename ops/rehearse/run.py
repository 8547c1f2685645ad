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
from localcloud.cluster import NodeGroup, Pace, control_plane, define_all, furnish, node_groups
from ops.capacity.autoscaler import SYNC_SECONDS
from ops.plan.planner import plan_stack
from ops.rehearse import admission, chart_pods, flows, following, placing, rights, standing, warming
from ops.rehearse.groups import GroupScaler
from ops.rehearse.laying import charts_of, lay, planned_objects, read_back
from ops.rehearse.model import Report
from ops.rehearse.stage import FLEET, Stage
from ops.rehearse.tempo import Tempo
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
    "what charts bring beside the places of their pods: their accounts' rights, their programs",
    "what clouds add to a cluster beside nodes' labels and admission of GPUs",
)
AREAS: Final = (
    "admission",
    "rights",
    "flows",
    "standing",
    "placing",
    "warm",
    "rollouts",
    "drains",
    "zones",
    "load",
)
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
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
    change_charts: Change = field(default=lambda objects: objects)
    """The same for what its charts run."""
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
    with _stage(stack, settings, plan_stack(stack), plan, steps) as stage, tempfile.TemporaryDirectory() as home:
        report, kubeconfig = stage.report, stage.plane.kubeconfig
        with (
            _timed(report),
            open_local(stack, steps, home=Path(home), keep=False, kubeconfig=kubeconfig) as local,
            stage.scaler.running(),
        ):
            local.up()
            made = [r for r in local.resources() if r.custom and r.type.startswith("kubernetes:")]
            asked = [dict(r.inputs) for r in made if "apiVersion" in r.inputs]
            stage.objects = read_back(stage.plane, asked)
            _lay_charts(stage, [r.inputs for r in made if r.type == RELEASE], plan)
            _try(stage, folder, plan)
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
    stack: str,
    folder: Path,
    steps: Steps,
    plan: Plan | None = None,
    inventory: Inventory | None = None,
    settings: Settings | None = None,
) -> Report:
    """The same without the engine: the objects of the stack's plan, and no second preview.

    Args:
        inventory: the plan, if it is known.
        settings: what it was planned from, if that is not the stack's committed file.

    Raises:
        UserError: something could not be run.
    """
    plan = plan or Plan()
    settings = settings or Settings.load(stack_file(stack))
    inventory = inventory or plan_stack(stack)
    with _stage(stack, settings, inventory, plan, steps) as stage:
        report = stage.report
        report.not_judged.append("the engine: objects were laid down as the stack's plan has them")
        with _timed(report), stage.scaler.running():
            stage.objects = lay(stage.plane, plan.change(planned_objects(inventory)))
            _lay_charts(stage, [r.inputs for r in inventory.of_type(RELEASE)], plan)
            _try(stage, folder, plan)
    return report


def _lay_charts(stage: Stage, releases: Sequence[Mapping[str, Any]], plan: Plan) -> None:
    """Add what the stack's charts and its door run, for as long as the control plane is there."""
    pods = [*chart_pods.of_charts(releases), *chart_pods.of_proxies(stage.of("EnvoyProxy"))]
    stage.objects = [*stage.objects, *lay(stage.plane, plan.change_charts(pods))]


@contextlib.contextmanager
def _stage(stack: str, settings: Settings, inventory: Inventory, plan: Plan, steps: Steps) -> Iterator[Stage]:
    """A control plane with the stack's groups of machines, and no object of the stack yet."""
    groups = node_groups(settings.cloud, settings.region, settings.zones, settings.pools, inventory.resources)
    tempo = Tempo(plan.speed)
    pace = Pace(
        pod_ready_seconds=0.2,
        app_ready_seconds={FLEET: 0.3},
        pod_gone_seconds=0.1,
        hpa_sync_seconds=tempo.shorter(SYNC_SECONDS),
    )
    with control_plane(settings.cluster.version, plan.groups(groups), pace=pace, steps=steps) as plane:
        furnish(plane, settings.cloud)
        define_all(plane.client, charts_of(inventory))
        scaler = GroupScaler(plane, tempo, 60 * EMPTY_NODE_MINUTES)
        report = Report(stack, plane.version, tempo, not_judged=list(NOT_JUDGED))
        first = settings.fleet.variants[0]
        yield Stage(plane, settings, first, [], scaler, tempo, report, steps, plan.patience_seconds)


@contextlib.contextmanager
def _timed(report: Report) -> Iterator[None]:
    report.began, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    try:
        yield
    finally:
        report.seconds = time.monotonic() - began


def _try(stage: Stage, folder: Path, plan: Plan) -> None:
    """Every area that is asked for, in the order of what they change; what moves replicas, variant by variant."""
    stages = [stage.on(variant) for variant in stage.settings.fleet.variants]
    for each in ("admission", "rights", "flows", "standing", "placing"):
        if each in plan.areas:
            with _step(stage, each):
                for check in _whole(stage)[each]:
                    check()
    with warming.without(stages):
        for each in stages:
            stage.report.subject = each.name if len(stages) > 1 else ""
            with placing.alone(each), following.compressed(each):
                tries = _moving(each, folder / "chain" / each.name, plan)
                for area in (area for area in plan.areas if area in tries):
                    with _step(each, area):
                        for check in tries[area]:
                            check()
                each.unmark()
        stage.report.subject = ""
        if "placing" in plan.areas:
            placing.together(stages)
        if "drains" in plan.areas:
            with stage.steps.step(f"Rehearse {stage.report.stack}: drains of all machines"):
                standing.every_drain(stage)


def _step(stage: Stage, area: str) -> contextlib.AbstractContextManager[None]:
    several = len(stage.settings.fleet.variants) > 1
    return stage.steps.step(f"Rehearse {stage.report.stack}: {area}{f' of {stage.name}' if several else ''}")


def _whole(stage: Stage) -> Mapping[str, Sequence[Callable[[], object]]]:
    """What is looked at once for the whole stack."""
    return {
        "admission": (lambda: admission.admitted(stage), lambda: admission.restricted(stage)),
        "rights": (lambda: rights.rights(stage), lambda: rights.tokens(stage)),
        "flows": (lambda: flows.flows(stage),),
        "standing": (lambda: standing.standing(stage),),
        "placing": (lambda: placing.workloads(stage),),
    }


def _moving(stage: Stage, folder: Path, plan: Plan) -> Mapping[str, Sequence[Callable[[], object]]]:
    """What moves the replicas of one variant."""
    fewest, most = stage.variant.min_replicas, stage.variant.max_replicas
    return {
        "placing": (lambda: placing.from_zero(stage) and placing.at_most(stage) and placing.at_least(stage),),
        "warm": (lambda: warming.gives_way(stage),),
        "rollouts": (
            lambda: placing.rollout(stage, fewest, "at the fewest"),
            lambda: placing.rollout(stage, most, "at the most"),
        ),
        "drains": (lambda: placing.drains(stage, fewest),),
        "zones": (lambda: placing.zone_loss(stage, fewest),),
        "load": (lambda: following.follow(stage, folder, plan.seconds, plan.answer_seconds),),
    }
