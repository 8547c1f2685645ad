"""What an estimate is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """What one planned resource costs a month."""

    type: str
    name: str
    what: str
    """How the sum comes about: `2 × g6.xlarge spot`."""
    idle_usd: float
    """With the fewest machines that the fleet's fewest replicas need."""
    full_usd: float
    """With all machines that the pools may have, all month."""


@dataclass(frozen=True)
class Estimate:
    """One stack's cost, what is free or left out, and what no price is known of."""

    stack: str
    lines: tuple[Line, ...]
    free: tuple[tuple[str, int, str], ...]
    """Type, how many, and why they cost nothing."""
    left_out: tuple[tuple[str, int, str], ...]
    """Type, how many, and what their cost depends on that no plan knows."""
    not_priced: tuple[tuple[str, str], ...]
    """Type and name of what has no price here: the totals are too low by it."""

    @property
    def idle_usd(self) -> float:
        """A month at the fewest machines."""
        return sum(line.idle_usd for line in self.lines)

    @property
    def full_usd(self) -> float:
        """A month at the most machines."""
        return sum(line.full_usd for line in self.lines)
