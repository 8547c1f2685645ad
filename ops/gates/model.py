"""What a change asks for: the things that a gate looks at, and the approvals that a gate requires for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ops.gates.narrowing import is_narrower

OPEN_TO: Final = "open to"
"""The fact of a way in that says whom it lets in."""
VALUE_LIMIT: Final = 120
"""Characters of a value that stand in a fact; of a longer one its digest does."""


class Kind(StrEnum):
    """What a gate looks for in a change."""

    STATE = "state-at-risk"
    """State, or what serves, may be lost or interrupted."""
    IRREVERSIBLE = "irreversible"
    """A step that no later change takes back."""
    COST = "cost"
    """The stack costs more a month."""
    REACH = "public-reach"
    """Something can be reached from outside that could not be before."""
    WAIVER = "policy-waived"
    """A waiver is new, or says something else than before."""
    VERDICT = "verdict-worse"
    """A rule fails, or cannot tell, where it did not before."""
    CHANGE = "any-change"
    """Anything at all changes."""
    GUARDS = "guards-changed"
    """What judges changes was changed itself."""


@dataclass(frozen=True)
class Item:
    """One thing in a change that a gate may ask about.

    Two items are the same if they say the same of the same subject, whatever words a report has for it.
    """

    kind: Kind
    subject: str
    """A resource's URN, a rule and a resource, a file, or what is counted."""
    facts: tuple[tuple[str, str], ...] = ()
    """What is so, as name and value, by name; what an approval accepts."""
    amount: float | None = None
    """Of something that may become less without a new approval; None of everything else."""
    note: str = ""
    """The report's own words; no part of what an approval accepts."""

    @property
    def key(self) -> str:
        """What tells it from every other item; the amount apart."""
        return sha256([str(self.kind), self.subject, [list(fact) for fact in self.facts]])

    def covers(self, other: Item) -> bool:
        """Whether accepting this one accepts `other`: the same, and no more of it."""
        if self.kind is other.kind is Kind.REACH and self._is_of_the_way_of(other):
            return self.key == other.key or is_narrower(dict(other.facts)[OPEN_TO], dict(self.facts)[OPEN_TO])
        if self.key != other.key or (self.amount is None) != (other.amount is None):
            return False
        return self.amount is None or (other.amount is not None and other.amount <= self.amount)

    def _is_of_the_way_of(self, other: Item) -> bool:
        ours, theirs = ({n: v for n, v in facts if n != OPEN_TO} for facts in (self.facts, other.facts))
        both = OPEN_TO in dict(self.facts) and OPEN_TO in dict(other.facts)
        return both and (self.subject, ours) == (other.subject, theirs)

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.facts)
        much = "" if self.amount is None else f" ({self.amount:,.2f})"
        return f"{self.subject}{much}{f': {said}' if said else ''}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "kind": str(self.kind),
            "subject": self.subject,
            "facts": dict(self.facts),
            "amount": self.amount,
            "note": self.note,
        }


@dataclass(frozen=True)
class Requirement:
    """A gate that a change does not pass without approvals."""

    gate: str
    because: str
    """What the gate is for, in its author's words."""
    approvals: int
    """From how many different people."""
    approvers: tuple[str, ...]
    """Who may give them, as the allowed signers name them."""
    items: tuple[Item, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "gate": self.gate,
            "because": self.because,
            "approvals": self.approvals,
            "approvers": list(self.approvers),
            "items": [item.to_json() for item in self.items],
        }


def item(kind: Kind, subject: str, facts: Mapping[str, object], amount: float | None = None, note: str = "") -> Item:
    """An item whose facts are any JSON values."""
    return Item(kind, subject, tuple(sorted((name, told(value)) for name, value in facts.items())), amount, note)


def told(value: object) -> str:
    """A value as a fact has it: text as it is, all else as JSON, a long one by its digest; on one line."""
    text = value if isinstance(value, str) else canonical(value)
    if len(text) <= VALUE_LIMIT and text.isprintable():
        return text
    return f"{len(text)} characters, {sha256(text)}"


def canonical(value: Any) -> str:
    """JSON in which the order of members says nothing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)


def sha256(value: Any) -> str:
    """The digest of a JSON value."""
    return f"sha256:{hashlib.sha256(canonical(value).encode('utf-8', 'surrogatepass')).hexdigest()}"


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each item once, in an order of its own; of two with one key, the larger amount."""
    found: dict[str, Item] = {}
    for each in sorted(items, key=lambda i: (str(i.kind), i.subject, i.key, i.amount or 0.0)):
        found[each.key] = each
    return tuple(found.values())
