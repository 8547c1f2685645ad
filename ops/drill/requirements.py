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


BEFORE: Final[Mapping[str, str]] = {
    "regions.apart": "at least",
    "release.pinned": "same",
    "release.intact": "whole",
    "release.claim": "same",
    "release.pointer": "same",
    "release.previous": "same",
    "rows.before": "rows",
    "goldens.set": "goldens",
    "settings.deployed": "same",
    "rpo.bound": "at most",
    "clock.skew": "at most",
}
"""What is looked at while everything stands."""
RESTORED: Final[Mapping[str, str]] = {
    "objects.restored": "whole",
    "rows.restored": "whole",
    "encryption.restored": "same",
    "settings.restored": "same",
    "predictions": "answers",
    "rto.measured": "at most",
    "cleanup.left": "none",
}
CONTROLS: Final[Mapping[str, str]] = {
    "object.flipped": "objects.restored",
    "object.missing": "objects.restored",
    "row.changed": "rows.restored",
    "row.missing": "rows.restored",
    "row.expiry": "rows.restored",
    "golden.wrong": "predictions",
    "golden.cut": "goldens.set",
    "golden.tolerance": "goldens.set",
    "key.wrong": "encryption.restored",
    "region.same": "regions.apart",
}
"""Put to everything that was restored."""

REGION_LOST: Final = Requirements(
    checks={
        **BEFORE,
        "region.lost": "none",
        **RESTORED,
        "rpo.measured": "marks",
        "rpo.point": "at least",
    },
    controls={**CONTROLS, "rpo.stale": "rpo.measured"},
)

REQUIREMENTS: Final[Mapping[str, Requirements]] = {"region-lost": REGION_LOST}
"""By the scenario's name."""
