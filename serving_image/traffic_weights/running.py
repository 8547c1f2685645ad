"""One step of the controller, and the loop of steps: read, decide, write, and say so in one line."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import VERSION
from .deciding import Decision, Earned, decide, posterior
from .past import judged
from .rewards import MissingError, Prometheus, earned
from .routes import Api, Route, RouteError, read, write
from .settings import Settings


@dataclass(frozen=True)
class Step:
    """What one step did, for the log and the metrics."""

    line: Mapping[str, Any]
    weights: Mapping[str, int]
    """As they are after it; empty where they cannot be read."""
    frozen: bool
    changed: bool


def step(settings: Settings, api: Api, prometheus: Prometheus, who: str, now: float) -> Step:
    """Take one step at `now`, in seconds since 1970. It never raises for what the cluster or Prometheus do."""
    line: dict[str, Any] = {
        "event": "traffic-weights",
        "time": datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat(timespec="seconds"),
        "service": settings.service,
        "who": who,
    }
    try:
        routes = [read(api, settings, kind) for kind in settings.kinds]
    except RouteError as error:
        return Step({**line, "action": "frozen", "why": str(error)}, {}, frozen=True, changed=False)
    old = routes[0].weights
    past = judged(routes, settings, who, now)
    line |= {"noticed": list(past.noticed)} if past.noticed else {}
    if past.hold:
        action = "frozen" if past.doubtful else "kept"
        told = {**line, "action": action, "why": past.hold, "old": dict(old), "new": dict(old)}
        return Step(told, old, frozen=past.doubtful, changed=False)
    # Of the moment, so that a line can be computed anew and yet no two steps share their draws.
    seed = int.from_bytes(hashlib.sha256(f"{settings.service}:{now:.0f}".encode()).digest()[:6])
    try:
        decision = decide(
            earned(prometheus, settings, now),
            old,
            settings.bounds,
            half_life=settings.half_life / settings.interval,
            minimum_trials=settings.minimum_trials,
            seed=seed,
        )
    except MissingError as error:
        decision = Decision(old, str(error), frozen=True)
    line |= {"why": decision.why, "seed": seed, "arms": described(decision), "old": dict(old)}
    wanted = dict(decision.weights)
    if decision.frozen:
        return Step({**line, "action": "frozen", "new": wanted}, old, frozen=True, changed=False)
    late = [route for route in routes if dict(route.weights) != wanted or not route.settled]
    if not late:
        return Step({**line, "action": "kept", "new": wanted}, old, frozen=False, changed=False)
    return _written(line, api, late, old, wanted)


def _written(
    line: Mapping[str, Any], api: Api, late: list[Route], old: Mapping[str, int], wanted: Mapping[str, int]
) -> Step:
    told = {**line, "action": "changed", "new": wanted}
    names = ("time", "who", "why", "seed", "arms", "old", "new", "noticed")
    change = {name: told[name] for name in names if name in told}
    done: list[str] = []
    try:
        for route in late:
            write(api, route, wanted, {**change, "old": dict(route.weights)})
            done.append(route.path)
    except RouteError as error:
        # The next step reads the route anew; a route that was changed before this one keeps its own record.
        failed = {**told, "action": "refused", "why": str(error), "changed": done}
        return Step(failed, wanted if done else old, frozen=True, changed=bool(done))
    return Step({**told, "changed": done}, wanted, frozen=False, changed=True)


def described(decision: Decision) -> dict[str, dict[str, float]]:
    """The evidence behind a decision, in numbers that a person can check."""
    evidence: Mapping[str, Earned] = decision.evidence or {}
    found: dict[str, dict[str, float]] = {}
    for arm, each in evidence.items():
        known = posterior(each)
        found[arm] = {
            "successes": round(each.successes, 1),
            "trials": round(each.trials, 1),
            "alpha": round(known.alpha, 1),
            "beta": round(known.beta, 1),
            "mean": round(known.mean, 4),
        }
        if decision.best is not None:
            found[arm]["best"] = round(decision.best[arm], 4)
    return found


def run(
    take: Callable[[], Step],
    write_line: Callable[[Mapping[str, Any]], None],
    wait: Callable[[], bool],
    seen: Callable[[Step], None],
) -> None:
    """Steps until `wait` says that it is over."""
    while True:
        done = take()
        write_line(done.line)
        seen(done)
        if wait():
            return


def who(image: str, pod: str) -> str:
    """Which controller acts, for the record."""
    return f"traffic_weights {VERSION}, pod {pod or 'none'}, image {image or 'unknown'}"
