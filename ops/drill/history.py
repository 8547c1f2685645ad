"""The trend of a stack's drills, from the evidence that was kept; and whether its last proof is still fresh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from common.attestation.problems import RefusedError
from common.attestation.trust import Trust
from common.errors import UserError
from ops.drill.model import Predicate
from ops.drill.reading import objectives
from ops.drill.verifying import verify_file

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""Evidence from further in the future is none."""


@dataclass(frozen=True)
class Promised:
    """The stack's objectives, in seconds."""

    rpo_s: float
    rto_s: float

    def laxer(self, predicate: Predicate) -> str:
        """What the evidence allowed beyond the promise, in a sentence; empty if nothing."""
        checks = predicate["checks"]
        allowed = [
            *(("RPO", self.rpo_s, c["expected"]) for c in checks if c["name"] in ("rpo.bound", "copies.age")),
            *(("RPO", self.rpo_s, c["expected"]["at_most_s"]) for c in checks if c["name"] == "rpo.measured"),
            *(("RTO", self.rto_s, c["expected"]) for c in checks if c["name"] == "rto.measured"),
        ]
        return next(
            (f"an {of} of {s:g} s was allowed, and {most:g} s is promised" for of, most, s in allowed if s > most), ""
        )


@dataclass(frozen=True)
class Entry:
    """One piece of evidence."""

    file: str
    began: str
    """ISO 8601; empty if the evidence was refused."""
    scenario: str
    mode: str
    verdict: str
    """`proven`, `not proven`, or `refused`."""
    rpo_s: float | None = None
    rto_s: float | None = None
    why: str = ""

    def counts(self, modes: Iterable[str]) -> bool:
        """Whether it is a proof."""
        return self.verdict == "proven" and self.mode in modes


@dataclass(frozen=True)
class History:
    """A stack's evidence, oldest first, and whether the last proof is fresh enough."""

    stack: str
    entries: tuple[Entry, ...]
    max_age_days: int
    modes: tuple[str, ...]
    now: datetime

    @property
    def last_proof(self) -> Entry | None:
        """The newest one that counts."""
        return max((e for e in self.entries if e.counts(self.modes)), key=lambda e: e.began, default=None)

    @property
    def age_days(self) -> float | None:
        """Of the last proof; None if there is none."""
        proof = self.last_proof
        return None if proof is None else (self.now - datetime.fromisoformat(proof.began)).total_seconds() / 86400

    @property
    def is_fresh(self) -> bool:
        """Whether there is a proof, and it is no older than the stack's settings allow."""
        return self.age_days is not None and self.age_days <= self.max_age_days

    @property
    def told(self) -> str:
        """The judgement in a sentence."""
        kind = " or ".join(self.modes)
        if self.age_days is None:
            return f"{self.stack}: no {kind} drill has proven a restore"
        told = f"{self.stack}: the last {kind} proof is {self.age_days:.1f} days old"
        return f"{told}, and may be {self.max_age_days} days old (backup.proof_max_age_days)"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "stack": self.stack,
            "fresh": self.is_fresh,
            "age_days": self.age_days,
            "max_age_days": self.max_age_days,
            "modes": list(self.modes),
            "drills": [asdict(entry) for entry in self.entries],
        }


def history(
    stack: str,
    folder: Path,
    trust: Trust,
    max_age_days: int,
    modes: tuple[str, ...],
    now: datetime | None = None,
    promised: Promised | None = None,
) -> History:
    """Every piece of the stack's evidence below a folder, each judged as `--verify` does.

    Args:
        modes: `real`, `emulated`: which drills count as proofs.
        promised: what the stack's settings promise; evidence that allowed more is no proof of it.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(
            "there is no such folder", str(folder), "Name the folder in which drills keep their evidence."
        )
    at = now or datetime.now(UTC)
    files = sorted(folder.rglob(f"drill-{stack}-*.json"))
    entries = [_entry(path, folder, trust, stack, at, promised) for path in files]
    return History(stack, tuple(sorted(entries, key=lambda e: (e.began, e.file))), max_age_days, modes, at)


def table(entries: Sequence[Entry]) -> list[str]:
    """Lines for people."""
    if not entries:
        return []
    rows = [("began", "scenario", "mode", "verdict", "RPO s", "RTO s")]
    rows += [
        (e.began[:16] or e.file, e.scenario, e.mode, e.verdict, _figure(e.rpo_s), _figure(e.rto_s)) for e in entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [*lines, *(f"refused: {e.file}: {e.why}" for e in entries if e.verdict == "refused")]


def _entry(path: Path, folder: Path, trust: Trust, stack: str, now: datetime, promised: Promised | None) -> Entry:
    name = str(path.relative_to(folder))
    try:
        found = verify_file(path, trust, stack)
        began = _began(found.predicate, now)
        laxer = promised.laxer(found.predicate) if promised and found.proven else ""
        measured = {each.name: each.measured_s for each in objectives(found.predicate)}
    except (RefusedError, UserError) as error:
        return Entry(name, "", "", "", "refused", why=error.what)
    except (ValueError, TypeError, KeyError, IndexError):
        return Entry(name, "", "", "", "refused", why="it does not say when it was made, or what it measured")
    return Entry(
        name,
        began,
        str(found.predicate.get("scenario")),
        str(found.predicate.get("mode")),
        "proven" if found.proven and not laxer else "not proven",
        measured.get("RPO"),
        measured.get("RTO"),
        laxer or next(iter(found.problems), ""),
    )


def _began(predicate: Predicate, now: datetime) -> str:
    began = datetime.fromisoformat(predicate["phases"][0]["start"])
    if began.tzinfo is None or began > now + CLOCKS_DIFFER:
        raise ValueError("it is from the future")
    return began.astimezone(UTC).isoformat()


def _figure(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f}"
