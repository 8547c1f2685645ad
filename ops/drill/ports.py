"""What a drill needs of a cloud, and what takes one away; no implementation asks whether the cloud is emulated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from components.contracts.recovery import Bound
from ops.drill.model import KeyFound, RecoveryPoint, Setting
from ops.features.store import FeatureStore
from ops.objects.store import ObjectStore
from stacks.settings import Settings


class DrillCloud(Protocol):
    """A stack's data plane in both regions. Every method raises `common.errors.UserError` if the cloud refuses."""

    @property
    def primary(self) -> ObjectStore:
        """The model bucket."""
        ...

    @property
    def replica(self) -> ObjectStore:
        """Its copy in the backup region."""
        ...

    @property
    def feature_store(self) -> FeatureStore:
        """The primary feature store."""
        ...

    def note_primary(self) -> Mapping[str, Any]:
        """Take down what a restore needs and only the primary knows, while it still answers; JSON for the evidence.

        It is what an operator has in the plan and the outputs, which are kept outside the region.
        """
        ...

    def hurry_copies(self) -> list[str]:
        """Start what copies objects now, where the cloud has a job for it that would come due later; say what."""
        ...

    def recovery_point(self, since: datetime) -> RecoveryPoint | None:
        """The newest recovery point in the backup region made at or after `since`; None if there is none yet."""
        ...

    def still_answering(self) -> list[str]:
        """What in the primary region answers a call, if only by a refusal: storage, feature store, keys, jobs."""
        ...

    def off_schedule(self, point: RecoveryPoint) -> list[str]:
        """What made this point at another time than its schedule says; asked while the primary answers."""
        ...

    def drills(self) -> Mapping[str, list[str]]:
        """Drill id → what exists of its restore, of every drill of this stack.

        Raises:
            UserError: something is called like a drill's own, and is none.
        """
        ...

    def leftovers(self, drill_id: str) -> list[str]:
        """What exists of this drill's restore, found by asking the cloud anew."""
        ...

    def make_bucket(self, drill_id: str, promised: Settings) -> ObjectStore:
        """A new bucket in the backup region under the recovery key: versioned, private."""
        ...

    def let_read(self, bucket: ObjectStore, principal: str) -> None:
        """Give a pod's identity what it needs to read a restored bucket: its own rights end at the lost one."""
        ...

    def restore_features(self, point: RecoveryPoint, drill_id: str) -> FeatureStore:
        """A new feature store in the backup region from `point`, with the settings that a restore does not bring."""
        ...

    def encryption(self, bucket: ObjectStore, store: FeatureStore) -> list[KeyFound]:
        """What the restored resources are encrypted with."""
        ...

    def deployed(self, promised: Settings) -> list[Setting]:
        """What was deployed beside what the stack promises: buckets, copies, feature store, keys."""
        ...

    def bounds(self, promised: Settings) -> list[Bound | str]:
        """How old the newest copies can be by the deployed schedules; a text says why something has no bound."""
        ...

    def restored(self, bucket: ObjectStore, store: FeatureStore, promised: Settings) -> list[Setting]:
        """The restored resources' settings beside those that the stack promises."""
        ...

    def clean_up(self, drill_id: str) -> list[str]:
        """Delete what the drill made in the backup region, and say what."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Versions of the client libraries that spoke to this cloud."""
        ...


class Disaster(Protocol):
    """What takes a region away; the session gives it, and a scenario that destroys nothing never asks for it."""

    def lose_region(self, region: str) -> None:
        """From now on nothing in `region` answers any call."""
        ...

    def restore_region(self, region: str) -> None:
        """The region answers again, with all that it held."""
        ...
