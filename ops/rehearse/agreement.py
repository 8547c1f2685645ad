"""Whether the calculation of `seawall capacity` asks for what the real autoscaler asked for, look by look.

What the controller saw is read from its own status: the replicas before, its measures' averages, and what it asked
for. The calculation is given the same, with the controller's own spec, and keeps its own windows.
"""

from __future__ import annotations

import contextlib
import copy
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from common.errors import UserError
from components.contracts import serving
from localcloud.cluster import RefusedError
from ops.capacity.autoscaler import SYNC_SECONDS, Autoscaler, Seen, Spec, milli
from ops.rehearse.model import Table, text_table
from ops.rehearse.stage import Stage

NAME: Final = "the autoscaler asks for what its calculation does"
ALIKE_LEAST: Final = 0.9
"""The part of looks that must be alike. The rest are a look apart: a window's edge, or a pod that was counted just
before or after, of which this machine's timing decides."""
APART_MOST: Final = 2
"""Looks that may be further apart: a machine too busy to read the status in time sees what was there later."""
LOOKS_LEAST: Final = 20
_POLL_SECONDS: Final = 0.08
_VERSION: Final = "autoscaling/v2"
_KIND: Final = "HorizontalPodAutoscaler"


@dataclass(frozen=True)
class Look:
    """One look of the real autoscaler."""

    at: float
    """Seconds of the wall's time."""
    replicas: int
    asked: int
    seen: Mapping[str, Seen]
    unread_seconds: float = 0.0
    """How long the status was not read before: what stood there meanwhile, and when, nobody knows."""


@dataclass(frozen=True)
class Agreement:
    """Each look with what the calculation asks for there.

    Args:
        looks: those that were read in time.
    """

    looks: Sequence[Look]
    calculated: Sequence[int]
    apart: Sequence[int]
    """Looks at which they differ, and by more than a look: neither does the real one ask for the calculated number at
    the next, nor would the calculation ask for the real one's there."""
    unread: int = 0
    """Looks that were read too late to say what the real one saw, and when."""

    @property
    def alike(self) -> int:
        """Looks at which both ask for the same."""
        return sum(look.asked == mine for look, mine in zip(self.looks, self.calculated, strict=True))

    @property
    def moves(self) -> int:
        """Looks at which the real one changed something."""
        return sum(look.asked != look.replicas for look in self.looks)

    @property
    def ok(self) -> bool:
        """Whether they agree, over enough looks to say so."""
        enough = len(self.looks) >= LOOKS_LEAST and self.alike >= ALIKE_LEAST * len(self.looks)
        return enough and len(self.apart) <= APART_MOST

    def said(self) -> str:
        """In one line."""
        line = f"{self.alike} of {len(self.looks)} looks alike, {self.moves} of them moves"
        line += f"; {self.unread} more were read too late" if self.unread else ""
        if self.apart:
            first = self.apart[0]
            look = self.looks[first]
            line += (
                f"; {len(self.apart)} more than a look apart, the first at {look.at:.1f} s: {look.replicas} → "
                f"{look.asked}, calculated {self.calculated[first]} from {dict(look.seen)}"
            )
        return line


def compare(spec: Spec, looks: Sequence[Look], sync_seconds: float) -> Agreement:
    """Replay the looks, with the real one's moves.

    Where its status did not change, the real one saw the same as before, or was too busy to look: it is replayed both
    ways, and a number between theirs is what the calculation asks for too. (Having looked more often only ever holds
    an autoscaler nearer to what it has.)
    """
    busy, idle = Autoscaler(spec), Autoscaler(spec)
    judged: list[Look] = []
    calculated: list[int] = []
    apart: list[int] = []
    for number, look in enumerate(looks):
        if number:
            _repeat(busy, looks[number - 1], look, sync_seconds)
        mine, other = (scaler.wanted(look.at, look.replicas, look.seen) for scaler in (busy, idle))
        between = min(mine, other) <= look.asked <= max(mine, other)
        if look.unread_seconds <= sync_seconds:
            if not between and not _a_look_apart(busy, look, mine, looks[number + 1 : number + 2]):
                apart.append(len(judged))
            judged.append(look)
            calculated.append(look.asked if between else mine)
        for scaler in (busy, idle):
            scaler.moved(look.at, look.replicas, look.asked)
    return Agreement(judged, calculated, apart, len(looks) - len(judged))


def _repeat(scaler: Autoscaler, before: Look, look: Look, sync_seconds: float) -> None:
    again = before.at + sync_seconds
    while again < look.at - 0.6 * sync_seconds:
        scaler.wanted(again, look.replicas, before.seen)
        again += sync_seconds


