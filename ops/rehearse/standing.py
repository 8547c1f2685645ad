"""What all services depend on outlives a machine: two of each, apart, before the fleet; one lost and it goes on.

Measures, machines and routes: the metrics chain, the node autoscaler, the door and its controllers. Everything that a
stack runs outside the fleet's own namespace counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from components.contracts import serving
from components.contracts.apart import EACH_TEMPLATE, HOSTNAME, MACHINES_APART, ZONE, Apart
from ops.rehearse.placing import AREA, drain_of, uncordon
from ops.rehearse.stage import MANAGER_ANNOTATION, Stage, is_ready

Name = tuple[str, str]
"""Namespace and name of a Deployment."""


def standing(stage: Stage) -> None:
    """All of it, once for the whole stack: at rest, through a lost machine, through rollouts, through every drain."""
    names = essential(stage)
    if stage.wait(lambda: all(_whole(stage, name) for name in names)) is None:
        short = [shown(name) for name in names if not _whole(stage, name)]
        stage.report.add(AREA, "what all services depend on runs", False, f"not whole: {', '.join(short)}")
        return
    _two(stage, names)
    _ask_apart(stage, names)
    _in_order(stage, names)
    _lost(stage, names)
    rolled(stage, names)


def essential(stage: Stage) -> list[Name]:
    """Every Deployment outside the fleet's namespace."""
    found = ((item["metadata"]["namespace"], item["metadata"]["name"]) for item in stage.of("Deployment"))
    return sorted(name for name in found if name[0] != serving.NAMESPACE)


def shown(name: Name) -> str:
    """As the report names it."""
    return "/".join(name)


def _live(stage: Stage, name: Name) -> dict[str, Any]:
    return stage.plane.client.get("apps/v1", "Deployment", name[1], name[0]) or {"spec": {}, "status": {}}


