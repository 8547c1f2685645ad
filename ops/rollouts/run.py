"""Rollouts on a stage, under the load of clients: canary by Flagger, blue/green and rolling by what the stack lays.

Flagger looks no oftener than every ten seconds, whatever the interval says, but at once where an interval is new
(`GetAnalysisInterval`, `scheduleCanaries` of 1.36.1). So an exercise writes 10 s and 11 s in turn, which is all that
makes its time shorter.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from components.contracts import serving
from components.contracts.rollout_specs import BlueGreen
from components.contracts.services import STABLE
from components.kubernetes.rollouts.objects import FLAGGER_API, blue_green_routes
from components.kubernetes.routes import GATEWAY_API, http_route
from localcloud.cluster import RefusedError
from ops.rollouts import laid, releases
from ops.rollouts.clients import LEVEL, Clients, Connection, Counts
from ops.rollouts.record import Check, Moment, Record
from ops.rollouts.releases import Release
from ops.rollouts.stage import Stage, open_stage

TICK_SECONDS: Final = 1.0
"""Between two looks while nobody is judged."""
RATE: Final = 40.0
"""Requests a second."""
_PATIENCE_SECONDS: Final = 90.0
_AFTER_SECONDS: Final = 1.5
"""For which is looked whether all is as it was."""
_SAMPLE_SECONDS: Final = 0.1
_TELLING: Final = re.compile(r"^(Halt|Rolling back|Canary failed|Promotion completed|Metric query failed|Copying)")
_EXERCISE: Final = "exercise"
_ENDED: Final = {"Succeeded": "promoted", "Failed": "rolled back"}


@dataclass
class Exercise:
    """A service on the stage."""

    stage: Stage
    name: str
    replicas: int = 1
    _ticks: Iterator[int] = field(default_factory=itertools.count)
    _figures: dict[str, float] = field(default_factory=dict)
    """What Flagger showed last: it shows a figure until the next."""

    @contextlib.contextmanager
    def clients(self, rate: float = RATE) -> Iterator[Clients]:
        """Ask the service for the length of a block."""
        with Clients(self.stage.url(), self.stage.host(self.name), self.stage.ca, rate) as asking:
            yield asking

    # Canary

    def bring_up_canary(self) -> None:
        """Lay the service with its first release, and wait until Flagger has taken it over.

        Raises:
            UserError: not in time.
        """
        self._lay_all()
        release = self.release()
        with self._ticking() as tick:
            self.stage.wait(f"{self.name} is initialised", _PATIENCE_SECONDS, lambda: tick() == "Initialized")
        self.stage.wait(
            f"{self.name} is routed",
            _PATIENCE_SECONDS,
            lambda: self.serving() == {release: self.replicas} and self._answers(),
        )

    def _answers(self) -> bool:
        """Whether the door knows the service."""
        try:
            return bool(Connection(self.stage.url(), self.stage.host(self.name), self.stage.ca).label(LEVEL))
        except Exception:  # whatever a client library raises, it does not answer
            return False

    def release(self) -> str:
        """The release that the stack's settings pin at first."""
        return laid.released(self._deployment())

    def _lay_all(self) -> None:
        """Everything of the service, as the stack's plan has it."""
        stage = self.stage
        stage.routes += stage.planned.routes(self.name)
        stage.apply(*(laid.hastened(each) for each in stage.planned.of(self.name)))

    def ask_for(self, version: str) -> None:
        """Pin another release, as `pulumi up` does after the settings: the Deployment's pods are told to serve it."""
        self.stage.apply(laid.with_release(laid.hastened(self._deployment()), version))

    def _deployment(self) -> laid.Manifest:
        found = (each for each in self.stage.planned.of(self.name) if each["kind"] == "Deployment")
        return next(each for each in found if each["metadata"]["name"] == self.name)

    def roll_canary(
        self, old: str, new: Release, clients: Clients, *, when_split: Callable[[], None] | None = None
    ) -> Record:
        """Ask for the new release, and follow it to Flagger's verdict.

        Args:
            when_split: called once, as soon as the new release gets a share.
        """
        stage, record = self.stage, Record("canary", old, new.version, new.fault)
        mark = stage.flaggers.mark()
        before, began = clients.counts(), time.monotonic()
        self.ask_for(new.version)
        begun = False
        with self._ticking() as tick:
            while time.monotonic() < began + _PATIENCE_SECONDS:
                if stage.error is not None:
                    raise stage.error
                phase = tick()
                begun = begun or phase == "Progressing"
                self._note(record, time.monotonic() - began, phase)
                if when_split is not None and record.heaviest:
                    when_split()
                    when_split = None
                if begun and phase in _ENDED:
                    record.verdict = "promoted" if phase == "Succeeded" else "rolled back"
                    break
                time.sleep(_SAMPLE_SECONDS)
        record.seconds = round(time.monotonic() - began, 1)
        stage.catch_up(_PATIENCE_SECONDS)
        left = {new.version if record.verdict == "promoted" else old: self.replicas}
        stage.wait(f"{self.name} serves {min(left)} alone", _PATIENCE_SECONDS, lambda: self.serving() == left)
        record.reasons = list(_told(stage.flaggers.said(mark)))
        self._count(record, clients, before)
        return record

    def judge_nothing(self) -> None:
        """Have Flagger let every release through, as no setting can."""
        self._skip_analysis(True)

    def judge_again(self) -> None:
        """Undo it."""
        self._skip_analysis(False)

    def _skip_analysis(self, skips: bool) -> None:
        told = {"spec": {"skipAnalysis": skips}}
        self.stage.plane.client.patch(FLAGGER_API, "Canary", self.name, told, serving.NAMESPACE)

    def phase(self) -> str:
        """Flagger's word for where it is."""
        found = self.stage.plane.client.get(FLAGGER_API, "Canary", self.name, serving.NAMESPACE) or {}
        return str((found.get("status") or {}).get("phase") or "")

    def weights(self) -> dict[str, int]:
        """The shares that Flagger has written."""
        return self._weights_of(self.stage.plane.client.get(GATEWAY_API, "HTTPRoute", self.name, serving.NAMESPACE))

    def laid_weights(self) -> dict[str, int]:
        """Those that the door has."""
        found = (each for each in self.stage.laid if each["metadata"]["name"] == self.name)
        return self._weights_of(next(found, None))

    def _weights_of(self, route: Mapping[str, Any] | None) -> dict[str, int]:
        backends = route["spec"]["rules"][0]["backendRefs"] if route else []
        return {ref["name"].removeprefix(f"{self.name}-"): int(ref.get("weight", 1)) for ref in backends}

    def serving(self) -> dict[str, int]:
        """Release → ready replicas of the service; of a canary service those that Flagger holds for good."""
        mine = laid.held(self.name) if self.weights() else self.name
        ready = [r for r in self.stage.ready if r.labels.get("app.kubernetes.io/instance") == mine]
        return dict(Counter(replica.release for replica in ready))

    @contextlib.contextmanager
    def _ticking(self) -> Iterator[Callable[[], str]]:
        """Have Flagger look again and again for as long as the given function is called; it returns the phase.

        A check looks back over `laid.WINDOW_SECONDS`, in which the door has had the weights, and Prometheus has
        scraped all that answers: on a cluster that is a small part of a step, and the shortest step has six scrapes.
        """
        last = 0.0

        def tick() -> str:
            nonlocal last
            written = self.weights()
            judged = written.get("canary", 0) > 0
            since = max(last, self.stage.laid_at) if judged else last
            is_due = written == self.laid_weights() and time.monotonic() >= since + (
                laid.WINDOW_SECONDS if judged else TICK_SECONDS
            )
            if is_due and (not judged or self._is_scraped()):
                last = time.monotonic()
                interval = {"spec": {"analysis": {"interval": f"{10 + next(self._ticks) % 2}s"}}}
                with contextlib.suppress(RefusedError):  # Flagger has written it at the same moment
                    self.stage.plane.client.patch(FLAGGER_API, "Canary", self.name, interval, serving.NAMESPACE)
            return self.phase()

        yield tick

    def _is_scraped(self) -> bool:
        """Whether Prometheus knows enough for a judgement; one that is dead says no more by waiting."""
        seen = self.stage.prometheus.scrapes(laid.WINDOW_SECONDS)
        return seen is None or seen >= laid.SCRAPES_MIN

    def let_the_lock_run_out(self) -> None:
        """Take a dead leader's lock away, once the minute for which it holds is over as the exercise counts time.

        Who leads next judges at once (`CanaryJob.Start` of 1.36.1): after a minute at this share, here after the
        window which stands for it.
        """
        stage = self.stage
        stage.wait(
            "the share is a minute old",
            _PATIENCE_SECONDS,
            lambda: (
                self.weights() == self.laid_weights()
                and time.monotonic() >= stage.laid_at + laid.WINDOW_SECONDS
                and self._is_scraped()
            ),
        )
        stage.flaggers.take_the_lock_away()

    def _note(self, record: Record, at: float, phase: str) -> None:
        weights = self.weights()
        if not record.moments or (record.moments[-1].weights, record.moments[-1].phase) != (weights, phase):
            record.moments.append(Moment(round(at, 2), weights, phase))
        for name, value in self.stage.flaggers.figures(self.name).items():
            if self._figures.get(name) != value:
                self._figures[name] = value
                record.checks.append(Check(round(at, 2), name, value))

    # Blue/green and rolling

    def bring_up(self) -> None:
        """Lay the service with its first release, and its challengers.

        Raises:
            UserError: not in time.
        """
        self._lay_all()
        found = [each for each in self.stage.planned.of(self.name) if each["kind"] == "Deployment"]
        wanted = Counter(laid.released(each) for each in found)
        self.stage.wait(
            f"{self.name} is ready",
            _PATIENCE_SECONDS,
            lambda: self.serving() == {v: n * self.replicas for v, n in wanted.items()} and self._answers(),
        )

    def route(self, routes: Any) -> None:
        """Lay the service's route, in the place of the one before."""
        others = [
            each
            for each in self.stage.routes
            if (each["kind"], each["metadata"]["name"]) != ("HTTPRoute", routes.service)
        ]
        self.stage.routes = [*others, http_route(routes, self.stage.door_spec.domain)]

    def switch(self, live: str, clients: Clients, *, old: str, new: Release) -> Record:
        """Send all requests to the colour `live` by one change of the route, and see who answers."""
        record = Record("blue-green", old, new.version, new.fault)
        before, began = clients.counts(), time.monotonic()
        asked = BlueGreen(live=live)
        self.route(blue_green_routes(self.name, asked))
        self.stage.catch_up(_PATIENCE_SECONDS)
        record.moments.append(Moment(0.0, {STABLE: 100 * (live == STABLE), asked.second: 100 * (live != STABLE)}))
        record.verdict, record.seconds = "promoted", round(time.monotonic() - began, 1)
        self._count(record, clients, before)
        return record

    def roll(self, old: str, new: Release, clients: Clients) -> Record:
        """Change the release of the one set of replicas, and wait until all of them serve it."""
        record = Record("rolling", old, new.version, new.fault)
        before, began = clients.counts(), time.monotonic()
        self.ask_for(new.version)
        self.stage.wait(
            f"{self.name} serves {new.version}",
            _PATIENCE_SECONDS,
            lambda: self._sampled(record, began) == {new.version: self.replicas},
        )
        record.verdict, record.seconds = "promoted", round(time.monotonic() - began, 1)
        self._count(record, clients, before)
        return record

    def _sampled(self, record: Record, began: float) -> Mapping[str, int]:
        ready = self.serving()
        if not record.moments or record.moments[-1].weights != ready:
            record.moments.append(Moment(round(time.monotonic() - began, 2), ready))
        return ready

    def _count(self, record: Record, clients: Clients, before: Counts) -> None:
        at_verdict = clients.counts()
        during = at_verdict.since(before)
        record.requests, record.failed, record.wrong = during.asked, during.failed, during.wrong
        record.why_failed = dict(during.reasons)
        time.sleep(_AFTER_SECONDS)
        after = clients.counts().since(at_verdict)
        record.after_requests, record.after_failed, record.after_wrong = after.asked, after.failed, after.wrong
        record.serving = self.serving()


def _told(log: str) -> Iterator[str]:
    """What Flagger said that matters, each once in a row."""
    last = ""
    for line in log.splitlines():
        with contextlib.suppress(ValueError):
            message = str(json.loads(line).get("msg") or "")
            if _TELLING.match(message) and message != last:
                last = message
                yield message


def take_back(folder: Path, steps: Steps) -> Record:
    """Roll a bad release out to a service under load, and have it taken back: the whole exercise, once.

    Args:
        folder: an empty one for the releases.

    Raises:
        UserError: a program cannot be had, or does not do its part.
    """
    old, bad = releases.sound("1.0.0"), releases.failing("1.0.1")
    repositories = {each.version: releases.write(each, folder) for each in (old, bad)}
    services = {_EXERCISE: laid.canary_service(old.version)}
    with open_stage(repositories, services, steps=steps) as stage:
        exercise = Exercise(stage, _EXERCISE)
        with steps.step("bring a canary service up"):
            exercise.bring_up_canary()
        with exercise.clients() as asking, steps.step("release something bad"):
            return exercise.roll_canary(old.version, bad, asking)
