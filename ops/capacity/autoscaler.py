"""Kubernetes' horizontal autoscaler as a calculation: what it asks for at each look, from what it sees.

After `horizontal.go` and `replica_calculator.go` of Kubernetes 1.35.4 (pkg/controller/podautoscaler, read
2026-11-21): ratio and tolerance, pods that wait and pods without a measure, several measures, stabilization windows
and policies. A rehearsal under load asks the real one, and compares (`ops.rehearse.agreement`).

Not here: measures of other kinds than `Pods`, which no stack has; they are refused. So the periods of initial
readiness, which Kubernetes applies to CPU alone, play no part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from common.errors import UserError
from components.contracts.scaling import AUTOSCALER_TOLERANCE

SYNC_SECONDS: Final = 15.0
"""How often the autoscaler looks: `--horizontal-pod-autoscaler-sync-period`'s default, as on EKS and GKE."""
_SHRINK_WINDOW_SECONDS: Final = 300
"""Of a scaler that names none: `--horizontal-pod-autoscaler-downscale-stabilization`'s default."""


@dataclass(frozen=True)
class Seen:
    """One measure at one look.

    Args:
        values: of each running pod that has one, in thousandths.
        missing: running pods without one, as a server that still loads.
        waiting: pods in phase Pending: without a machine, or their init containers not done.
    """

    values: Sequence[int]
    missing: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Policy:
    """A step that is allowed in a period."""

    kind: Literal["Pods", "Percent"]
    value: int
    period_seconds: float


@dataclass(frozen=True)
class Rules:
    """One direction's behaviour."""

    window_seconds: float
    policies: tuple[Policy, ...]
    select: Literal["Max", "Min", "Disabled"]
    tolerance: float


@dataclass(frozen=True)
class Spec:
    """What of a HorizontalPodAutoscaler its decisions depend on."""

    least: int
    most: int
    targets: Mapping[str, int]
    """Measure → its target for each pod, in thousandths."""
    up: Rules
    down: Rules

    @staticmethod
    def of(spec: Mapping[str, Any], where: str = "HorizontalPodAutoscaler") -> Spec:
        """Read an object's `spec`, with Kubernetes' defaults.

        Raises:
            UserError: it has measures or a form that this calculation does not know.
        """
        targets: dict[str, int] = {}
        for metric in spec.get("metrics") or ():
            target = (metric.get("pods") or {}).get("target") or {}
            if metric.get("type") != "Pods" or target.get("type") != "AverageValue":
                told = f"{metric.get('type')} by {target.get('type', 'another target')}"
                raise UserError(
                    f"a measure of a kind that is not simulated: {told}",
                    where,
                    "Scale on averages of the pods' own measures, or try it with `seawall rehearse`.",
                )
            targets[metric["pods"]["metric"]["name"]] = milli(target["averageValue"])
        behavior = spec.get("behavior")
        if not targets or not behavior:
            raise UserError(
                "no measure" if not targets else "no behavior", where, "Give the autoscaler measures and a behavior."
            )
        grow = (Policy("Pods", 4, 15), Policy("Percent", 100, 15))
        return Spec(
            least=int(spec.get("minReplicas", 1)),
            most=int(spec["maxReplicas"]),
            targets=targets,
            up=_rules(behavior.get("scaleUp") or {}, 0, grow),
            down=_rules(behavior.get("scaleDown") or {}, _SHRINK_WINDOW_SECONDS, (Policy("Percent", 100, 15),)),
        )


def _rules(rules: Mapping[str, Any], window_seconds: float, policies: tuple[Policy, ...]) -> Rules:
    told = tuple(Policy(p["type"], int(p["value"]), float(p["periodSeconds"])) for p in rules.get("policies") or ())
    window = rules.get("stabilizationWindowSeconds")
    return Rules(
        window_seconds=window_seconds if window is None else float(window),
        policies=told or policies,
        select=rules.get("selectPolicy") or "Max",
        tolerance=float(rules.get("tolerance", AUTOSCALER_TOLERANCE)),
    )


def milli(quantity: str | float) -> int:
    """A plain quantity, as "4" or "2800m", in thousandths."""
    text = str(quantity)
    return int(text[:-1]) if text.endswith("m") else round(1000 * float(text))


