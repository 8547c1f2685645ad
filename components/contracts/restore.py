"""What a restore in the backup region takes: what stands there already, and what is left for people to do.

Estimates, dated 2026-11-21, for one person who follows `docs/recovery.md` step by step; nothing here was measured in
an account. Settings refuse a recovery time objective below their sum, and the page's table is generated from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.feature_store import (
    BigtableSpec,
    DynamoDBSpec,
    FeatureStoreBase,
    FirestoreSpec,
    MemorystoreSpec,
    ValkeySpec,
)
from components.contracts.recovery import hours_by_size
from components.contracts.vocabulary import Cloud


@dataclass(frozen=True)
class Step:
    """Something that a person does, or waits for."""

    does: str
    minutes: int
    because: str
    """Where the estimate comes from."""


STANDING: Final[Mapping[Cloud, tuple[str, ...]]] = {
    Cloud.AWS: (
        "the model bucket's replica, which can be served as it is",
        "recovery points of the feature store, in a locked vault",
        "the recovery key, usable by disks, log groups, alarms and every service of a rebuilt stack",
        "the images, in a registry of its own",
        "a VPC with a subnet in each zone (`standby.cidr`), and gateway endpoints through which machines in it read "
        "image layers, this environment's replicas and restored buckets, and its restored tables",
        "an encrypted topic with the same subscribers, and the alarms on silence",
    ),
    Cloud.GCP: (
        "the model bucket's replica, which can be served as it is",
        "exports of the feature store, and backups of the cluster",
        "the recovery key, usable by disks, logs, images and every service of a rebuilt stack",
        "the images, in a registry of its own",
        "a subnet of the stack's network (`standby.cidr`); routes, names and firewalls are global",
        "alerts and their channels, which are global",
    ),
}
"""What needs no work when the primary region is lost."""

QUOTAS: Final = Step(
    "Nothing, if quotas for the fleet's GPUs stand in the backup region; otherwise this restore cannot begin.",
    0,
    "granted beforehand, within days: `seawall preflight` looks",
)
_DECIDE: Final = Step("Decide, and take outputs and credentials at hand", 15, "believed")
_MACHINES: Final[Mapping[Cloud, Step]] = {
    Cloud.AWS: Step(
        "Make interface endpoints (ECR, STS, logs) and GPU machines in the standing subnets", 20, "believed"
    ),
    Cloud.GCP: Step("Make GPU machines in the standing subnet", 15, "believed"),
}
_SERVE: Final = Step("Pull the serving image (about 10 GB), and fetch and verify the release", 15, "believed")
_PREDICT: Final = Step("Ask for the golden predictions and compare", 10, "believed")
_TRAFFIC: Final = Step("Move traffic, and wait until resolvers have forgotten the old address", 15, "believed")


def features_step(store: FeatureStoreBase) -> Step:
    """Bringing the features back, which depends on their kind and size.

    Raises:
        TypeError: a kind whose restore nobody has described.
    """
    by_size = math.ceil(60 * hours_by_size(store.gib))
    match store:
        case DynamoDBSpec():
            return Step(
                "Restore the table from the newest recovery point",
                60 + by_size,
                "DynamoDB's guide: most restores are over within an hour; size believed",
            )
        case MemorystoreSpec():
            return Step(
                "Make an instance, let it read the exports, and import the newest one",
                20 + by_size,
                "Memorystore's pages: an hour for 100 GB; the instance itself believed",
            )
        case FirestoreSpec():
            return Step("Make a database, and import the newest export", 20 + by_size, "believed")
        case ValkeySpec():
            return Step("Take the standing group out of its global datastore", 15, "believed")
        case BigtableSpec():
            return Step("See that the standing cluster answers", 5, "believed")
        case _:
            raise TypeError(f"nobody has said how {type(store).__name__} is restored")


def steps(cloud: Cloud, store: FeatureStoreBase) -> tuple[Step, ...]:
    """What is left to do, in the order of `docs/recovery.md`."""
    return (QUOTAS, _DECIDE, features_step(store), _MACHINES[cloud], _SERVE, _PREDICT, _TRAFFIC)


def restore_minutes(cloud: Cloud, store: FeatureStoreBase) -> int:
    """The sum of the steps."""
    return sum(step.minutes for step in steps(cloud, store))
