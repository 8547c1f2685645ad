"""The real autoscaler follows a simulated load: ramp, steady, crowd, quiet; the course is sampled and judged."""

from __future__ import annotations

import contextlib
import copy
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from components.contracts import serving
from components.contracts.scaling import BUSY_WINDOW_SECONDS, replica_start_seconds
from ops.capacity.course import Sample
from ops.capacity.load import Fleet, Profile, Server, day
from ops.rehearse import agreement
from ops.rehearse.judging import Bounds, findings, longest_gap
from ops.rehearse.metrics import ADAPTER, PROMETHEUS, Chain, Tritons, chain, measured, scrapes_pass
from ops.rehearse.metrics import AREA as METRICS_AREA
from ops.rehearse.stage import Stage, is_ready

AREA: Final = "load"
SERVICE_SECONDS: Final = 0.4
"""How long a simulated request is worked on; only its ratio to the load matters."""
_LOOK_SECONDS: Final = 0.2
_SETTLE_SECONDS: Final = 240.0
"""Of the load's time: the measure's window, the autoscaler's looks, and two steps of it."""
FIRST_ANSWER_SECONDS: Final = 60.0
REDISCOVERY_SECONDS: Final = 60.0
"""How long the API server may leave a group of APIs out of its discovery, and out of the autoscaler's with it, once
nobody answered when it looked: it looks again each minute, of the wall's time (kube-aggregator,
`handler_discovery.go`, `wait.PollUntil(1*time.Minute, …)`, read 2026-11-22)."""


@dataclass
class Driver:
    """The simulated fleet behind the pods, moved on whenever somebody looks."""

    stage: Stage
    profile: Profile
    fleet: Fleet
    start_seconds: float
    """Of the load's time: from a pod's being placed until it serves."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    began: float | None = None
    _last: float = 0.0
    _placed: dict[str, float] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    @property
    def at(self) -> float:
        """The load's own time; before it begins, its first moment."""
        began = self.began
        return 0.0 if began is None else (time.monotonic() - began) * self.stage.tempo.factor

    def move(self) -> None:
        """Serve what has come since the last look; whoever calls holds the lock."""
        now = time.monotonic()
        passed, self._last = now - (self._last or now), now
        # Before the load begins nobody's requests wait for a first replica.
        if self.began is not None or self.fleet.replicas:
            self.fleet.serve(self.profile.rps(self.at), passed * self.stage.tempo.factor)

    def look(self, pods: list[dict[str, Any]]) -> dict[str, str]:
        """Let the pods that are ready for long enough serve; returns their addresses."""
        now, names = time.monotonic(), set()
        addresses: dict[str, str] = {}
        for pod in (pod for pod in pods if is_ready(pod)):
            name = pod["metadata"]["name"]
            # Those that were there before the load began have started long ago.
            first = self._placed.setdefault(name, now if self.began is not None else float("-inf"))
            if now - first >= self.stage.tempo.shorter(self.start_seconds):
                names.add(name)
                addresses[pod["status"]["podIP"]] = name
        with self.lock:
            self.move()
            self.fleet.ready(names)
        return addresses

    def start(self) -> None:
        """Begin the profile."""
        with self.lock:
            self.began = self._last = time.monotonic()


@contextlib.contextmanager
def compressed(stage: Stage) -> Iterator[None]:
    """The stack's own waits, compressed while the block runs, and put back after it."""
    client = stage.plane.client
    scaler, fleet = stage.one("HorizontalPodAutoscaler", stage.name), stage.one("Deployment", stage.name)
    changes: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
    if scaler is not None and scaler["spec"].get("behavior"):
        own = scaler["spec"]["behavior"]
        changes.append(
            ("autoscaling/v2", "HorizontalPodAutoscaler", {"behavior": stage.tempo.behavior(own)}, {"behavior": own})
        )
    if fleet is not None and fleet["spec"].get("minReadySeconds"):
        own = fleet["spec"]["minReadySeconds"]
        changes.append(
            ("apps/v1", "Deployment", {"minReadySeconds": stage.tempo.whole(own, 1)}, {"minReadySeconds": own})
        )
    try:
        for version, kind, changed, _ in changes:
            client.patch(version, kind, stage.name, {"spec": copy.deepcopy(changed)}, serving.NAMESPACE)
        yield
    finally:
        for version, kind, _, own in changes:
            with contextlib.suppress(UserError):
                client.patch(version, kind, stage.name, {"spec": copy.deepcopy(own)}, serving.NAMESPACE)


