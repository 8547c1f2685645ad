"""What a rollout on this machine came to: weights over time, checks, the verdict and why, and what clients saw."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["promoted", "rolled back", "neither"]


@dataclass(frozen=True)
class Moment:
    """Who was sent how much at a moment."""

    at: float
    """Seconds since the release was asked for."""
    weights: dict[str, int]
    """`primary` and `canary`, or two colours → the share of a hundred requests."""
    phase: str = ""
    """Flagger's word for where the rollout is."""


@dataclass(frozen=True)
class Check:
    """A figure of the new release, as Flagger read it."""

    at: float
    name: str
    value: float


@dataclass
class Record:
    """One rollout."""

    strategy: str
    old: str
    """The release that was to be replaced."""
    new: str
    fault: str = ""
    """What is wrong with the new one; empty: nothing."""
    verdict: Verdict = "neither"
    seconds: float = 0.0
    """From being asked for to the verdict."""
    moments: list[Moment] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """What Flagger said of failed checks, and of its decision."""
    serving: dict[str, int] = field(default_factory=dict)
    """After the verdict: release → replicas that get requests."""
    requests: int = 0
    failed: int = 0
    wrong: int = 0
    why_failed: dict[str, int] = field(default_factory=dict)
    after_requests: int = 0
    """Asked after the verdict, to see that all is as it was."""
    after_failed: int = 0
    after_wrong: int = 0

    @property
    def heaviest(self) -> int:
        """The largest share that the new release got."""
        return max((share for m in self.moments for name, share in m.weights.items() if name == "canary"), default=0)

    def steps(self) -> list[int]:
        """The new release's shares, one after the other."""
        found: list[int] = []
        for moment in self.moments:
            share = moment.weights.get("canary", 0)
            if not found or found[-1] != share:
                found.append(share)
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)
