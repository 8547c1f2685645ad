"""What each scenario's evidence must hold: a check or a control that was left out is a finding.

It stands apart from the scenarios, so that evidence can be judged where no cloud's library is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Requirements:
    """By name: the rule of each check, and the check that each control's fault must fail."""

    checks: Mapping[str, str]
    controls: Mapping[str, str]


REGION_LOST: Final = Requirements(
    checks={
        "objects.restored": "whole",
        "rows.restored": "whole",
        "encryption.restored": "same",
        "settings.restored": "same",
        "regions.apart": "at least",
        "predictions": "answers",
        "rto.measured": "at most",
        "cleanup.left": "none",
    },
    controls={"object.flipped": "objects.restored", "object.missing": "objects.restored"},
)

REQUIREMENTS: Final[Mapping[str, Requirements]] = {"region-lost": REGION_LOST}
"""By the scenario's name."""