def follow(
    stage: Stage,
    folder: Path,
    seconds: tuple[float, float, float, float] | None = None,
    answer_seconds: float = FIRST_ANSWER_SECONDS,
) -> None:
    """Run the load with the chain of measures, and judge the course.

    Args:
        seconds: of the load's ramp, steady while, crowd and quiet; by the start time of a machine if left out.
        answer_seconds: within which each measure must arrive, of the wall's time.
    """
    variant, spec = stage.variant, stage.variant.spec
    server = Server(spec.scaling.requests_at_once, SERVICE_SECONDS)
    start = replica_start_seconds(spec.repository_gib)
    scaler = stage.one("HorizontalPodAutoscaler", stage.name)
    if scaler is None:
        stage.report.add(AREA, "the fleet has an autoscaler", False, "there is no HorizontalPodAutoscaler")
        return
    stage.scale(variant.min_replicas)
    if stage.wait(lambda: stage.settled(variant.min_replicas)) is None:
        stage.report.add(AREA, "the fleet is at its fewest replicas when the load begins", False, stage.why_not())
        return
    shrink = float(
        ((scaler["spec"].get("behavior") or {}).get("scaleDown") or {}).get("stabilizationWindowSeconds", 300)
    )
    follow_seconds = start + _SETTLE_SECONDS
    ramp, calm, rush, quiet = seconds or _seconds(follow_seconds, shrink)
    profile = day(
        server, spec.scaling.busy_percent, variant.min_replicas, variant.max_replicas, (ramp, calm, rush, quiet)
    )
    bounds = Bounds(
        variant.min_replicas,
        variant.max_replicas,
        spec.scaling.busy_percent,
        spec.scaling.pending_requests,
        follow_seconds,
        shrink,
    )
    driver = Driver(stage, profile, Fleet(server), start - stage.scaler.machine_seconds)
    tritons = Tritons(driver.fleet, scrapes_pass(stage), driver.move, stage.tempo.factor, lock=driver.lock)
    with _looking(stage, driver, tritons), chain(stage, tritons, folder) as running:
        if not _first_answer(stage, answer_seconds):
            return
        driver.start()
        with agreement.Watcher(stage).running() as watcher:
            samples = _sampled(stage, driver)
        for app in (ADAPTER, PROMETHEUS):
            _goes_on(stage, running, app, answer_seconds)
    stage.report.course = samples
    stage.report.unseen_seconds = longest_gap(samples)
    stage.report.phases = [(phase.name, begin) for phase, begin in profile.begins()]
    for finding in findings(samples, profile, server, bounds):
        stage.report.add(AREA, finding.name, finding.ok, finding.seen)
    _nodes(stage, samples)
    agreement.judge(stage, watcher.looks)


def _seconds(follow_seconds: float, shrink: float) -> tuple[float, float, float, float]:
    """Each phase as long as following takes, and a while of rest."""
    rest = 2 * BUSY_WINDOW_SECONDS + 300
    return (follow_seconds + rest, follow_seconds + 2 * rest, follow_seconds + rest, shrink + _SETTLE_SECONDS + rest)