def _a_look_apart(scaler: Autoscaler, look: Look, mine: int, following: Sequence[Look]) -> bool:
    for after in following:
        early = look.asked == look.replicas and after.asked == mine
        late = mine == look.replicas and copy.deepcopy(scaler).wanted(after.at, look.replicas, after.seen)
        return early or late == look.asked
    return True  # the last look: nobody knows what came after it


@dataclass
class Watcher:
    """Writes down what the real autoscaler sees and asks for; `running` makes it look in the background."""

    stage: Stage
    looks: list[Look] = field(default_factory=list)
    _version: str = ""
    _read_at: float | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Watcher]:
        """Look until the block ends."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.wait(_POLL_SECONDS):
                with contextlib.suppress(UserError, RefusedError):  # told by whoever waits for the control plane
                    self.look()

        thread = threading.Thread(target=loop, name="agreement", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()

    def look(self) -> None:
        """Note the autoscaler's status if it is a new one."""
        found = self.stage.plane.client.get(_VERSION, _KIND, self.stage.name, serving.NAMESPACE)
        at = time.monotonic()
        unread_seconds, self._read_at = at - (at if self._read_at is None else self._read_at), at
        if found is None or found["metadata"]["resourceVersion"] == self._version:
            return
        self._version = found["metadata"]["resourceVersion"]
        status = found.get("status") or {}
        averages = averages_of(status)
        if averages:
            phases = {pod["metadata"]["name"]: pod["status"].get("phase", "Pending") for pod in self.stage.pods()}
            names = {name: self._measured(name) for name in averages}
            replicas, asked = int(status["currentReplicas"]), int(status["desiredReplicas"])
            seen = {
                name: before_move(seen_of(average, names[name], phases), replicas, asked)
                for name, average in averages.items()
            }
            self.looks.append(Look(at, replicas, asked, seen, unread_seconds))

    def _measured(self, metric: str) -> set[str]:
        path = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{serving.NAMESPACE}/pods/*/{metric}"
        items = self.stage.plane.client.request("GET", path).object.get("items") or ()
        return {item["describedObject"]["name"] for item in items}


def averages_of(status: Mapping[str, Any]) -> dict[str, int]:
    """Measure → its average over the pods that have it, in thousandths, as the controller wrote it."""
    found = {}
    for metric in status.get("currentMetrics") or ():
        pods = metric.get("pods") or {}
        if (pods.get("current") or {}).get("averageValue") is not None:
            found[pods["metric"]["name"]] = milli(pods["current"]["averageValue"])
    return found


def seen_of(average: int, measured: set[str], phases: Mapping[str, str]) -> Seen:
    """What the controller saw of a measure; it keeps the average alone, so each pod is given that.

    Args:
        phases: of the pods that are not on their way out.
    """
    waiting = sum(phase == "Pending" for phase in phases.values())
    running = {name for name, phase in phases.items() if phase == "Running"}
    values = len(running & measured)
    return Seen([average] * values, len(running) - values, waiting)


def before_move(seen: Seen, replicas: int, asked: int) -> Seen:
    """What was there when the controller moved: pods are counted a moment later, when new ones may be there already,
    or old ones on their way out."""
    more = len(seen.values) + seen.missing + seen.waiting - replicas
    if asked > replicas and more > 0:
        unplaced = min(more, seen.waiting)
        return Seen(seen.values, max(0, seen.missing - (more - unplaced)), seen.waiting - unplaced)
    if asked < replicas and more < 0 and seen.values:
        return Seen([*seen.values, *[seen.values[0]] * -more], seen.missing, seen.waiting)
    return seen


def judge(stage: Stage, looks: Sequence[Look]) -> None:
    """Compare, and write down both numbers of each look."""
    live = stage.plane.client.get(_VERSION, _KIND, stage.name, serving.NAMESPACE)
    if live is None:
        stage.report.add("load", NAME, False, "there is no HorizontalPodAutoscaler")
        return
    found = compare(Spec.of(live["spec"]), looks, stage.tempo.shorter(SYNC_SECONDS))
    rows = [
        (f"{look.at - looks[0].at:.2f}", str(look.replicas), _shown(look), str(look.asked), str(mine))
        for look, mine in zip(found.looks, found.calculated, strict=True)
    ]
    head = ("second", "replicas", "measures", "asked", "calculated")
    stage.report.tables.append(Table("Autoscaler", *text_table(head, rows)))
    stage.report.add("load", NAME, found.ok, found.said())


def _shown(look: Look) -> str:
    return "; ".join(
        f"{name} {seen.values[0] if seen.values else '-'}m of {len(seen.values)}, {seen.missing} without, "
        f"{seen.waiting} pending"
        for name, seen in look.seen.items()
    )
