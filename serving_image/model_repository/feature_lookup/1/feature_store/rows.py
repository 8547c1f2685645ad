"""What a store holds for an entity, whether it can be served, and what is served in its place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

SELF_CHECK_ENTITY = "seawall-self-check"
"""Has the training means in every store, without a read: what a server asks itself before it is ready."""
CLOCK_SKEW_S = 5.0
"""A row that seems to be written later than now by no more than this was written just now by another clock."""

Outcome = Literal["found", "stale", "missing", "expired", "malformed", "throttled", "timeout", "error", "self_check"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Source = Literal["store", "stale", "training_means"]


@dataclass(frozen=True)
class Row:
    """What a store holds for one entity; `expires_at` in seconds since 1970, None if it never expires."""

    features: str
    expires_at: float | None = None


UNREAD = Row("", -math.inf)
"""In the place of a row that the store had no time to read: nobody knows whether there is one."""


class FeatureStore(Protocol):
    """Where rows are kept. `fetch` returns those that exist, and raises whatever its client raises."""

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]: ...


@dataclass(frozen=True)
class Features:
    """The features served for one entity, and how they came about."""

    values: tuple[float, ...]
    outcome: Outcome
    age_s: float | None = None
    """Seconds since the row was written; None where there is none, or nobody knows."""

    @property
    def source(self) -> Source:
        if self.outcome in ("found", "stale"):
            return "stale" if self.outcome == "stale" else "store"
        return "training_means"


@dataclass(frozen=True)
class Freshness:
    """What tells a row's age, and from which age it is stale; None: it is not told.

    A store keeps when a row ends, not when it was written: the age is the lifetime that rows are written with, less
    what is left of it.
    """

    lifetime_s: float | None = None
    stale_after_s: float | None = None

    def age_s(self, row: Row, now: float) -> float | None:
        """Seconds since the row was written; None if it does not say, or lives longer than rows do."""
        if self.lifetime_s is None or row.expires_at is None:
            return None
        age = self.lifetime_s - (row.expires_at - now)
        return age if age >= -CLOCK_SKEW_S else None

    def is_stale(self, age_s: float | None) -> bool:
        """Whether a row of this age is served as stale."""
        return age_s is not None and self.stale_after_s is not None and age_s >= self.stale_after_s


ALWAYS_FRESH = Freshness()


def judge(row: Row | None, length: int, now: float) -> tuple[tuple[float, ...] | None, Outcome]:
    """The row's numbers if it is usable at `now`, and what it was.

    An expired row counts as absent although it is there: DynamoDB may delete it days later.
    """
    if row is None:
        return None, "missing"
    if row is UNREAD:
        return None, "throttled"
    if row.expires_at is not None and row.expires_at <= now:
        return None, "expired"
    try:
        numbers = json.loads(row.features)
    except (ValueError, RecursionError):
        return None, "malformed"
    if not isinstance(numbers, list) or len(numbers) != length:
        return None, "malformed"
    if not all(type(number) in (int, float) for number in numbers):
        return None, "malformed"
    try:
        values = tuple(float(number) for number in numbers)
    except OverflowError:
        return None, "malformed"
    if not all(math.isfinite(value) for value in values):
        return None, "malformed"
    return values, "found"
