"""Kubernetes' horizontal autoscaler in small, for fleets that are simulated in no time.

After `horizontal.go` and `replica_calculator.go` of Kubernetes 1.35.4 (read 2026-11-21): ratio, tolerance, pending
pods, stabilization windows and policies. A rehearsal asks the real one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.contracts.scaling import AUTOSCALER_TOLERANCE, BUSY_WINDOW_SECONDS
from components.contracts.serving import BUSY_REQUESTS_METRIC, PENDING_REQUESTS_METRIC
from ops.rehearse.judging import Sample
from ops.rehearse.load import Fleet, Profile

SYNC_SECONDS = 15
STEP_SECONDS = 1


def milli(quantity: str) -> float:
    """A quantity as the API server writes it."""
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


@dataclass
class Autoscaler:
    """The decisions of one HorizontalPodAutoscaler's spec."""

    spec: Mapping[str, Any]
    _wishes: deque[tuple[float, int]] = field(default_factory=deque)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, replicas: int, ready: Mapping[str, Mapping[str, float]]) -> int:
        """Args: ready: each ready pod's measures by name."""
        wish = max(self._wish(metric["pods"], replicas, ready) for metric in self.spec["metrics"])
        wish = min(max(wish, self.spec["minReplicas"]), self.spec["maxReplicas"])
        behavior = self.spec["behavior"]
        up, down = behavior["scaleUp"], behavior["scaleDown"]
        self._wishes.append((now, wish))
        lowest = min(self._within(now, up["stabilizationWindowSeconds"]), default=wish)
        highest = max(self._within(now, down["stabilizationWindowSeconds"]), default=wish)
        wish = min(max(replicas, lowest), max(highest, min(replicas, lowest)))
        if wish > replicas:
            wish = min(wish, max(self._limit(now, replicas, p, +1) for p in up["policies"]))
        elif wish < replicas:
            wish = max(wish, min(self._limit(now, replicas, p, -1) for p in down["policies"]))
        if wish != replicas:
            self._changes.append((now, wish - replicas))
        return wish

    def _within(self, now: float, seconds: float) -> list[int]:
        return [wish for at, wish in self._wishes if at >= now - seconds]

    def _wish(self, pods: Mapping[str, Any], replicas: int, ready: Mapping[str, Mapping[str, float]]) -> int:
        target = milli(pods["target"]["averageValue"])
        values = [measures[pods["metric"]["name"]] for measures in ready.values()]
        if not values:
            return replicas
        ratio = sum(values) / len(values) / target
        starting = replicas - len(values)
        if starting > 0 and ratio > 1:
            again = sum(values) / replicas / target  # pending pods count as idle on the way up alone
            if again < 1 or abs(again - 1) <= AUTOSCALER_TOLERANCE:
                return replicas
            return math.ceil(again * replicas)
        if abs(ratio - 1) <= AUTOSCALER_TOLERANCE:
            return replicas
        return math.ceil(ratio * len(values))

    def _limit(self, now: float, replicas: int, policy: Mapping[str, Any], sign: int) -> int:
        inside = [by for at, by in self._changes if at > now - policy["periodSeconds"] and by * sign > 0]
        start = replicas - sum(inside)
        by = int(policy["value"]) if policy["type"] == "Pods" else math.ceil(start * policy["value"] / 100)
        return start + sign * by


def simulate(
    spec: Mapping[str, Any],
    profile: Profile,
    fleet: Fleet,
    *,
    start_seconds: float,
) -> Sequence[Sample]:
    """The course of a fleet whose replicas serve `start_seconds` after they are asked for."""
    scaler, wanted, samples = Autoscaler(spec), int(spec["minReplicas"]), []
    born = {f"r{n}": -start_seconds for n in range(wanted)}
    history: dict[str, deque[float]] = {}
    number = wanted
    for tick in range(round(profile.seconds / STEP_SECONDS)):
        now = tick * STEP_SECONDS
        serving_now = [name for name, at in born.items() if now >= at + start_seconds]
        fleet.ready(serving_now)
        fleet.serve(profile.rps(now), STEP_SECONDS)
        for name in serving_now:
            seen = history.setdefault(name, deque(maxlen=BUSY_WINDOW_SECONDS + 1))
            seen.append(fleet.replicas[name].busy_us)
        if now % SYNC_SECONDS == 0:
            measured = {
                name: {
                    PENDING_REQUESTS_METRIC: fleet.replicas[name].pending,
                    BUSY_REQUESTS_METRIC: _rate(history[name]) / 1e6,
                }
                for name in serving_now
            }
            wanted = scaler.decide(now, wanted, measured)
            while len(born) < wanted:
                born[f"r{number}"] = now
                number += 1
            for name in sorted(born, key=lambda n: -born[n])[: max(0, len(born) - wanted)]:
                del born[name]
        samples.append(Sample(now, profile.rps(now), wanted, len(serving_now), 0, fleet.pending))
    return samples


def _rate(seen: Sequence[float]) -> float:
    return (seen[-1] - seen[0]) / ((len(seen) - 1) * STEP_SECONDS) if len(seen) > 1 else 0.0
