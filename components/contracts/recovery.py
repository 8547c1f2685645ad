"""How old the newest copy in the backup region can be, part by part: the one place that an RPO is bounded.

Settings refuse an objective below it, plans and drills show it, and the alarms on silence wait no longer than the
objective, which is never below it. What a restore then takes is `components.contracts.restore`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from components.contracts.backup import BackupSpec
from components.contracts.feature_store import (
    BigtableSpec,
    DynamoDBSpec,
    FeatureStoreBase,
    FirestoreSpec,
    MemorystoreSpec,
    ValkeySpec,
)
from components.contracts.vocabulary import Cloud

PLAN_START_MINUTES: Final = 60
"""AWS Backup starts a job within this time of its schedule, and accepts no shorter one; left out it is 8 hours.

API reference of AWS Backup, `BackupRule.StartWindowMinutes` ("at least 60 minutes"), terraform-provider-aws#8794.
"""
PLAN_RUN_MINUTES: Final = 60
"""A job may run this long when it starts at the end of its window: AWS Backup ends it at start window + this.

Left out, a job may take 7 days (aws/aws-cdk#27061). `CompletionWindowMinutes` counts from the schedule by the
reference of `StartBackupJob`, and from the start by that of `BackupRule`: the bound takes the longer one.
"""
PLAN_STAGGER_MINUTES: Final = 5
"""Minutes after the full hour at which frequent points are due, so that no start window touches a daily one's.

AWS Backup makes one recovery point where two rules' start windows overlap (developer guide, "Backup plan options and
configuration", read 2026-11-21); windows that only touch are believed to count, and a point would be left out.
"""
COPY_BASE_MINUTES: Final = 15
"""Believed: a copy job waits this long for its turn, and its event is sent every 5 minutes."""
COPY_GIB_PER_HOUR: Final = 100
"""Believed: what AWS Backup and Storage Transfer Service copy between regions, at least, and what a restore takes.

Memorystore's own pages give 100 GB an hour for exports and imports; the others publish no rate.
"""
SCHEDULER_START_MINUTES: Final = 20
"""Cloud Scheduler's attempts of a call: 4 of 3 minutes, with pauses of 1, 2 and 4 minutes, rounded up."""
EXPORT_BASE_MINUTES: Final = 10
"""Believed: what an export takes of an empty store."""
TRANSFER_INTERVAL_MINUTES: Final = 60
"""The least interval of a Storage Transfer job (reference of `Schedule.repeatInterval`, read 2026-11-21)."""
TRANSFER_RUN_MINUTES: Final = 30
"""Believed: a run that finds one new release, or one new export, and copies it."""
RTC_MINUTES: Final = 15
"""S3 Replication Time Control: 99.99 % of new objects are copied within it (S3 user guide, read 2026-11-21)."""
SNAPSHOT_WINDOW_MINUTES: Final = 60
"""ElastiCache begins its daily snapshot within the window; Bigtable's daily backup is believed to keep to an hour."""


@dataclass(frozen=True)
class Part:
    """One thing that makes the newest copy older."""

    name: str
    minutes: int

    def __str__(self) -> str:
        return f"{self.minutes} min {self.name}"


@dataclass(frozen=True)
class Bound:
    """How old the newest copy of something can be in the backup region while everything works."""

    of: str
    parts: tuple[Part, ...]

    @property
    def minutes(self) -> int:
        """The sum of the parts."""
        return sum(part.minutes for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the bound, and what it is made of."""
        parts = [{"name": part.name, "minutes": part.minutes} for part in self.parts]
        return {"of": self.of, "bound_minutes": self.minutes, "parts": parts}

    def __str__(self) -> str:
        return f"{self.minutes} min: {' + '.join(str(part) for part in self.parts)}"


def hours_by_size(gib: float) -> float:
    """Hours that copying, exporting or restoring `gib` takes, without what comes on top of any size."""
    return gib / COPY_GIB_PER_HOUR


def export_minutes(gib: float) -> int:
    """Minutes that an export of a store takes: administration of a Memorystore instance is blocked meanwhile."""
    return EXPORT_BASE_MINUTES + math.ceil(60 * hours_by_size(gib))


def copy_minutes(gib: float) -> int:
    """Minutes from the end of a backup job until its copy is in the other region's vault."""
    return COPY_BASE_MINUTES + math.ceil(60 * hours_by_size(gib))


def run_minutes(gib: float) -> int:
    """Minutes that a backup job may run before AWS Backup ends it."""
    return max(PLAN_RUN_MINUTES, copy_minutes(gib))


def fewest_hours_by_size(store: FeatureStoreBase) -> int:
    """The least hours between two copies: an export is over in half of them, and administration has the other half.

    Memorystore refuses scaling, upgrades and failovers while it exports; other kinds make copies beside their work.
    """
    if not isinstance(store, MemorystoreSpec):
        return store.fewest_hours_between_points
    return max(store.fewest_hours_between_points, math.ceil(2 * export_minutes(store.gib) / 60))


def features_bound(store: FeatureStoreBase, backup: BackupSpec) -> Bound:
    """How old the newest copy of the feature store can be.

    Raises:
        TypeError: a kind whose copies nobody has timed.
    """
    every = Part("between recovery points", 60 * backup.frequency_hours)
    match store:
        case DynamoDBSpec():
            parts = (
                Part("between recovery points", every.minutes + PLAN_STAGGER_MINUTES),
                Part("start window", PLAN_START_MINUTES),
                Part("completion window", PLAN_START_MINUTES + run_minutes(store.gib)),
                Part("copy", copy_minutes(store.gib)),
            )
        case MemorystoreSpec():
            parts = (
                every,
                Part("start by the scheduler", SCHEDULER_START_MINUTES),
                Part("export", export_minutes(store.gib)),
            )
        case FirestoreSpec():
            parts = (
                every,
                Part("start by the scheduler", SCHEDULER_START_MINUTES),
                Part("export", export_minutes(store.gib)),
                Part("until a transfer begins", TRANSFER_INTERVAL_MINUTES),
                Part("copy", TRANSFER_RUN_MINUTES + math.ceil(60 * hours_by_size(store.gib))),
            )
        case ValkeySpec() | BigtableSpec():
            parts = (
                every,
                Part("start window", SNAPSHOT_WINDOW_MINUTES),
                Part("snapshot", export_minutes(store.gib)),
            )
        case _:
            raise TypeError(f"nobody has said how long copies of {type(store).__name__} take")
    return Bound("features", parts)


def models_bound(cloud: Cloud) -> Bound:
    """How old the newest copy of the model releases can be."""
    if cloud is Cloud.AWS:
        return Bound("models", (Part("replication time control", RTC_MINUTES),))
    return Bound(
        "models",
        (
            Part("between transfers", TRANSFER_INTERVAL_MINUTES),
            Part("copy", TRANSFER_RUN_MINUTES),
        ),
    )


def bounds(cloud: Cloud, store: FeatureStoreBase, backup: BackupSpec) -> tuple[Bound, ...]:
    """Both, the longer one first: a stack may promise no less."""
    return tuple(
        sorted((features_bound(store, backup), models_bound(cloud)), key=lambda bound: bound.minutes, reverse=True)
    )
