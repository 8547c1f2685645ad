"""Whether machines that stand ready help: a replica takes the place of what holds one at once, and it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from components.contracts import serving
from components.contracts.services import WARM_SUFFIX
from ops.rehearse.placing import AREA
from ops.rehearse.stage import APP_LABEL, Stage, is_ready, unplaced

_APP: Final = "fleet-warm"
_OF_A_START: Final = 0.5
"""A replica that waited for no machine is ready in less than this part of a machine's start."""


@contextmanager
def without(stages: Sequence[Stage]) -> Iterator[None]:
    """Nothing held ready while the block runs, so that machines come and go with replicas alone."""
    held = {each.variant.service: (each, deployment) for each in stages if (deployment := _deployment(each))}
    for each, _ in held.values():
        _hold(each, 0)
    try:
        yield
    finally:
        for each, deployment in held.values():
            _hold(each, deployment["spec"].get("replicas", 1))


def gives_way(stage: Stage) -> None:
    """One more replica where no machine is empty: it takes a held one's place, which comes back elsewhere."""
    wanted = stage.variant.spec.warm_replicas
    if not wanted or not stage.variant.stable:
        return
    name = "a replica takes the place of a warm one at once"
    fewest, most = stage.variant.min_replicas, stage.variant.max_replicas
    stage.scale(fewest)
    _hold(stage, wanted)
    if stage.wait(lambda: stage.settled(fewest) and len(_ready(stage)) == wanted and not _empty(stage)) is None:
        seen = f"it could not begin: {len(_ready(stage))} of {wanted} warm, {_empty(stage)} machines empty; "
        stage.report.add(AREA, name, False, seen + stage.why_not())
        return
    held = {pod["spec"]["nodeName"] for pod in _ready(stage)}
    # With room for several on a machine, the extra one may also find some beside others.
    allowed = held if len(stage.serving_nodes()) == fewest + wanted else set(stage.serving_nodes())
    before = {pod["metadata"]["name"] for pod in stage.pods()}

    def arrived() -> list[Mapping[str, Any]]:
        return [pod for pod in stage.ready() if pod["metadata"]["name"] not in before]

    # Where there may be no more replicas, a rollout's extra one is who needs the place.
    stage.scale(fewest + 1) if fewest < most else stage.restart()
    took = stage.wait(lambda: bool(arrived()))
    places = {pod["spec"]["nodeName"] for pod in arrived()}
    start = stage.tempo.shorter(stage.scaler.machine_seconds)
    ok = took is not None and places <= allowed and took < max(1.0, _OF_A_START * start)
    seen = (
        stage.why_not()
        if took is None
        else f"ready {took:.1f} s later, where a machine takes {start:.1f} s, "
        f"{'in the place of a warm one' if places <= allowed else 'elsewhere'}"
    )
    stage.report.add(AREA, name, ok, seen)
    back = stage.wait(lambda: len(_ready(stage)) == wanted)
    again = (
        f"{wanted} held again {back:.0f} s later"
        if back is not None
        else "; ".join([f"{len(_ready(stage))} of {wanted} held", *unplaced(_pods(stage)), _machines(stage)])
    )
    stage.report.add(AREA, "what was pushed out is held again on another machine", back is not None, again)
    stage.scale(fewest)
    stage.unmark()
    _hold(stage, 0)


def _deployment(stage: Stage) -> dict[str, Any] | None:
    name = f"{stage.variant.service}{WARM_SUFFIX}"
    return stage.plane.client.get("apps/v1", "Deployment", name, serving.NAMESPACE) if stage.variant.stable else None


def _hold(stage: Stage, replicas: int) -> None:
    name = f"{stage.variant.service}{WARM_SUFFIX}"
    stage.plane.client.patch(
        "apps/v1", "Deployment", name, {"spec": {"replicas": replicas}}, serving.NAMESPACE, "scale"
    )


def _pods(stage: Stage) -> list[dict[str, Any]]:
    selector = f"{APP_LABEL}={_APP},{serving.SERVICE_LABEL}={stage.variant.service}"
    return list(stage.pods_of(selector, serving.NAMESPACE))


def _ready(stage: Stage) -> list[dict[str, Any]]:
    return [pod for pod in _pods(stage) if is_ready(pod)]


def _machines(stage: Stage) -> str:
    """How many machines each group has, of how many it may have."""
    return ", ".join(
        f"{group.name} has {len(stage.plane.nodes.names(group.name))} of {group.max_nodes} machines"
        for group in stage.plane.nodes.groups
    )


def _empty(stage: Stage) -> int:
    """Machines that serve nothing and hold nothing: the node autoscaler takes them away soon."""
    pods = stage.plane.client.list("v1", "Pod", serving.NAMESPACE)
    used = {pod["spec"].get("nodeName") for pod in pods}
    return sum(name not in used for name in stage.serving_nodes())
