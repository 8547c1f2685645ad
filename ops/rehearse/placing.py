"""Whether the fleet finds its place: at its fewest and its most replicas, from no GPU machine, through rollouts,
drains, and the loss of a zone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from components.contracts import serving
from localcloud.cluster import RefusedError
from ops.rehearse.stage import Stage, is_ready

AREA: Final = "placing"
_TOO_MANY_REQUESTS: Final = 429


def from_zero(stage: Stage) -> bool:
    """From no replica and no GPU machine (where the pools allow that) to the fewest; whether they were placed."""
    stage.scale(0)
    lowest = sum(group.min_nodes for group in stage.serving_groups())
    gone = stage.wait(lambda: not stage.pods() and len(stage.serving_nodes()) == lowest)
    stage.report.add(
        AREA,
        f"{stage.machines} go when no replica is left",
        gone is not None,
        f"{len(stage.serving_nodes())} {stage.machines} are left, of at least {lowest}",
    )
    return _reach(
        stage, stage.variant.min_replicas, f"from no {stage.machines.removesuffix('s')} to the fewest replicas"
    )


def at_most(stage: Stage) -> bool:
    """All replicas at once; whether they were placed."""
    return _reach(stage, stage.variant.max_replicas, "at the most replicas")


def at_least(stage: Stage) -> None:
    """Back to the fewest."""
    # Not judged for its spread: a ReplicaSet that shrinks keeps no eye on zones, and nothing moves pods back.
    _reach(stage, stage.variant.min_replicas, "back at the fewest replicas", spread=False)


def together(stages: Sequence[Stage]) -> None:
    """All variants of all services at their most replicas at once."""
    if len(stages) < 2:
        return
    for each in stages:
        each.scale(each.variant.max_replicas)
    took = stages[0].wait(lambda: all(each.settled(each.variant.max_replicas) for each in stages))
    missing = [each for each in stages if not each.settled(each.variant.max_replicas)]
    seen = (
        f"{', '.join(f'{each.name} {each.variant.max_replicas}' for each in stages)}"
        if took is not None
        else "; ".join(f"{each.name}: {each.why_not()}" for each in missing)
    )
    stages[0].report.add(AREA, "all services at their most replicas: every pod is placed", took is not None, seen)
    for each in stages:
        each.scale(each.variant.min_replicas)


@contextmanager
def alone(stage: Stage) -> Iterator[None]:
    """The others at no replica while the block runs, so that what is seen is this variant's."""
    others = [stage.on(each) for each in stage.settings.fleet.variants if each.object_name != stage.name]
    for each in others:
        each.scale(0)
    if others:
        stage.wait(lambda: not any(each.pods() for each in others))
    try:
        yield
    finally:
        for each in others:
            each.scale(each.variant.min_replicas)


def _reach(stage: Stage, replicas: int, name: str, *, spread: bool = True) -> bool:
    stage.scale(replicas)
    took = stage.wait(lambda: stage.settled(replicas))
    stage.report.add(
        AREA,
        f"{name}: every pod is placed",
        took is not None,
        f"{replicas} ready on {len(stage.serving_nodes())} {stage.machines}" if took is not None else stage.why_not(),
    )
    if took is not None and spread:
        _spread(stage, name)
    return took is not None


def _spread(stage: Stage, name: str) -> None:
    """Over as many zones as the pools have, as evenly as machines stand; a fleet of one is in one."""
    zones = stage.zones()
    count = Counter(zones.get(pod["spec"]["nodeName"], "") for pod in stage.pods())
    possible = {zone for group in stage.serving_groups() for zone in group.zones}
    wanted = min(len(possible), sum(count.values()))
    shown = ", ".join(f"{zone} {number}" for zone, number in sorted(count.items()))
    stage.report.add(AREA, f"{name}: spread over zones", len(possible) > 1 and len(count) >= wanted, shown)


def rollout(stage: Stage, replicas: int, name: str) -> None:
    """A new template at a steady number of replicas: it finishes, and serves with all of them throughout."""
    if not _brought_to(stage, replicas, f"a rollout {name} finishes"):
        return
    with _fewest_available(stage) as fewest:
        stage.restart()
        took = stage.wait(lambda: stage.settled(replicas))
    seen = f"{replicas} of {replicas} new in {took:.0f} s" if took is not None else stage.why_not()
    stage.report.add(AREA, f"a rollout {name} finishes", took is not None, seen)
    allowed = replicas - _unavailable_in_rollout(stage, replicas)
    kept = fewest.replicas >= allowed
    stage.report.add(AREA, f"a rollout {name} keeps its replicas", kept, fewest.seen(replicas, allowed))


def _brought_to(stage: Stage, replicas: int, name: str) -> bool:
    """Whether the fleet could be brought to where something begins."""
    stage.scale(replicas)
    if stage.wait(lambda: stage.settled(replicas)) is not None:
        return True
    return stage.report.add(AREA, name, False, f"it could not begin: {stage.why_not()}")


def _unavailable_in_rollout(stage: Stage, replicas: int) -> int:
    rolling = stage.deployment()["spec"].get("strategy", {}).get("rollingUpdate") or {}
    told = rolling.get("maxUnavailable", 0)
    return int(told) if not str(told).endswith("%") else replicas * int(str(told)[:-1]) // 100


@dataclass
class _Fewest:
    """The fewest replicas that were available, and where each was then."""

    replicas: int
    where: str = ""

    def seen(self, replicas: int, allowed: int) -> str:
        """As the report tells it; with the places where there were too few."""
        told = f"at least {self.replicas} of {replicas} available throughout"
        return told if self.replicas >= allowed else f"{told}; then {self.where}"


