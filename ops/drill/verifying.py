"""Reads evidence as an auditor does: who signed it, whether it can be so, and what its own checks say.

Nothing that the evidence says of itself is believed: the signer must be trusted by the reader, the verdict is
computed again from the recorded checks, and times, subjects and schema must fit together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from common.attestation.envelope import opened
from common.attestation.statement import Statement
from common.attestation.trust import Trust
from ops.drill.evidence import ARTEFACTS, PREDICATE_TYPE, read_envelope, subjects
from ops.drill.judging import findings, verdict
from ops.drill.model import Predicate

CLOCKS_APART: Final = timedelta(minutes=5)
"""How far this machine's clock may be behind the drill's."""
DRIFT_S: Final = 120.0
"""How far the drill's wall clock may stray from the clock that nobody sets, while it runs."""
_TEXTS: Final = ("drill_id", "stack", "commit", "operator", "scenario", "title", "mode", "verdict")


@dataclass(frozen=True)
class Verified:
    """What evidence is worth."""

    predicate: Predicate
    who: str
    """As the reader knows the signer."""
    signed_with: str
    problems: tuple[str, ...]
    """Why it does not prove the restore; none if it does."""

    @property
    def proven(self) -> bool:
        """Whether it proves the restore."""
        return not self.problems


def verify_file(path: Path, trust: Trust, stack: str | None = None, now: datetime | None = None) -> Verified:
    """Read the evidence in a file.

    Args:
        stack: the stack that it must be about, if that matters.
        now: for the check that it is not from the future.

    Raises:
        UnreadableError: it cannot be read.
        RefusedError: it was forged or changed, or nobody who is trusted signed it.
    """
    found = opened(read_envelope(path), trust, PREDICATE_TYPE, str(path))
    problems = tuple(problems_of(found.statement, stack, now or datetime.now(UTC)))
    return Verified(found.statement.predicate, found.signer.who, found.signed_with, problems)


def problems_of(statement: Statement, stack: str | None, now: datetime) -> Iterator[str]:
    """Everything that keeps a statement from proving a restore, in plain sentences."""
    predicate = statement.predicate
    missing = [name for name in _TEXTS if not isinstance(predicate.get(name), str)]
    if missing:
        yield f"the evidence is not whole: it does not say {', '.join(missing)}"
        return
    if stack is not None and predicate["stack"] != stack:
        yield f"it is about {predicate['stack']}, not about {stack}"
    yield from _of_subjects(statement)
    computed = findings(predicate)
    yield from computed
    claimed = predicate.get("findings")
    if predicate["verdict"] != verdict(computed) or claimed != list(computed):
        yield f"it claims {predicate['verdict']!r}, which does not follow from its checks"
    yield from _of_times(predicate, now)


def _of_subjects(statement: Statement) -> Iterator[str]:
    try:
        named = subjects(statement.predicate)
    except (KeyError, TypeError):
        yield "it does not say what it is about"
        return
    if named != statement.subjects:
        yield "the statement's subjects are not what the drill was about"
    names = [subject.name for subject in statement.subjects]
    for name in ARTEFACTS:
        if names.count(name) != 1:
            yield f"it names the {name} {names.count(name)} times"
    program = statement.predicate.get("program")
    if not isinstance(program, Mapping) or not isinstance(program.get("differs"), list):
        yield "it does not say which program the stack was made by"


def _of_times(predicate: Predicate, now: datetime) -> Iterator[str]:
    """The wall clock's times: no phase in the future, in their order, and about as the other clock says."""
    phases = predicate.get("phases")
    listed = phases if isinstance(phases, list) else []
    times = [_moment(phase.get("start")) if isinstance(phase, Mapping) else None for phase in listed]
    known = [time for time in times if time is not None]
    if not isinstance(phases, list) or not known or len(known) != len(times):
        yield "the times of its phases cannot be read"
        return
    if max(known) > now + CLOCKS_APART:
        yield f"a phase began at {max(known):%Y-%m-%d %H:%M} UTC, which is in the future"
    started = _moment_of_id(predicate["drill_id"])
    if started is None or abs(known[0] - started) > timedelta(hours=1):
        yield f"its phases did not begin when the drill {predicate['drill_id']} did"
    try:
        strays = [
            abs((time - known[0]).total_seconds() - (phase["start_s"] - phases[0]["start_s"]))
            for time, phase in zip(known, phases, strict=True)
        ]
    except (KeyError, TypeError, OverflowError):
        return  # the verdict says so
    if max(strays) > DRIFT_S:
        yield f"the clock was set while it ran: by {max(strays):.0f} s"
    lost = _moment(predicate.get("t_failure"))
    if lost is not None and not known[0] - CLOCKS_APART <= lost <= known[-1] + CLOCKS_APART:
        yield "the loss did not happen while the drill ran"


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _moment_of_id(drill_id: str) -> datetime | None:
    try:
        return datetime.strptime(drill_id.partition("-")[0], "%Y%m%dt%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
