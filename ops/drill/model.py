"""What a drill records, as plain data that evidence is written from; what it means is for `ops.drill.judging`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from common.errors import UserError

SCHEMA_VERSION: Final = 4
Predicate = Mapping[str, Any]
"""All that a drill found, as JSON: what is signed, and what the verdict is computed from."""


@dataclass(frozen=True)
class Check:
    """Something that must be so for a restore to be proven, with what was found; all values are plain JSON."""

    name: str
    """Such as `objects.restored`; several subjects may have the same check."""
    rule: str
    """How `found` is compared: a key of `ops.drill.rules.RULES`."""
    expected: Any
    found: Any
    subject: str = ""
    """What was looked at."""


@dataclass(frozen=True)
class Control:
    """A fault that the drill put in, and what the check then said that must find it."""

    name: str
    fault: str
    """In words."""
    planted: Check
    """The check with the fault in: it must fail."""
    undone: tuple[Check, ...] = ()
    """The same check before the fault was put in and after it was undone: they must pass."""


@dataclass(frozen=True)
class Phase:
    """A timed part of the drill."""

    name: str
    start: datetime
    start_s: float
    """Seconds since the drill's beginning, on a clock that nobody sets."""
    seconds: float


@dataclass(frozen=True)
class RecoveryPoint:
    """A copy of the feature store in the backup region that a drill can restore from."""

    id: str
    created: datetime
    """When the data in it was as it is: the moment of the backup, not of its copy."""
    vault: str
    region: str
    locked: bool
    """Whether something keeps it from being deleted before its time."""

    def to_json(self) -> dict[str, Any]:
        """As evidence tells it."""
        return {**asdict(self), "created": self.created.isoformat()}


@dataclass(frozen=True)
class ExpectedObject:
    """An object as it was in the primary before the loss."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class KeyFound:
    """What a restored resource is encrypted with."""

    resource: str
    key: str
    region: str


@dataclass(frozen=True)
class Setting:
    """A setting that the stack promises, beside what the cloud says."""

    resource: str
    setting: str
    expected: Any
    found: Any


class NotRecoverableError(UserError):
    """What a restore needs does not exist or cannot be used: the drill has failed, not the command."""
