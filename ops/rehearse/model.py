"""What a rehearsal finds: named checks, each with what was seen, and tables for whoever wants to read them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ops.capacity.course import Sample
from ops.rehearse.tempo import Tempo

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True)
class Check:
    """One claim that was tried."""

    area: str
    name: str
    ok: bool
    seen: str


@dataclass(frozen=True)
class Table:
    """Rows of what was asked and answered, of which the checks are the sum."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Report:
    """A rehearsal of one stack, as far as it came."""

    stack: str
    kubernetes: str
    tempo: Tempo
    began: str = ""
    seconds: float = 0.0
    checks: list[Check] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    course: list[Sample] = field(default_factory=list)
    phases: list[tuple[str, float]] = field(default_factory=list)
    """Each phase of the load with its first moment."""
    unseen_seconds: float = 0.0
    """The longest while of the load, in its own time, in which nobody could look: by it a busy machine shows."""
    not_judged: list[str] = field(default_factory=list)
    subject: str = ""
    """Whose replicas are tried, where a stack has several sets of them."""

    def add(self, area: str, name: str, ok: bool, seen: str) -> bool:
        """Note a check; returns whether it holds."""
        self.checks.append(Check(area, f"{self.subject}: {name}" if self.subject else name, ok, seen))
        return ok

    @property
    def failed(self) -> list[Check]:
        """The checks that do not hold."""
        return [check for check in self.checks if not check.ok]

    @property
    def ok(self) -> bool:
        """Whether all of them hold, and there are any."""
        return bool(self.checks) and not self.failed

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "stack": self.stack,
            "kubernetes": self.kubernetes,
            "verdict": "passed" if self.ok else "failed",
            "began": self.began,
            "seconds": round(self.seconds, 1),
            "time_compressed_by": self.tempo.factor,
            "checks": [asdict(check) for check in self.checks],
            "tables": [asdict(table) for table in self.tables],
            "phases": [{"name": name, "at": at} for name, at in self.phases],
            "unseen_seconds": round(self.unseen_seconds, 1),
            "course": [asdict(sample) for sample in self.course],
            "not_judged": list(self.not_judged),
        }


def text_table(
    head: Sequence[str], rows: Iterable[Sequence[str]]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Head and rows as a `Table` holds them."""
    return tuple(head), tuple(tuple(map(str, row)) for row in rows)


def named(item: Mapping[str, Any]) -> str:
    """An object by kind, namespace and name."""
    metadata = item["metadata"]
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{item['kind']} {where}{metadata['name']}"
