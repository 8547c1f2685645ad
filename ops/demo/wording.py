"""Numbers and facts of a demo in a few words, alike on the screen and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ops.demo.model import Drill, Ending, Policies, Predictions, Preview, Resources, Result, State

MARKS: Final = {
    State.PENDING: "·",
    State.RUNNING: "…",
    State.OK: "✓",
    State.FOUND: "!",
    State.FAILED: "✗",
    State.INTERRUPTED: "■",
}
WORDS: Final = {
    State.PENDING: "not reached",
    State.RUNNING: "running",
    State.OK: "done",
    State.FOUND: "found something",
    State.FAILED: "could not run",
    State.INTERRUPTED: "interrupted",
}
NAMES: Final = {"http": "HTTP", "grpc": "gRPC"}


def duration(seconds: float) -> str:
    """`0.4 s`, `1 min 05 s`, `6 h`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def size(count: float) -> str:
    """Bytes with a decimal prefix: `41.2 kB`."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def milliseconds(value: float | None) -> str:
    """`3.1 ms`, or a dash where nothing was answered."""
    return "–" if value is None else f"{value:.1f} ms"


def commit(text: str) -> str:
    """A commit's first twelve digits, and whether the working tree differs."""
    digits, plus, rest = text.partition("+")
    return f"{digits[:12]}{f' with {rest}' if plus else ''}"


def headline(result: Result) -> str:
    """How the demo ended, in one line."""
    done = sum(step.state in (State.OK, State.FOUND) for step in result.steps)
    steps = f"{done} of {len(result.steps)} steps in {duration(result.seconds)}"
    ends = {
        Ending.PASSED: f"every step is green: {steps}",
        Ending.FOUND: f"something was found: {steps}",
        Ending.FAILED: f"it could not be finished: {steps}",
        Ending.INTERRUPTED: f"interrupted: {steps}",
    }
    return f"{result.stack} on the local cloud ({result.mode}): {ends[result.ending]}"


def resources_told(resources: Resources) -> str:
    """Counts of resources."""
    same = "" if resources.only_planned or resources.only_deployed else ", as planned"
    return (
        f"{resources.deployed} deployed{same}, in {sum(bool(c.type) for c in resources.components)} components; "
        f"{resources.protected} protected"
    )


def policies_told(policies: Policies) -> str:
    """Counts of verdicts."""
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in policies.counts.items())
    return f"{policies.rules} rules: {counts}"


def engine_told(policies: Policies) -> str:
    """Whether the engine judged as the offline check did."""
    if not policies.engine_asked:
        return "the engine was not asked"
    differs = len(policies.engine_differs)
    return f"the engine judges {differs} otherwise" if differs else "the engine gives the same verdicts"


def preview_told(preview: Preview) -> str:
    """What a second preview and a refresh showed."""
    again = f"{len(preview.changes)} changes" if preview.changes else "empty"
    drift = {None: "drift not looked for", (): "no drift"}.get(preview.drift)
    return f"{again}; {drift or f'drift in {len(preview.drift or ())} resources'}"


def drill_told(drill: Drill) -> str:
    """Whether the restore is proven, and what was restored."""
    verdict = "proven" if drill.proven else "not proven"
    if not drill.objects:
        return verdict
    found = sum(detected for _, detected, _ in drill.controls)
    return (
        f"{verdict}: {drill.objects} and {drill.features}, {found} of {len(drill.controls)} planted faults found; "
        f"{drill.region} → {drill.backup_region}, {drill.distance_km:.0f} km"
    )


def objectives_told(drill: Drill) -> str:
    """RPO and RTO with their targets."""
    told = [
        f"{name} {duration(objective.measured_s)} of {duration(objective.target_s)} allowed"
        for name, objective in (("RPO", drill.rpo), ("RTO", drill.rto))
        if objective is not None
    ]
    return ", ".join(told) or "not measured"


def predictions_told(predictions: Sequence[Predictions]) -> str:
    """How many answers were golden, and the median latency of each protocol."""
    golden = f"{sum(p.matching for p in predictions)} of {sum(p.requests for p in predictions)} golden"
    medians = ", ".join(f"{NAMES.get(p.protocol, p.protocol)} p50 {milliseconds(p.p50_ms)}" for p in predictions)
    return f"{golden}; {medians}"
