"""What an attacker does to a stack, and what a scenario asks of what is left; one implementation for each cloud.

Kept apart from `ops.drill.ports`: a restore never needs it, and a test in a real account must not have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ops.drill.model import RecoveryPoint
from ops.objects.store import ObjectInfo, ObjectStore


class Harm(Protocol):
    """Every method raises `common.errors.UserError` if the cloud refuses, but where it says otherwise."""

    def lose_key(self, key: str) -> None:
        """Disable a key and let it be scheduled for deletion, as far as the cloud goes at once."""
        ...

    def bring_key_back(self, key: str) -> None:
        """Undo `lose_key`."""
        ...

    def delete_features(self) -> None:
        """Delete the feature store, its own protection lifted first."""
        ...

    def points(self) -> Sequence[RecoveryPoint]:
        """Every recovery point of the feature store in the backup region, newest first, older versions included."""
        ...

    def purge_point(self, point: RecoveryPoint) -> str:
        """Try to delete a recovery point for good: what kept it, in words; empty if it went."""
        ...

    def purge_version(self, bucket: ObjectStore, item: ObjectInfo) -> str:
        """Try to delete a version for good: what kept it, in words; empty if it went."""
        ...

    def bring_versions_back(self, bucket: ObjectStore) -> int:
        """Bring back versions that were deleted and that the cloud still keeps; how many."""
        ...

    def bring_points_back(self) -> int:
        """Bring back recovery points that were deleted and that the cloud still keeps; how many."""
        ...

    def restorable(self, point: RecoveryPoint) -> RecoveryPoint:
        """The point as a restore takes it: an older version gets a name of its own where it needs one."""
        ...

    def clean_up(self) -> None:
        """Remove what `restorable` made."""
        ...
