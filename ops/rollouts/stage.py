"""Everything that a rollout needs, on this machine: the real control plane, Flagger, door, Prometheus, Tritons.

Flagger steps the weights of an HTTPRoute on the API server; what it writes is laid at the door as it is; Envoy splits
real requests between real Tritons; Prometheus scrapes both; Flagger judges by that. What is laid is a stack's plan;
Flagger runs in as many replicas as it says, under the account that it gives it.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from common.errors import UserError
from components.contracts import serving
from components.contracts.door import DoorSpec
from components.kubernetes.gateway.objects import Exposure, door_objects
from components.kubernetes.rollouts.objects import FLAGGER_API
from components.kubernetes.routes import GATEWAY_API
from localcloud.cluster import (
    ControlPlane,
    Pace,
    control_plane,
    definitions,
    ensure_flagger,
)
from localcloud.front import ensure_serving_environment
from localcloud.gateway import Door, open_gateway
from ops.rollouts import laid
from ops.rollouts.flaggers import Flaggers
from ops.rollouts.measuring import Prometheus, prometheus
from ops.rollouts.pods import Pods, Replica, ports
from ops.rollouts.tls import door_secret

MINOR: Final = "1.35"
"""Of the control plane: what the stacks run."""
_ROUTES: Final = ("HTTPRoute", "GRPCRoute")
_LOOK_SECONDS: Final = 0.15
_NEVER_BY_ITSELF: Final = 3600.0
"""Pods of Triton are ready when their Triton is."""


@dataclass
class Stage:
    """What runs; made by `open_stage`."""

    plane: ControlPlane
    door: Door
    prometheus: Prometheus
    pods: Pods
    door_spec: DoorSpec
    ca: Path
    planned: laid.Planned
    flaggers: Flaggers
    routes: list[Mapping[str, Any]] = field(default_factory=list)
    """Routes and policies of the stack; Flagger's are read from the API server."""
    ready: Sequence[Replica] = ()
    """Who gets requests, as far as a route sends them any."""
    laid: Sequence[Mapping[str, Any]] = ()
    """Flagger's routes that the door has, as they were read."""
    laid_at: float = 0.0
    """Since when, by the monotonic clock."""
    error: BaseException | None = None
    _static: Sequence[Mapping[str, Any]] = ()
    _turns: int = 0
    _laid: str = ""
    _backends: dict[tuple[str, str], list[tuple[str, int, int]]] = field(default_factory=dict)

    def follow(self) -> None:
        """Bring the door, Prometheus and the Tritons to what the API server says."""
        ready = self.pods.look()
        services = self.plane.client.list("v1", "Service", serving.NAMESPACE)
        live = self.plane.client.list(GATEWAY_API, "HTTPRoute", serving.NAMESPACE)
        backends = {
            (serving.NAMESPACE, each["metadata"]["name"]): sorted(
                ports(replica) for replica in ready if _selects(each["spec"].get("selector") or {}, replica.labels)
            )
            for each in services
        }
        known = _complete([*self._static, *self.routes, *map(_plain, live)], {name for _, name in backends})
        now = json.dumps(known, sort_keys=True)
        if now != self._laid:
            # First the routes, with all that is still there: who is taken out of a route goes after it.
            both = {key: sorted({*pods, *self._backends.get(key, ())}) for key, pods in backends.items()}
            self.door.update(known, both)
            self._laid, self._backends = now, both
            self.laid, self.laid_at = tuple(live), time.monotonic()
        if backends != self._backends:
            self.door.update(known, backends)
            self._backends = backends
        self.ready = ready
        self.pods.settle(ready)
        self.prometheus.watch(self.door.admin.url, {r.name: r.server.result().metrics_url for r in ready})
        self._turns += 1

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        """Lay objects on the API server, as the engine does."""
        for manifest in manifests:
            self.plane.client.apply(manifest)

    def host(self, service: str) -> str:
        """By which clients ask the service."""
        return f"{service}.{self.door_spec.domain}"

    def url(self) -> str:
        """Of the door."""
        return self.door.http_url

    def catch_up(self, seconds: float) -> None:
        """Wait until what the API server says now is at the door.

        Raises:
            UserError: not in time, or a part has died.
        """
        after = self._turns + 2  # the one that runs now may have read before
        self.wait("the door follows", seconds, lambda: self._turns >= after)

    def wait(self, what: str, seconds: float, is_so: Any) -> None:
        """Wait until `is_so`.

        Raises:
            UserError: not in time, or a part has died.
        """

        def checked() -> bool:
            if self.error is not None:
                raise self.error
            return is_so()

        try:
            self.plane.wait_until(what, seconds, checked)
        except UserError as error:
            raise UserError(
                f"{error.what}; Flagger: {self.flaggers.last_words()}", error.where, error.remedy
            ) from None


