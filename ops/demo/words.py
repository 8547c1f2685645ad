"""A demo's values in a few words, alike on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ops.demo.model import Result, State
from ops.drain.draining import Record
from ops.drill.reading import Objective
from ops.plan.diagram.model import outermost
from ops.serving.golden import GoldenResult
from policies.inventory import Inventory, Resource

MARKS: Final = dict(zip(State, "·…✓!✗■", strict=True))
STYLES: Final = dict(zip(State, ("dim", "bold", "green", "yellow", "red", "yellow"), strict=True))
PROTOCOLS: Final = {"http": "HTTP", "grpc": "gRPC"}
MOST: Final = 5
"""How many examples of one fault are named."""


def duration(seconds: float) -> str:
    """`0.4 s`, `1 min 05 s`, `6 h`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def latencies(answers: GoldenResult) -> tuple[str, ...]:
    """The percentiles p50, p95 and p99 as `3.1 ms`, or dashes where nothing was answered."""
    found = answers.latency
    return tuple(f"{ms:.1f} ms" for ms in (found.p50_ms, found.p95_ms, found.p99_ms)) if found else ("–", "–", "–")


def some(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(items) - MOST
    return "; ".join(items[:MOST]) + (f"; and {more} more" if more > 0 else "")


def headline(result: Result) -> str:
    """How the demo ended, in one line."""
    done = sum(step.state in (State.PASSED, State.FOUND) for step in result.steps)
    ending = {
        State.PASSED: "every step is green",
        State.FOUND: "something was found",
        State.FAILED: "it could not be finished",
        State.INTERRUPTED: "interrupted",
    }[result.ending]
    steps = f"{done} of {len(result.steps)} steps in {duration(result.seconds)}"
    return f"{result.place.stack} on the local cloud: {ending}, {steps}"


def golden(answers: Sequence[GoldenResult]) -> str:
    """How many answers are the recorded ones."""
    asked = sum(each.requests for each in answers)
    return f"{asked - sum(len(each.mismatches) for each in answers)} of {asked}"


def objective(measured: Objective) -> str:
    """A measured time with its target."""
    return f"{duration(measured.measured_s)} of {duration(measured.allowed_s)} allowed"


def components(inventory: Inventory) -> list[tuple[Resource | None, list[Resource]]]:
    """The clouds' resources by their outermost component; None: they have none."""
    groups: dict[str, list[Resource]] = {}
    for resource in inventory.resources:
        if resource.custom:
            groups.setdefault(outermost(resource, inventory.by_urn), []).append(resource)
    return [(inventory.by_urn.get(urn), members) for urn, members in groups.items()]


def drained(record: Record) -> str:
    """What clients noticed of a drain: the failures first."""
    slowest = " and ".join(
        f"{PROTOCOLS[name]} {noticed.latency.p99_ms:.0f} ms"
        for name, noticed in (("http", record.http), ("grpc", record.grpc))
        if noticed.latency
    )
    return (
        f"{record.failed} of {record.requests:,} failed; p99 {slowest}, {record.retried} retried, "
        f"endpoint gone after {duration(record.removed_s)}, server {duration(record.ended_s)} after SIGTERM"
    )
