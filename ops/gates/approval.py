"""Approvals: signed statements that a person accepts what one gate asks about one plan, until a day.

An approval accepts risks, one by one, and names the plan that its signer saw. Another plan of the same stack is
covered as long as it has no risk beside those: a fix voids nothing, a new risk does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from common.attestation.envelope import opened, parse_envelope, sealed
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.signers import Signing
from common.attestation.statement import Statement, Subject
from common.attestation.trust import Trust
from common.errors import UserError
from ops.gates.model import Item, Requirement
from ops.gates.plan import Plan, read_item
from ops.gates.settings import Gates, person

PREDICATE_TYPE: Final = "https://seawall.dev/plan-approval/v1"
SHORTEST_REASON: Final = 10
CLOCKS_APART: Final = timedelta(minutes=5)
SIZE_LIMIT: Final = 8 * 2**20
FILES_LIMIT: Final = 200
_MEMBERS: Final = {"stack", "gate", "plan", "after_update", "reason", "at", "until", "accepts"}


@dataclass(frozen=True)
class Approval:
    """An approval as its statement says it; who gave it is the signer alone."""

    stack: str
    gate: str
    plan: str
    """The fingerprint of the plan that was seen."""
    after_update: str
    """The update that the plan follows: with the next one, the approval is used up."""
    reason: str
    at: datetime
    until: datetime
    accepts: tuple[Item, ...]

    def to_json(self) -> dict[str, Any]:
        """The predicate of its statement."""
        return {
            "stack": self.stack,
            "gate": self.gate,
            "plan": self.plan,
            "after_update": self.after_update,
            "reason": self.reason,
            "at": self.at.isoformat(timespec="seconds"),
            "until": self.until.isoformat(timespec="seconds"),
            "accepts": [item.to_json() for item in self.accepts],
        }


@dataclass(frozen=True)
class Given:
    """An approval in a file whose signature holds."""

    approval: Approval
    who: str
    where: str


@dataclass(frozen=True)
class Standing:
    """Whether a gate has its approvals, by whom, and why others do not count."""

    requirement: Requirement
    people: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether enough people agreed."""
        return len(self.people) >= self.requirement.approvals


def give(plan: Plan, requirement: Requirement, reason: str, valid_days: int, now: datetime) -> Approval:
    """The approval of what a gate asks about a plan.

    Raises:
        UserError: the reason says nothing.
    """
    said = " ".join(reason.split())
    if len(said) < SHORTEST_REASON:
        raise UserError(
            f"the reason says too little: {said!r}",
            "--reason",
            f"Say in at least {SHORTEST_REASON} characters why this is acceptable; it is kept with the approval.",
        )
    at = now.astimezone(UTC).replace(microsecond=0)
    return Approval(
        plan.stack,
        requirement.gate,
        plan.fingerprint,
        plan.after_update,
        said,
        at,
        at + timedelta(days=valid_days),
        requirement.items,
    )


def signed(approval: Approval, signing: Signing) -> dict[str, Any]:
    """The envelope of an approval.

    Raises:
        UserError: the signer cannot sign.
    """
    digest = approval.plan.removeprefix("sha256:")
    subject = Subject(f"plan of {approval.stack}", {"sha256": digest})
    return sealed(Statement((subject,), PREDICATE_TYPE, approval.to_json()), signing)


def read_approvals(folder: Path, trust: Trust | None) -> tuple[tuple[Given, ...], tuple[str, ...]]:
    """The approvals in a folder whose signers are trusted, and why the other files there are worth nothing.

    Args:
        trust: None where nobody is trusted.

    Raises:
        UserError: the folder cannot be read, or holds more files than anybody signs.
    """
    if not folder.is_dir():
        raise UserError("there is no such folder of approvals", str(folder), "Name the folder with --approvals.")
    paths = sorted(folder.rglob("*.json"))
    if len(paths) > FILES_LIMIT:
        raise UserError(f"the folder holds {len(paths)} files", str(folder), "Remove approvals that have expired.")
    given: list[Given] = []
    refused: list[str] = []
    for path in paths:
        try:
            given.append(read_approval(path, trust))
        except (RefusedError, UnreadableError) as error:
            refused.append(f"{path.name}: {error.what}")
    return tuple(given), tuple(refused)


