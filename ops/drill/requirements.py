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
    "release.signed": "same",
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

SERVED_AGAIN: Final[Mapping[str, str]] = {**BEFORE, **RESTORED}
"""Where models and features came back into resources of their own."""
KEY_LOST: Final = Requirements(
    checks={**SERVED_AGAIN, "primary.lost": "same", "restored.readable": "same"},
    controls={**CONTROLS, "recovery-key.lost": "restored.readable"},
)
OBJECTS_HARMED: Final = Requirements(
    checks={**SERVED_AGAIN, "versions.kept": "none", "older.chosen": "at least", "harm.absent": "none"},
    controls={**CONTROLS, "harm.kept": "harm.absent"},
)
TABLE_HARMED: Final = Requirements(
    checks={**SERVED_AGAIN, "points.kept": "none", "older.chosen": "at least", "harm.absent": "none"},
    controls={**CONTROLS, "row.harmed": "rows.restored", "harm.kept": "harm.absent"},
)
BAD_RELEASE: Final = Requirements(
    checks={
        **BEFORE,
        "pointer.restored": "same",
        "release.restored": "whole",
        "objects.untouched": "none",
        "predictions": "answers",
        "rto.measured": "at most",
        "cleanup.left": "none",
    },
    controls={"release.bad": "predictions"},
)

FAILBACK: Final = Requirements(
    checks={
        **BEFORE,
        "predictions": "answers",
        "rto.measured": "at most",
        "objects.back": "whole",
        "rows.back": "whole",
        "replica.back": "whole",
        "predictions.back": "answers",
        "failback.measured": "at most",
        "cleanup.left": "none",
    },
    controls={"object.older": "objects.back", "row.older": "rows.back"},
)

RESTORE_TEST: Final = Requirements(
    checks={
        **BEFORE,
        "copies.age": "at most",
        "releases.verified": "same",
        "rows.readable": "at least",
        **RESTORED,
    },
    controls={**CONTROLS, "copy.stale": "copies.age"},
)
STATE_LOST: Final = Requirements(
    checks={
        "objects.restored": "whole",
        "state.same": "same",
        "refresh.empty": "none",
        "preview.empty": "none",
        "rto.measured": "at most",
        "cleanup.left": "none",
    },
    controls={
        "object.flipped": "objects.restored",
        "object.missing": "objects.restored",
        "state.stale": "state.same",
    },
)

REQUIREMENTS: Final[Mapping[str, Requirements]] = {
    "region-lost": REGION_LOST,
    "key-lost": KEY_LOST,
    "object-deleted": OBJECTS_HARMED,
    "object-encrypted": OBJECTS_HARMED,
    "table-deleted": TABLE_HARMED,
    "table-encrypted": TABLE_HARMED,
    "bad-release": BAD_RELEASE,
    "failback": FAILBACK,
    "restore-test": RESTORE_TEST,
    "state-lost": STATE_LOST,
}
"""By the scenario's name."""
