"""What changed between two sides of one stack, be they two plans or a deployed stack and the engine's preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from components.contracts.stateful import Stateful
from policies.inventory import Resource
from policies.model import Severity, Verdict

Action = Literal["added", "changed", "replaced", "removed"]
ACTIONS: tuple[Action, ...] = ("removed", "replaced", "changed", "added")
"""The worst first, as a reviewer reads them."""
Order = Literal["deleted first", "the new one first"]
"""In which order a replacement goes."""
CauseKind = Literal["setting", "several settings", "code", "version", "state", "unknown"]
"""What a change comes from: one line of the settings; some that count only together; files of the program; a package
that is pinned otherwise; what the cloud or Pulumi's state has otherwise than the base asked for; or what could not be
told."""
Verb = Literal["create", "update", "replace", "delete", "delete, to be made anew", "make anew", "keep"]
"""One step of the engine. `keep`: the program gives it up, and the cloud keeps it, unmanaged."""


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
    remedy: str = ""
    """How to move what it holds, or what to do before the update."""


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
    through: str | None = None
    """URN of the resource whose replacement brings this one."""
    was_protected: bool = False
    """Whether the deployed one, or base's, is protected: Pulumi asks it, and not the program that is to come."""

    @property
    def replacing(self) -> tuple[str, ...]:
        """The inputs that replace it."""
        return tuple(p.path for p in self.properties if p.replaces)


@dataclass(frozen=True)
class Effect:
    """A change of a resource, or the part of it, that one cause brings."""

    urn: str
    paths: tuple[str, ...] = ()
    """The properties that this cause changes; all of the change where none are named."""


@dataclass(frozen=True)
class Cause:
    """One thing that a person changed, and what comes of it."""

    kind: CauseKind
    what: str
    """The setting (`backup.region`), the file, or in words what it is."""
    where: str = ""
    """File and line."""
    before: object = None
    after: object = None
    """Of a setting, masked."""
    note: str = ""
    """Which commits changed the file, or why nothing more exact is known."""
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step of the update, in the order in which the engine takes them."""

    number: int
    verb: Verb
    urn: str
    name: str
    type: str
    why: str = ""
    """By which property it is replaced, and through which dependency."""
    outage: str = ""
    """What is not there meanwhile."""
    refused: str = ""
    """Why Pulumi, or the cloud, will refuse it; and what to do."""
    irreversible: str = ""
    """Why it cannot be taken back."""
    takes: str = ""
    """How long it is known to take."""


@dataclass(frozen=True, order=True)
class Opening:
    """A way in from outside that was not there."""

    urn: str
    """Of the resource in which it stands; one that does not change itself where another change opens it."""
    way: str
    """The input, list positions left out, or what it is in words."""
    to: str
    """Whom it lets in, and how."""


@dataclass(frozen=True)
class Reached:
    """A service of the fleet, and what the change does to it."""

    service: str
    effect: Literal["interrupted", "rolled", "reconfigured", "behind what changes"]
    by: tuple[str, ...]
    """Names of the changed resources that do it, the worst first."""


@dataclass(frozen=True)
class Blast:
    """How far a change reaches."""

    score: int = 0
    terms: tuple[tuple[str, int], ...] = ()
    """What the score is the sum of: in words, and how much."""
    level: Literal["none", "low", "medium", "high"] = "none"
    direct: int = 0
    """Resources that depend on a changed one directly, and do not change."""
    dependents: int = 0
    """All that depend on a changed one, directly or not, and do not change."""
    services: tuple[Reached, ...] = ()


@dataclass(frozen=True)
class CostLine:
    """A resource whose estimate changes."""

    type: str
    name: str
    before: str
    after: str
    """How the sums come about; empty: there is no such resource on that side, or it is free."""
    idle_usd: float
    full_usd: float
    """By how much a month changes."""


@dataclass(frozen=True)
class CostChange:
    """A month's estimate before and after, in USD; None: that side has no estimate, and `unknown` says why."""

    idle_before: float | None = None
    idle_after: float | None = None
    full_before: float | None = None
    full_after: float | None = None
    lines: tuple[CostLine, ...] = ()
    not_priced: tuple[str, ...] = ()
    """Resources that come and have no price, so that the sums are too low by them."""
    by_use: tuple[str, ...] = ()
    """Types that come whose cost depends on use, which no plan knows."""
    unknown: str = ""

    @property
    def changes(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.lines or self.not_priced or self.by_use or self.unknown)


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
    urn: str = ""
    problems: tuple[str, ...] = ()
    """The problems that head has and base had not, each as path and what was found there."""
    remedy: str = ""

    @property
    def worse(self) -> bool:
        """Whether head fails, or cannot tell, where base did not; or fails at something that base did not."""
        bad = (Verdict.FAIL, Verdict.UNKNOWN)
        if self.after not in bad:
            return False
        return self.before not in bad or bool(self.problems) or (self.before, self.after) == bad[::-1]


@dataclass(frozen=True)
class StackDiff:
    """All that a change does to one stack."""

    stack: str
    fate: Literal["new", "gone", "both"]
    changes: tuple[ResourceChange, ...] = ()
    outputs: tuple[PropertyChange, ...] = ()
    verdicts: tuple[VerdictChange, ...] = ()
    causes: tuple[Cause, ...] = ()
    steps: tuple[Step, ...] = ()
    blast: Blast = field(default_factory=Blast)
    cost: CostChange = field(default_factory=CostChange)
    reach: tuple[Opening, ...] = ()
    """Ways in from outside that were not there."""
    picture: str = ""
    """Mermaid: what changes, and its neighbours."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how this came about, as that the engine ended its preview early."""

    @property
    def is_empty(self) -> bool:
        """Whether a reviewer has nothing to read."""
        return self.fate == "both" and not (self.changes or self.outputs or self.verdicts or self.notes)

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many resources there are of each action."""
        return {action: sum(1 for c in self.changes if c.action == action) for action in reversed(ACTIONS)}

    @property
    def at_risk(self) -> tuple[ResourceChange, ...]:
        """The changes that put state, or what serves, at risk."""
        return tuple(change for change in self.changes if change.risk)

    @property
    def by_urn(self) -> Mapping[str, ResourceChange]:
        """The changes by URN."""
        return {change.resource.urn: change for change in self.changes}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `seawall diff --json` prints it for one stack."""
        return {
            "stack": self.stack,
            "fate": self.fate,
            "counts": dict(self.counts),
            "changes": [_change_json(change) for change in self.changes],
            "outputs": [asdict(change) for change in self.outputs],
            "verdicts": [{**asdict(change), "worse": change.worse} for change in self.verdicts],
            "causes": [asdict(cause) for cause in self.causes],
            "steps": [asdict(step) for step in self.steps],
            "blast": asdict(self.blast),
            "cost": asdict(self.cost),
            "reach": [asdict(opening) for opening in self.reach],
            "picture": self.picture,
            "notes": list(self.notes),
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
        "through": change.through,
        "was_protected": change.was_protected,
    }


def _risk_json(risk: Risk) -> dict[str, Any]:
    at_stake = {"runs": risk.at_stake} if isinstance(risk.at_stake, str) else risk.at_stake.to_json()
    return {"what": risk.what, "remedy": risk.remedy, **at_stake}