def proposal(seen: Seen, target: int, replicas: int, spec: Spec) -> int | None:
    """Replicas that one measure asks for; None where no pod has it (`calcPlainMetricReplicas`)."""
    if not seen.values:
        return None
    total, count = sum(seen.values), len(seen.values)
    ratio = (total // count) / target
    waiting = seen.waiting if ratio > 1 else 0
    if not waiting and not seen.missing:
        return replicas if _tolerated(ratio, spec) else math.ceil(ratio * count)
    # The load that a pod without a measure may have: all it should when others would go, none when more would come.
    if ratio != 1:
        total, count = total + (target * seen.missing if ratio < 1 else 0), count + seen.missing
    count += waiting
    again = (total // count) / target
    wanted = math.ceil(again * count)
    turned = (ratio < 1 < again) or (again < 1 < ratio)
    backwards = (again < 1 and wanted > replicas) or (again > 1 and wanted < replicas)
    return replicas if _tolerated(again, spec) or turned or backwards else wanted


def _tolerated(ratio: float, spec: Spec) -> bool:
    return 1 - spec.down.tolerance <= ratio <= 1 + spec.up.tolerance


@dataclass
class Autoscaler:
    """One autoscaler with its memory: what it would have liked, and what it did."""

    spec: Spec
    _wishes: list[tuple[float, int]] = field(default_factory=list)
    _grown: list[tuple[float, int]] = field(default_factory=list)
    _shrunk: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, replicas: int, seen: Mapping[str, Seen]) -> int:
        """Replicas that it asks for at this look; it takes it that they are then asked for.

        Args:
            now: seconds, of any clock that does not go back.
            replicas: that are asked for now.
            seen: each measure by its name; one that is left out could not be read.
        """
        wanted = self.wanted(now, replicas, seen)
        self.moved(now, replicas, wanted)
        return wanted

    def wanted(self, now: float, replicas: int, seen: Mapping[str, Seen]) -> int:
        """The same, where it is not sure that they are asked for."""
        spec = self.spec
        if replicas == 0 and spec.least:
            return 0
        bounded = min(max(replicas, spec.least), spec.most)
        if bounded != replicas:
            return bounded
        wish = self.wish(replicas, seen)
        if wish is None:
            return replicas
        return self._limited(now, replicas, self._stabilized(now, replicas, wish))

    def moved(self, now: float, replicas: int, wanted: int) -> None:
        """Remember a change, for the policies."""
        for noted, rules, by in (
            (self._grown, self.spec.up, wanted - replicas),
            (self._shrunk, self.spec.down, replicas - wanted),
        ):
            longest = max((policy.period_seconds for policy in rules.policies), default=0.0)
            noted[:] = [(at, number) for at, number in noted if at > now - longest]
            if by > 0:
                noted.append((now, by))

    def wish(self, replicas: int, seen: Mapping[str, Seen]) -> int | None:
        """What the measures ask for, the most of them; None where that is unknown and nothing is done.

        A measure that cannot be read lets no replica go.
        """
        asked = [
            None if name not in seen else proposal(seen[name], target, replicas, self.spec)
            for name, target in self.spec.targets.items()
        ]
        known = [number for number in asked if number is not None]
        if not known or (len(known) < len(asked) and max(known) < replicas):
            return None
        return max(known)

    def _stabilized(self, now: float, replicas: int, wish: int) -> int:
        up, down = self.spec.up.window_seconds, self.spec.down.window_seconds
        lowest = min([wish, *(number for at, number in self._wishes if at > now - up)])
        highest = max([wish, *(number for at, number in self._wishes if at > now - down)])
        oldest = now - max(up, down)
        self._wishes = [(at, number) for at, number in self._wishes if at > oldest] + [(now, wish)]
        return min(max(replicas, lowest), highest)

    def _limited(self, now: float, replicas: int, wish: int) -> int:
        if wish > replicas:
            limit = max(replicas, self._limit(now, replicas, self.spec.up, 1))
            return min(wish, self.spec.most, limit)
        if wish < replicas:
            limit = min(replicas, self._limit(now, replicas, self.spec.down, -1))
            return max(wish, self.spec.least, limit)
        return wish

    def _limit(self, now: float, replicas: int, rules: Rules, sign: int) -> int:
        if rules.select == "Disabled":
            return replicas
        limits = [self._step(now, replicas, policy, sign) for policy in rules.policies]
        furthest = (rules.select == "Max") == (sign > 0)
        return max(limits) if furthest else min(limits)

    def _step(self, now: float, replicas: int, policy: Policy, sign: int) -> int:
        since = now - policy.period_seconds
        start = replicas - sum(n for at, n in self._grown if at > since)
        start += sum(n for at, n in self._shrunk if at > since)
        if policy.kind == "Pods":
            return start + sign * policy.value
        moved = start * (1 + sign * policy.value / 100)
        return math.ceil(moved) if sign > 0 else int(moved)
