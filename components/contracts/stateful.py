"""What a resource holds that the program cannot make again, and what brings it back: said once, where it is made.

`Component.keep` takes the declaration; protection against deletion and retention follow from it. The component shows
its declarations as an output, so that both the offline plan and the engine's policy pack find them in the inventory.
A resource without a declaration is stateless: the program makes it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

OUTPUT: Final = "stateful"
"""The output of a component that lists its declarations."""

GUARDS: Final[Mapping[str, tuple[object, ...]]] = {
    "deletionProtection": (True, "PROTECTED"),
    "deletionProtectionEnabled": (True,),
    "deleteProtectionState": ("DELETE_PROTECTION_ENABLED",),
    "forceDelete": (False,),
    "forceDestroy": (False,),
}
"""The clouds' own deletion protection: a resource type's input → the values with which it resists."""


class CopiedBy(StrEnum):
    """What copies a resource's content to the backup region. Not what protects it in its own region."""

    REPLICATION = "S3 replication"
    TRANSFER_JOB = "a transfer job"
    BACKUP_PLAN = "AWS Backup"
    EXPORT = "scheduled exports"
    CLUSTER_BACKUP = "Backup for GKE"
    GLOBAL_DATASTORE = "a global datastore with snapshots of its own"
    IMAGE_SYNC = "`seawall images sync`"
    CLUSTER = "a replicated cluster with backups of its own"


@dataclass(frozen=True)
class NotCopied:
    """The content has no copy in the backup region."""

    because: str
    """Why it needs none, or can have none; completes "not copied: …"."""


@dataclass(frozen=True)
class Stateful:
    """The declaration."""

    holds: str
    """What is lost with the resource; completes "At stake: …"."""
    copies: CopiedBy | NotCopied

    def __str__(self) -> str:
        copies = self.copies
        how = f"not copied: {copies.because}" if isinstance(copies, NotCopied) else f"copied by {copies}"
        return f"{self.holds} ({how})"

    def to_json(self) -> dict[str, str]:
        """Plain JSON, as an inventory holds it."""
        if isinstance(self.copies, NotCopied):
            return {"holds": self.holds, "not_copied_because": self.copies.because}
        return {"holds": self.holds, "copied_by": str(self.copies)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Stateful:
        """The inverse of `to_json`.

        Raises:
            KeyError, ValueError: it is not what `to_json` gives.
        """
        because = data.get("not_copied_because")
        return Stateful(data["holds"], CopiedBy(data["copied_by"]) if because is None else NotCopied(because))