@contextlib.contextmanager
def open_stage(
    repositories: Mapping[str, Path], services: Mapping[str, Mapping[str, Any]], *, steps: Steps | None = None
) -> Iterator[Stage]:
    """Start all of it, and stop it after the block; no service is there yet.

    Args:
        repositories: release → the folder of its models.
        services: the stack's, by name, as its settings have them.

    Raises:
        UserError: a program cannot be had or does not start.
    """
    steps = steps or Steps()
    flagger, python = ensure_flagger(steps), ensure_serving_environment(steps)
    wanted = [*definitions("flagger", steps), *(d for d in definitions("envoy-gateway", steps) if _is_route(d))]
    pace = Pace(app_ready_seconds={"triton": _NEVER_BY_ITSELF})
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as own_door:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-rollout-")))
        with steps.step("Plan the stack"):
            planned = laid.planned(services, folder)
        asked = planned.settings.fleet.door
        made = door_objects(asked, envoy_image="local/envoy", exposure=Exposure(), apart=planned.settings.apart)
        own = [_hasty(each) for each in made]
        secret = door_secret(asked.domain, folder / "ca.pem")
        static = [*own, secret]
        measures = stack.enter_context(prometheus(folder / "prometheus"))

        def start_plane() -> ControlPlane:
            started = stack.enter_context(control_plane(MINOR, planned.machines(), pace=pace, steps=steps))
            _prepare(started, wanted, planned)
            return started

        # Both take seconds. The door is opened by this thread, which may have to wait for another's to close.
        with ThreadPoolExecutor(1, thread_name_prefix="plane") as aside:
            starting = aside.submit(start_plane)
            door = own_door.enter_context(open_gateway(static, {}, log=folder / "door.log", steps=steps))
            plane = starting.result()
        stack.enter_context(own_door)
        pods = Pods(plane, repositories, python, folder)
        stack.callback(pods.stop)
        flaggers = Flaggers(plane, flagger, planned.release(), measures.url, folder)
        stack.enter_context(flaggers.running())
        stage = Stage(plane, door, measures, pods, asked, folder / "ca.pem", planned, flaggers, _static=static)
        with _following(stage):
            yield stage


def _prepare(plane: ControlPlane, wanted: Sequence[Mapping[str, Any]], planned: laid.Planned) -> None:
    for definition in wanted:
        plane.client.apply(definition)
    for item in planned.foundation():
        plane.client.apply(item)
    for version, kind in ((FLAGGER_API, "Canary"), (FLAGGER_API, "MetricTemplate"), (GATEWAY_API, "HTTPRoute")):
        plane.wait_until(f"{kind} is served", 30, lambda v=version, k=kind: _is_served(plane, v, k))


def _is_served(plane: ControlPlane, version: str, kind: str) -> bool:
    try:
        return plane.client.list(version, kind, serving.NAMESPACE) is not None
    except Exception:  # not yet
        return False


@contextlib.contextmanager
def _following(stage: Stage) -> Iterator[None]:
    stopping = threading.Event()

    def run() -> None:
        while not stopping.wait(_LOOK_SECONDS):
            try:
                stage.follow()
            except BaseException as error:  # told to whoever waits
                stage.error = error
                return

    thread = threading.Thread(target=run, name="following", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _hasty(item: Mapping[str, Any]) -> dict[str, Any]:
    """Envoy adds up its times every five seconds, which is longer than an exercise looks."""
    if item["kind"] != "EnvoyProxy":
        return dict(item)
    patch = {"op": "add", "path": "/stats_flush_interval", "value": "0.5s"}
    return {**item, "spec": {**item["spec"], "bootstrap": {"type": "JSONPatch", "jsonPatches": [patch]}}}


def _selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: item["metadata"][key] for key in ("name", "namespace") if key in item["metadata"]}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": told, "spec": item["spec"]}


def _complete(objects: Sequence[Mapping[str, Any]], services: set[str]) -> list[Mapping[str, Any]]:
    """Without routes whose Services are not there yet, and without policies of such a route."""

    def has_services(item: Mapping[str, Any]) -> bool:
        rules = item["spec"].get("rules") or () if item["kind"] in _ROUTES else ()
        return all(ref["name"] in services for rule in rules for ref in rule.get("backendRefs") or ())

    routes = [each for each in objects if each["kind"] in _ROUTES and has_services(each)]
    known = {(each["kind"], each["metadata"]["name"]) for each in routes}

    def has_targets(item: Mapping[str, Any]) -> bool:
        targets = item.get("spec", {}).get("targetRefs") or ()
        return all(t["kind"] not in _ROUTES or (t["kind"], t["name"]) in known for t in targets)

    return [*(each for each in objects if each["kind"] not in _ROUTES and has_targets(each)), *routes]


def _is_route(definition: Mapping[str, Any]) -> bool:
    return definition["spec"]["names"]["kind"] in ("HTTPRoute", "GRPCRoute", "BackendTrafficPolicy")