def read_approval(path: Path, trust: Trust | None) -> Given:
    """The approval in a file.

    Raises:
        UnreadableError: it cannot be read.
        RefusedError: it was forged or changed, says no approval, or its signer is not trusted.
    """
    remedy = "Ask for the file as it was written."
    if path.is_symlink() or not path.is_file():
        raise UnreadableError("the approval is no plain file", str(path), remedy)
    if path.stat().st_size > SIZE_LIMIT:
        raise UnreadableError("the approval is too large", str(path), remedy)
    data = path.read_bytes()
    try:
        json.loads(data, object_pairs_hook=_once)
    except _TwiceError as error:
        raise RefusedError(str(error), str(path), remedy) from None
    except (ValueError, RecursionError):
        pass  # `parse_envelope` says why
    envelope = parse_envelope(data, str(path))
    if trust is None:
        raise RefusedError("nobody is trusted yet, so no signature counts", str(path), "Add allowed signers.")
    found = opened(envelope, trust, PREDICATE_TYPE, str(path))
    try:
        approval = _approval(found.statement.predicate)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(f"what is signed is no approval: {error}", str(path), remedy) from error
    subjects = [(subject.name, dict(subject.digest)) for subject in found.statement.subjects]
    if subjects != [(f"plan of {approval.stack}", {"sha256": approval.plan.removeprefix("sha256:")})]:
        raise RefusedError("the statement is about another plan than the approval", str(path), remedy)
    return Given(approval, found.signer.who, str(path))


def standing(
    requirement: Requirement,
    plan: Plan,
    given: Sequence[Given],
    gates: Gates,
    authors: Iterable[str],
    now: datetime,
) -> Standing:
    """Whether a gate of a plan has its approvals.

    Args:
        authors: whoever wrote the change; none of them approves it.
    """
    people: dict[frozenset[str], str] = {}
    refused: list[str] = []
    wrote = frozenset(name for who in authors for name in gates.is_of(who))
    for each in given:
        if each.approval.gate != requirement.gate:
            continue
        problem = _problem(each, requirement, plan, gates, wrote, now)
        if problem:
            refused.append(f"{Path(each.where).name}: {problem}")
        else:
            people.setdefault(gates.is_of(each.who), each.who)
    return Standing(requirement, tuple(people.values()), tuple(refused))


def _problem(
    given: Given, requirement: Requirement, plan: Plan, gates: Gates, authors: frozenset[str], now: datetime
) -> str:
    """Why an approval does not count at its gate; empty if it does."""
    approval, who = given.approval, person(given.who)
    if approval.stack != plan.stack:
        return f"it is about {approval.stack}, not about {plan.stack}"
    if who not in requirement.approvers:
        return f"{given.who} is none of those who may approve here: {', '.join(requirement.approvers)}"
    if gates.is_of(who) & authors:
        return f"{given.who} wrote the change, and nobody approves their own"
    if approval.at > now + CLOCKS_APART:
        return f"it was given at {approval.at:%Y-%m-%d %H:%M} UTC, which is in the future"
    if now >= min(approval.until, approval.at + timedelta(days=gates.valid_days)):
        return f"it has expired: it was given at {approval.at:%Y-%m-%d %H:%M} UTC for {gates.valid_days} days"
    if approval.after_update != plan.after_update:
        return "the stack was updated since, or the approval is of another kind of plan: it is used up"
    new = [item for item in requirement.items if not any(had.covers(item) for had in approval.accepts)]
    if new:
        more = f", and {len(new) - 1} more" if len(new) > 1 else ""
        return f"there is a risk that it does not accept: {new[0]}{more}"
    return ""


def _approval(data: Mapping[str, Any]) -> Approval:
    if set(data) != _MEMBERS:
        raise ValueError(f"its members are not {', '.join(sorted(_MEMBERS))}")
    texts = {name: data[name] for name in ("stack", "gate", "plan", "after_update", "reason")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise ValueError("a text is none")
    at, until = (datetime.fromisoformat(data[name]) for name in ("at", "until"))
    if at.tzinfo is None or until.tzinfo is None or until <= at:
        raise ValueError("its times are none")
    return Approval(**texts, at=at, until=until, accepts=tuple(read_item(each) for each in data["accepts"]))


class _TwiceError(ValueError):
    """A member stands in an object twice: of the two, readers disagree on which counts."""


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(f"the member {name!r} stands there twice")
        found[name] = value
    return found