@contextlib.contextmanager
def _looking(stage: Stage, driver: Driver, tritons: Tritons) -> Iterator[None]:
    """Keep the simulated fleet at the pods that there are."""
    stop = threading.Event()

    def loop() -> None:
        while True:
            with contextlib.suppress(UserError):  # told by whoever waits for the control plane
                tritons.addresses = driver.look(stage.pods())
            if stop.wait(_LOOK_SECONDS):
                return

    thread = threading.Thread(target=loop, name="tritons", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _first_answer(stage: Stage, patience: float) -> bool:
    """Whether the measures of every replica arrive at the metrics API, and so at the autoscaler."""
    found: dict[str, list[float]] = {}

    def complete() -> bool:
        found.update(measured(stage))
        return bool(found) and all(len(values) == len(stage.ready()) > 0 for values in found.values())

    took = stage.wait(complete, patience)
    counts = ", ".join(f"{name} of {len(values)}" for name, values in found.items()) or "no measure"
    seen = f"{counts} of {len(stage.ready())} replicas"
    stage.report.add(METRICS_AREA, "every measure of every replica reaches the autoscaler", took is not None, seen)
    if took is None:
        return False
    active = stage.wait(lambda: _active(stage), patience)
    stage.report.add(
        METRICS_AREA, "the autoscaler reads its measures", active is not None, _said(stage) or "ScalingActive"
    )
    return active is not None


def _goes_on(stage: Stage, running: Chain, app: str, patience: float) -> None:
    """One of two dies, and its pod goes: the measures of every replica still arrive."""
    lost = running.lose_one(app)
    name = f"scaling goes on when one {app} is lost"
    if lost is None:
        stage.report.add(METRICS_AREA, name, False, "there is one only")
        return
    found: dict[str, list[float]] = {}

    def complete() -> bool:
        found.update(measured(stage))
        ready = len(stage.ready())
        return bool(found) and all(len(values) == ready > 0 for values in found.values()) and _active(stage)

    took = stage.wait(complete, patience + REDISCOVERY_SECONDS)
    seen = (
        f"{lost} lost; every measure arrives {took:.1f} s later" if took is not None else _said(stage) or str(found)
    )
    stage.report.add(METRICS_AREA, name, took is not None, seen)


def _status(stage: Stage) -> Mapping[str, Any]:
    found = stage.plane.client.get("autoscaling/v2", "HorizontalPodAutoscaler", stage.name, serving.NAMESPACE) or {}
    return found.get("status") or {}


def _active(stage: Stage) -> bool:
    return any(c["type"] == "ScalingActive" and c["status"] == "True" for c in _status(stage).get("conditions") or ())


def _said(stage: Stage) -> str:
    conditions = _status(stage).get("conditions") or ()
    return "; ".join(c["message"] for c in conditions if c["type"] == "ScalingActive" and c["status"] != "True")


def _sampled(stage: Stage, driver: Driver) -> list[Sample]:
    samples: list[Sample] = []
    machines = stage.serving_nodes
    while driver.at < driver.profile.seconds:
        began = time.monotonic()
        stage.plane.check()
        if stage.scaler.error is not None:
            raise stage.scaler.error
        wanted = int(stage.deployment()["spec"].get("replicas") or 0)
        with driver.lock:
            driver.move()
            at, pending, ready = driver.at, driver.fleet.pending, len(driver.fleet.replicas)
        samples.append(
            Sample(round(at, 1), round(driver.profile.rps(at), 2), wanted, ready, len(machines()), round(pending, 1))
        )
        time.sleep(max(0.0, _LOOK_SECONDS - (time.monotonic() - began)))
    return samples


def _nodes(stage: Stage, samples: list[Sample]) -> None:
    """Machines came for the crowd, and never more than the pools may have."""
    keys = {dict(group.labels).get(serving.POOL_LABEL) for group in stage.serving_groups()}
    most = sum(pool.max_nodes for key, pool in stage.settings.pools.items() if key in keys)
    peak, first = max(s.nodes for s in samples), samples[0].nodes
    grew = peak > first or samples[0].wanted >= max(s.wanted for s in samples)
    stage.report.add(
        AREA, "machines follow the replicas", grew and peak <= most, f"{first} to {peak} of at most {most}"
    )
