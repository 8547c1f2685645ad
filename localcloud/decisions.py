"""Yes or no with a reason: what every judge of the local cloud answers, whichever cloud it stands for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """Yes or no, and why."""

    yes: bool
    reason: str

    def __bool__(self) -> bool:
        return self.yes
