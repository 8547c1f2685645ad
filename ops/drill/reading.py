"""What other areas show of a drill: read from its predicate, and nowhere computed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.drill.model import Predicate
from ops.serving.golden import GoldenResult


@dataclass(frozen=True)
class Objective:
    """A measured time beside what is allowed, in seconds."""

    name: str
    allowed_s: float
    measured_s: float
    passed: bool


def checks(predicate: Predicate, name: str) -> list[Mapping[str, Any]]:
    """Every check of a name."""
    return [check for check in predicate["checks"] if check["name"] == name]


def objectives(predicate: Predicate) -> tuple[Objective, ...]:
    """RPO and RTO, as far as they were measured."""
    rpo = [
        ("RPO", c["expected"]["at_most_s"], c["found"]["measured_s"], c) for c in checks(predicate, "rpo.measured")
    ]
    rto = [("RTO", c["expected"], c["found"], c) for c in checks(predicate, "rto.measured")]
    return tuple(Objective(name, allowed, found, c["passed"]) for name, allowed, found, c in (*rpo, *rto))


def restored(predicate: Predicate) -> str:
    """What came back, in words; empty if it did not come to that."""
    told = [
        f"{check['found']['count']} of {check['expected']['count']} {what}"
        for name, what in (("objects.restored", "objects"), ("rows.restored", "feature rows"))
        for check in checks(predicate, name)
    ]
    return " and ".join(told)


def answers(predicate: Predicate) -> tuple[GoldenResult, ...]:
    """What the restored service answered, by protocol; none if it did not come to that."""
    return tuple(GoldenResult.from_json(told) for told in predicate.get("service", {}).get("answers", ()))