def _whole(stage: Stage, name: Name) -> bool:
    live = _live(stage, name)
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    return (
        status.get("observedGeneration") == live["metadata"]["generation"]
        and status.get("replicas", 0) == wanted
        and status.get("updatedReplicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def pods(stage: Stage, name: Name) -> list[dict[str, Any]]:
    """The pods of a Deployment that are ready."""
    labels = _live(stage, name)["spec"]["selector"]["matchLabels"]
    found = stage.pods_of(",".join(f"{key}={value}" for key, value in labels.items()), name[0])
    return [pod for pod in found if is_ready(pod)]


def _places(stage: Stage, name: Name) -> list[str]:
    return [pod["spec"]["nodeName"] for pod in pods(stage, name)]


def _machines(stage: Stage) -> list[dict[str, Any]]:
    """Those that anything may run on."""
    nodes = stage.plane.client.list("v1", "Node")
    return [node for node in nodes if not (node["spec"].get("taints") or ()) and is_ready(node)]


def _keeps_several(stage: Stage) -> bool:
    """Whether each of two pods has a machine of its own to go to."""
    return Apart(sum(group.min_nodes for group in stage.plane.nodes.groups if not group.taints)).hard


def _two(stage: Stage, names: list[Name]) -> None:
    single = [shown(name) for name in names if len(_places(stage, name)) < MACHINES_APART]
    seen = f"one only of {', '.join(single)}" if single else f"{len(names)} programs: {_list(names)}"
    stage.report.add(AREA, "there are two of what all services depend on", not single, seen)
    _apart(stage, names, "what all services depend on stands apart", over_zones=True)


def _apart(stage: Stage, names: list[Name], check: str, *, over_zones: bool = False) -> None:
    """On machines of its own, where the pools keep several at the fewest.

    Args:
        over_zones: in zones of its own too, as at first; later a zone may be full, or lost, and none waits for it.
    """
    if not _keeps_several(stage):
        _left_out(stage, check)
        return
    machines = _machines(stage)
    zones = {node["metadata"]["name"]: node["metadata"]["labels"].get(ZONE, "") for node in machines}
    together: list[str] = []
    for name in names:
        places = _places(stage, name)
        hosts, where = len(set(places)), {zones.get(place, "") for place in places}
        wanted = min(len(places), len(machines))
        if hosts < wanted or (over_zones and len(where) < min(wanted, len(set(zones.values())))):
            together.append(f"{shown(name)} on {', '.join(places)}")
    seen = "; ".join(together) or f"{len(names)} programs on {len(machines)} machines"
    stage.report.add(AREA, check, not together, seen)


def _left_out(stage: Stage, check: str) -> None:
    """Name a check that one machine cannot fail."""
    stage.report.not_judged.append(f"{check}: the pools keep one machine for it at the fewest")


def _ask_apart(stage: Stage, names: list[Name]) -> None:
    """What was seen may be luck, or the scheduler's defaults: the pods themselves ask for it, replicas too."""
    hard = _keeps_several(stage)
    asking = dict.fromkeys(names, hard)
    asking |= {(serving.NAMESPACE, variant.object_name): False for variant in stage.settings.fleet.variants}
    silent = [
        shown(name)
        for name, hard in asking.items()
        if not asks_apart(_live(stage, name)["spec"]["template"]["spec"], hard=hard)
    ]
    seen = f"not so: {', '.join(silent)}" if silent else f"{len(asking)} templates"
    stage.report.add(AREA, "pods ask for machines and zones apart, each rollout by itself", not silent, seen)


def asks_apart(pod: Mapping[str, Any], *, hard: bool) -> bool:
    """Whether pods of a template are kept apart, and not counted together with those that a rollout replaces.

    Args:
        hard: whether they must rather wait than share a machine.
    """
    spread = {
        each["topologyKey"]
        for each in pod.get("topologySpreadConstraints") or ()
        if _each_template(each)
        and not (hard and each["topologyKey"] == HOSTNAME and each["whenUnsatisfiable"] != "DoNotSchedule")
    }
    anti = (pod.get("affinity") or {}).get("podAntiAffinity") or {}
    required = anti.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    rather = [term["podAffinityTerm"] for term in anti.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
    terms = required if hard else (*required, *rather)
    return {HOSTNAME, ZONE} <= spread or any(
        each["topologyKey"] == HOSTNAME and _each_template(each) for each in terms
    )


def _each_template(asked: Mapping[str, Any]) -> bool:
    return set(EACH_TEMPLATE) <= set(asked.get("matchLabelKeys") or ())


def _in_order(stage: Stage, names: list[Name]) -> None:
    """By the numbers that the API server gave the pods when it admitted them."""
    first = {shown(name): _priorities(pods(stage, name)) for name in names}
    fleet = _priorities(stage.pods_of(f"app.kubernetes.io/name={serving.APP}", serving.NAMESPACE))
    warm = [
        each
        for name in stage.settings.fleet.services
        for each in _priorities(
            stage.pods_of(f"{serving.SERVICE_LABEL}={name},app.kubernetes.io/name=fleet-warm", serving.NAMESPACE)
        )
    ]
    low = min(fleet, default=0)
    late = [name for name, found in first.items() if min(found, default=0) <= low]
    wrong = [f"{name} not before the fleet" for name in late]
    wrong += ["replicas before nothing"] if fleet and low <= 0 else []
    wrong += ["what holds machines ready does not give way"] if warm and max(warm) >= 0 else []
    seen = "; ".join(wrong) or f"{min(min(found) for found in first.values())} > {low} > 0"
    stage.report.add(AREA, "what all services depend on goes before them", not wrong, seen)


def _priorities(found: list[dict[str, Any]]) -> list[int]:
    return [int(pod["spec"].get("priority") or 0) for pod in found]


def _lost(stage: Stage, names: list[Name]) -> None:
    """The machine that carries most of it fails: of everything that stood apart one is ready all the while."""
    check = "the loss of a machine takes nothing that all services depend on"
    places = {name: _places(stage, name) for name in names}
    machines = [node["metadata"]["name"] for node in _machines(stage)]
    if not _keeps_several(stage):
        _left_out(stage, check)
        return
    lost = max(machines, key=lambda machine: sum(machine in found for found in places.values()))
    with _gone(stage, names) as gone:
        stage.plane.nodes.remove([lost])
        took = stage.wait(lambda: all(_whole(stage, name) for name in names))
    missing = [shown(name) for name in names if not _whole(stage, name)]
    seen = (
        f"{lost} lost: {', '.join(sorted(gone))} had none left"
        if gone
        else f"{lost} lost: not whole again: {', '.join(missing)}"
        if took is None
        else f"{lost} lost; whole again {took:.0f} s later"
    )
    stage.report.add(AREA, check, took is not None and not gone, seen)


@contextmanager
def _gone(stage: Stage, names: list[Name]) -> Iterator[set[str]]:
    """Who had no ready pod at some moment of the block."""
    found: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            found.update(
                shown(name) for name in names if not (_live(stage, name).get("status") or {}).get("readyReplicas")
            )

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        stop.set()
        watcher.join()


def rolled(stage: Stage, names: list[Name]) -> None:
    """A rollout of each, one after another: it ends, one is ready all the while, and they stand apart again."""
    missing: list[str] = []
    began = time.monotonic()
    with _gone(stage, names) as gone:
        for name in names:
            _mark(stage, name, f"{time.time():.3f}")
            if stage.wait(lambda name=name: _whole(stage, name)) is None:
                missing.append(shown(name))
                break
    seen = (
        f"not whole: {', '.join(missing)}"
        if missing
        else f"{', '.join(sorted(gone))} had none left"
        if gone
        else f"{len(names)} programs in {time.monotonic() - began:.0f} s"
    )
    stage.report.add(AREA, "rollouts of what all services depend on finish", not missing and not gone, seen)
    if not missing:
        _apart(stage, names, "what all services depend on stands apart after a rollout")
    for name in names:
        _mark(stage, name, None)
        stage.wait(lambda name=name: _whole(stage, name))


def _mark(stage: Stage, name: Name, value: str | None) -> None:
    """Begin a rollout, as `kubectl rollout restart`; without a value, one back to the stack's own template."""
    annotations = {MANAGER_ANNOTATION: value}
    spec = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    stage.plane.client.patch("apps/v1", "Deployment", name[1], spec, name[0])


def every_drain(stage: Stage) -> None:
    """Each machine of the cluster is emptied in turn, as an upgrade of all does, and no budget holds it for ever."""
    names = essential(stage)
    # A zone that was lost before has taken machines of theirs.
    if stage.wait(lambda: all(_whole(stage, name) for name in names)) is None:
        short = [shown(name) for name in names if not _whole(stage, name)]
        stage.report.add(AREA, "every machine can be drained", False, f"not whole: {', '.join(short)}")
        return
    machines = _standing_machines(stage)
    stuck: list[str] = []
    slowest = 0.0
    with _gone(stage, names) as gone:
        for machine in machines:
            if machine not in _standing_machines(stage):
                continue  # empty for long enough, so that the node autoscaler took it away
            took = drain_of(stage, machine)
            uncordon(stage, [machine])  # upgraded, it takes pods again
            if took is None or stage.wait(lambda: all(_whole(stage, name) for name in names)) is None:
                left = [shown(name) for name in names if not _whole(stage, name)]
                stuck.append(f"{machine}{f', then {left[0]} is not whole' if took is not None and left else ''}")
                break
            slowest = max(slowest, took)
    stage.report.add(
        AREA,
        "every machine can be drained",
        not stuck and bool(machines),
        f"stuck: {stuck[0]}" if stuck else f"{len(machines)} machines, the slowest in {slowest:.0f} s",
    )
    stage.report.add(
        AREA,
        "drains leave one of what all services depend on",
        not gone,
        f"{', '.join(sorted(gone))} had none left" if gone else f"{len(names)} programs",
    )
    if not stuck:
        _apart(stage, names, "what all services depend on stands apart after all drains")


def _standing_machines(stage: Stage) -> list[str]:
    nodes = stage.plane.nodes
    return [machine for group in nodes.groups for machine in nodes.names(group.name)]


def _list(names: list[Name]) -> str:
    return ", ".join(name for _, name in names)
