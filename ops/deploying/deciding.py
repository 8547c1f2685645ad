"""Decides whether a plan of now may be deployed: it is the reviewed one, and its gates are passed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from ops.gates.judging import Judged
from ops.gates.plan import Plan, differences, read_plan


class Verdict(StrEnum):
    """What becomes of a plan."""

    SAVED = "saved to be reviewed"
    STALE = "stale"
    NOTHING = "nothing to do"
    NOT_APPROVED = "not approved"
    DEPLOY = "deployed"


_REFUSED: Final = {
    Verdict.STALE: "the plan of now is not the reviewed one; review the new one",
    Verdict.NOT_APPROVED: "it lacks approvals",
}


@dataclass(frozen=True)
class Decided:
    """What becomes of a plan, and why."""

    plan: Plan
    verdict: Verdict
    lacking: tuple[str, ...]
    """Gates without their approvals."""
    differences: tuple[str, ...] = ()
    """What is otherwise than it was reviewed."""

    @property
    def refused(self) -> str:
        """Why it may not be deployed; empty if it may."""
        return _REFUSED.get(self.verdict, "")

    def lines(self) -> list[str]:
        """For a person."""
        return [f"  ≠ {line}" for line in self.differences]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "stack": self.plan.stack,
            "fingerprint": self.plan.fingerprint,
            "verdict": str(self.verdict),
            "differences": list(self.differences),
            "lacking": list(self.lacking),
        }


def decided(reviewed: Plan | None, now: Plan, judged: Judged) -> Decided:
    """What becomes of the plan of now.

    Args:
        reviewed: None where there is none yet.
    """
    lacking = tuple(each.requirement.gate for each in judged.standings if not each.passed)
    if reviewed is None:
        return Decided(now, Verdict.SAVED, lacking)
    if reviewed.fingerprint != now.fingerprint:
        found = tuple(differences(reviewed, now)) or ("it was taken in another way",)
        return Decided(now, Verdict.STALE, lacking, found)
    if now.is_empty:
        return Decided(now, Verdict.NOTHING, ())
    return Decided(now, Verdict.NOT_APPROVED if lacking else Verdict.DEPLOY, lacking)


def read_reviewed(path: Path, stack: str, fingerprint: str | None) -> Plan:
    """The plan that was reviewed.

    Args:
        fingerprint: that of the plan that was reviewed, where it is known by another way than the file.

    Raises:
        UserError: it cannot be read, was edited, or is none of this stack's engine.
    """
    plan = read_plan(path)
    again = f"Take the plan with `seawall deploy {stack} --save-plan FILE`, and have it reviewed."
    if plan.stack != stack:
        raise UserError(f"the plan is about {plan.stack}, not about {stack}", str(path), again)
    if plan.source != "engine":
        raise UserError("the plan was made offline, and says nothing of what is deployed", str(path), again)
    if fingerprint is not None and plan.fingerprint != fingerprint:
        raise UserError(f"the plan is not the one with the fingerprint {fingerprint}", str(path), again)
    return plan
