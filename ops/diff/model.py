"""What changed between two plans of one stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from components.contracts.stateful import Stateful
from policies.inventory import Resource
from policies.model import Severity, Verdict

Action = Literal["added", "changed", "replaced", "removed"]
Order = Literal["deleted first", "the new one first"]
"""In which order a replacement goes."""


@dataclass(frozen=True)
class PropertyChange:
    """One input that changed; None stands for absent. Values are already masked."""

    path: str
    before: object
    after: object
    replaces: bool = False


@dataclass(frozen=True)
class Risk:
    """Why a change to a stateful resource deserves a second look."""

    what: str
    at_stake: Stateful | str
    """What it holds, or what runs on it."""


@dataclass(frozen=True)
class ResourceChange:
    """One resource that was added, changed, replaced or removed."""

    action: Action
    resource: Resource
    """As head has it; as base had it when it is removed."""
    properties: tuple[PropertyChange, ...] = ()
    risk: Risk | None = None
    order: Order | None = None
    """Of a replacement; None for every other action."""


@dataclass(frozen=True)
class VerdictChange:
    """A rule's verdict on one resource that differs between base and head; None: there was no such finding."""

    rule: str
    severity: Severity
    title: str
    resource: str
    before: Verdict | None
    after: Verdict | None
    reason: str

    @property
    def worse(self) -> bool:
        """Whether head fails, or cannot tell, where base did not."""
        bad = (Verdict.FAIL, Verdict.UNKNOWN)
        return self.after in bad and self.before not in bad


@dataclass(frozen=True)
class StackDiff:
    """All that a change does to one stack."""

    stack: str
    fate: Literal["new", "gone", "both"]
    changes: tuple[ResourceChange, ...] = ()
    outputs: tuple[PropertyChange, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether a reviewer has nothing to read."""
        return self.fate == "both" and not (self.changes or self.outputs or self.verdicts)

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many resources there are of each action."""
        actions: tuple[Action, ...] = ("added", "changed", "replaced", "removed")
        return {action: sum(1 for c in self.changes if c.action == action) for action in actions}

    @property
    def at_risk(self) -> tuple[ResourceChange, ...]:
        """The changes that put state, or what serves, at risk."""
        return tuple(change for change in self.changes if change.risk)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `seawall diff --json` prints it for one stack."""
        return {
            "stack": self.stack,
            "fate": self.fate,
            "counts": dict(self.counts),
            "changes": [_change_json(change) for change in self.changes],
            "outputs": [asdict(change) for change in self.outputs],
            "verdicts": [{**asdict(change), "worse": change.worse} for change in self.verdicts],
        }


def _change_json(change: ResourceChange) -> dict[str, Any]:
    resource = change.resource
    return {
        "action": change.action,
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "region": resource.region,
        "properties": [asdict(p) for p in change.properties],
        "risk": _risk_json(change.risk) if change.risk else None,
        "order": change.order,
    }


def _risk_json(risk: Risk) -> dict[str, Any]:
    at_stake = {"runs": risk.at_stake} if isinstance(risk.at_stake, str) else risk.at_stake.to_json()
    return {"what": risk.what, **at_stake}
