"""Where a pod must be let out to: an address range and a port, for network policies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Door:
    """An address range and a TCP port of it that a pod must reach."""

    cidr: str
    port: int
