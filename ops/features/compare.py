"""Whether a feature store holds what a file says, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ops.features.rows import Row, in_batches, numbers
from ops.features.store import Rows

EXAMPLES: Final = 10
"""How many entities of each fault are named."""
BATCH: Final = 1000


@dataclass
class Report:
    """What was found; the lists name the first entities alone."""

    expected: int = 0
    same: int = 0
    missing: int = 0
    mismatched: int = 0
    expired: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return self.same == self.expected

    def add(self, entity: str, outcome: str) -> None:
        """Count one row's outcome."""
        self.expected += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome != "same" and len(named := self.examples.setdefault(outcome, [])) < EXAMPLES:
            named.append(entity)


def compare(store: Rows, expected: Iterable[tuple[str, Row]], now_s: float) -> Report:
    """Read every row that is expected, in batches, and compare the numbers.

    A row that is there past its time counts as expired, as a look-up takes it.
    """
    report = Report()
    for batch in in_batches(expected, BATCH):
        found = store.fetch([entity for entity, _ in batch])
        for entity, row in batch:
            report.add(entity, outcome(found.get(entity), row, now_s))
    return report


def outcome(found: Row | None, wanted: Row, now_s: float) -> str:
    """`same`, `missing`, `expired` or `mismatched`."""
    if found is None:
        return "missing"
    if found.expires_at is not None and found.expires_at <= now_s:
        return "expired"
    return "same" if _numbers(found.features) == _numbers(wanted.features) else "mismatched"


def _numbers(text: str) -> list[float] | str:
    found = numbers(text)
    return text if found is None else found
