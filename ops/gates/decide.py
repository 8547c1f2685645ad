"""Decides which gates a change does not pass without approvals: pure, from its items and the gates of its base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ops.gates.model import Item, Kind, Requirement
from ops.gates.settings import Gate, Gates

FROM: Final = "from"
"""The fact of a cost that says what it was before."""


def required(stack: str, items: Sequence[Item], gates: Gates) -> tuple[Requirement, ...]:
    """The approvals that a change of a stack needs, by gate; none where nothing is asked."""
    environment = stack.rpartition("-")[0]
    return tuple(
        Requirement(name, gate.because, gate.approvals, gates.people(gate), asked)
        for name, gate in gates.gates.items()
        if gate.stands_for(environment) and (asked := asked_by(gate, items))
    )


def asked_by(gate: Gate, items: Sequence[Item]) -> tuple[Item, ...]:
    """What a gate asks about among a change's items."""
    own = (item for item in items if item.kind is gate.kind)
    return tuple(item for item in own if gate.kind is not Kind.COST or _is_too_much(gate, item))


def _is_too_much(gate: Gate, item: Item) -> bool:
    """Whether a growing cost is over one of the gate's limits; what cannot be counted is."""
    before = _before(item)
    if item.amount is None or before is None:
        return True
    grown = item.amount - before
    limits = (
        (gate.over_usd_a_month, item.amount),
        (gate.grows_by_usd_a_month, grown),
        (gate.grows_by_percent, 100 * grown / before if before else float("inf")),
    )
    return any(limit is not None and value > limit for limit, value in limits)


def _before(item: Item) -> float | None:
    try:
        return float(dict(item.facts)[FROM])
    except (KeyError, ValueError):
        return None