@contextmanager
def _fewest_available(stage: Stage) -> Iterator[_Fewest]:
    """The fewest available replicas while the block runs."""
    fewest, stop = _Fewest(len(stage.ready())), threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            status = stage.deployment().get("status") or {}
            available = int(status.get("availableReplicas", 0))
            if available < fewest.replicas:
                fewest.replicas, fewest.where = available, _where(stage)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield fewest
    finally:
        stop.set()
        watcher.join()


def _where(stage: Stage) -> str:
    """Each replica's machine, and what is wrong with either."""
    machines = {node["metadata"]["name"]: node for node in stage.plane.client.list("v1", "Node")}
    found: list[str] = []
    for pod in stage.pods():
        machine = pod["spec"].get("nodeName")
        node = machines.get(machine)
        state = "" if node and is_ready(node) else ", which is not ready" if node else ", which is gone"
        ready = "ready" if is_ready(pod) else "not ready"
        found.append(f"one {ready} on {machine}{state}" if machine else "one without a machine")
    return ", ".join(found) or "no pod"


def drains(stage: Stage, replicas: int, most: int = 3) -> None:
    """Machines are emptied one after another, as an upgrade does; the budget holds, and no drain waits for ever."""
    if not _brought_to(stage, replicas, "drains end"):
        return
    nodes = sorted({pod["spec"]["nodeName"] for pod in stage.ready()})[:most]
    system = [n for g in stage.plane.nodes.groups if not g.room.gpus for n in stage.plane.nodes.names(g.name)][:1]
    stuck: list[str] = []
    slowest = 0.0
    with _fewest_available(stage) as fewest:
        for node in (*nodes, *system):
            took = drain_of(stage, node)
            if took is None:
                stuck.append(node)
                break
            slowest = max(slowest, took)
            if stage.wait(lambda: stage.settled(replicas)) is None:
                stuck.append(f"after {node}: {stage.why_not()}")
                break
    uncordon(stage, (*nodes, *system))
    stage.report.add(
        AREA,
        "drains end",
        not stuck and bool(nodes),
        f"{len(nodes) + len(system)} machines, the slowest in {slowest:.0f} s" if not stuck else f"stuck: {stuck[0]}",
    )
    kept = fewest.replicas >= replicas - 1
    stage.report.add(AREA, "drains take one replica at a time", kept, fewest.seen(replicas, replicas - 1))


def uncordon(stage: Stage, nodes: Sequence[str]) -> None:
    """Let pods come to these machines again, as far as they are there still."""
    for node in nodes:
        stage.plane.nodes.cordon(node, False)


def drain_of(stage: Stage, node: str) -> float | None:
    """Cordon, and evict until nothing of a workload is left; seconds, or None if it did not end."""
    stage.plane.nodes.cordon(node, True)

    def empty() -> bool:
        pods = stage.plane.client.list("v1", "Pod", fields=f"spec.nodeName={node}")
        left = [pod for pod in pods if not _of_daemon(pod)]
        for pod in left:
            _evict(stage, pod)
        return not left

    return stage.wait(empty)


def _evict(stage: Stage, pod: dict[str, Any]) -> None:
    metadata = pod["metadata"]
    if metadata.get("deletionTimestamp"):
        return
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }
    path = stage.plane.client.resource("v1", "Pod").path(metadata["namespace"], metadata["name"], "eviction")
    try:
        stage.plane.client.request("POST", path, eviction)
    except RefusedError as error:
        if error.status not in (_TOO_MANY_REQUESTS, 404):  # the budget says "not yet"; or it has gone
            raise


def _of_daemon(pod: dict[str, Any]) -> bool:
    return any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or ())


def zone_loss(stage: Stage, replicas: int) -> None:
    """Every machine of the zone with most replicas goes, and none can be had there: the rest takes the fleet."""
    if not _brought_to(stage, replicas, "the loss of a zone leaves the fewest replicas running"):
        return
    zones = stage.zones()
    lost = Counter(zones.get(pod["spec"]["nodeName"], "") for pod in stage.pods()).most_common(1)
    zone = lost[0][0]
    before = len(stage.ready())
    stage.scaler.lost_zones.add(zone)
    stage.plane.nodes.remove([name for name, where in zones.items() if where == zone])
    took = stage.wait(lambda: stage.settled(replicas) and _outside(stage, zone))
    stage.scaler.lost_zones.discard(zone)
    seen = (
        f"{zone} lost with {lost[0][1]} of {before} replicas; {replicas} run elsewhere {took:.0f} s later"
        if took is not None
        else f"{zone} lost: {stage.why_not()}"
    )
    stage.report.add(AREA, "the loss of a zone leaves the fewest replicas running", took is not None, seen)


def _outside(stage: Stage, zone: str) -> bool:
    zones = stage.zones()
    return all(zones.get(pod["spec"].get("nodeName", "")) not in (None, zone) for pod in stage.pods())


def workloads(stage: Stage) -> None:
    """Everything beside the fleet that runs all the time is placed and ready too."""
    replicas = {(variant.object_name, serving.NAMESPACE) for variant in stage.settings.fleet.variants}
    own = [
        item
        for item in stage.of("Deployment")
        if (item["metadata"]["name"], item["metadata"]["namespace"]) not in replicas
    ]

    def missing() -> list[str]:
        found = []
        for item in own:
            name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
            live = stage.plane.client.get("apps/v1", "Deployment", name, namespace) or {}
            if (live.get("status") or {}).get("readyReplicas", 0) < (live.get("spec") or {}).get("replicas", 1):
                found.append(f"{namespace}/{name}")
        return found

    took = stage.wait(lambda: not missing())
    seen = ", ".join(item["metadata"]["name"] for item in own) if took is not None else f"not ready: {missing()}"
    stage.report.add(AREA, "what the cluster runs beside the fleet is placed", took is not None, seen)
