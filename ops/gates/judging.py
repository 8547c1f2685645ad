"""Whether a plan has the approvals that it needs: from a folder of signed ones, against whom base trusts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ops.gates.approval import Given, Standing, read_approvals, standing
from ops.gates.guards import authors
from ops.gates.model import Requirement
from ops.gates.plan import Plan
from ops.gates.settings import Gates
from ops.gates.trusting import trust_at


@dataclass(frozen=True)
class Evidence:
    """Where approvals lie, and what is known of who wrote the change."""

    approvals: Path | None = None
    """None: there are none."""
    allowed_signers: Path | None = None
    """A file that whoever runs the command vouches for; the repository's where None."""
    authors: tuple[str, ...] = ()
    """Beside those that git names."""


@dataclass(frozen=True)
class Judged:
    """How each gate of a plan stands, and files that count for none."""

    standings: tuple[Standing, ...]
    refused: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the plan has all approvals that it needs."""
        return all(each.passed for each in self.standings)


def judge(
    plan: Plan,
    requirements: Sequence[Requirement],
    gates: Gates,
    evidence: Evidence,
    base: str,
    head: str | None,
    now: datetime | None = None,
) -> Judged:
    """How a plan's gates stand.

    Raises:
        UserError: the folder, the allowed signers or the history cannot be read.
    """
    given: Sequence[Given] = ()
    refused: tuple[str, ...] = ()
    if evidence.approvals is not None and requirements:
        given, refused = read_approvals(evidence.approvals, trust_at(base, head, evidence.allowed_signers))
    new = f"stacks/config/Pulumi.{plan.stack}.yaml" if plan.is_first else ""
    wrote = {*authors(base, head, of_new=new), *evidence.authors} if requirements else set[str]()
    moment = now or datetime.now(UTC)
    return Judged(
        tuple(standing(requirement, plan, given, gates, wrote, moment) for requirement in requirements), refused
    )


def lines(plan: Plan, judged: Judged, gates_from: str) -> list[str]:
    """The verdict for a person."""
    told = [f"{plan.stack}  {plan.fingerprint}", f"  gates of {gates_from}"]
    if not judged.standings:
        told.append("  no approval is needed")
    for each in judged.standings:
        asked = each.requirement
        mark = "✓" if each.passed else "✗"
        told.append(f"  {mark} {asked.gate}: {len(each.people)} of {asked.approvals} approvals. {asked.because}")
        told += [
            f"      asks about {_short(item.note or str(item))} [{_name(item.subject)}]" for item in asked.items[:8]
        ]
        if len(asked.items) > 8:
            told.append(f"      and {len(asked.items) - 8} more")
        told += [f"      approved by {who}" for who in each.people]
        if not each.passed:
            told.append(f"      may be approved by {', '.join(asked.approvers)}")
        told += [f"      does not count: {_short(why)}" for why in each.refused]
    return [*told, *(f"  not read: {_short(why)}" for why in judged.refused)]


def _name(subject: str) -> str:
    return subject.rsplit("::", 1)[-1]


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 240 else f"{plain[:240]}…"
