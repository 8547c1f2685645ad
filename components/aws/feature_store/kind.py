"""What the other components of this cloud ask of a kind of feature store; each kind is a module that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.aws.alarms import Alarm
from components.aws.documents import Statement
from components.aws.events import EventPattern
from components.contracts.backup import BackupSpec
from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeysRef


@dataclass(frozen=True)
class Recovery:
    """How the features get to the backup region."""

    plan: str
    """Known name of what makes the recovery points."""
    vault: str
    """Known name of where they lie in the backup region."""
    restore_identity: pulumi.Output[str] | None
    """Whom a restore runs as; None where it runs as whoever asks for it."""
    ready: pulumi.Output[str]


class Kind(Protocol):
    """One kind of feature store."""

    def reading(self, place: Place, ref: FeatureStoreRef) -> Sequence[Statement]:
        """What the fleet's role may do in order to read rows, and nothing else."""
        ...

    def writing(self, place: Place, ref: FeatureStoreRef) -> Sequence[Statement]:
        """What the role of a feature pipeline may do in order to write rows, and to read them back."""
        ...

    def back_up(
        self, parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef
    ) -> Recovery:
        """Make recovery points in the backup region, under its own key."""
        ...

    def alarms(self, place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Mapping[str, Alarm]:
        """What someone is told about the store and its recovery points, by the alarm's name."""
        ...

    def events(self, place: Place) -> Mapping[str, EventPattern]:
        """Events that its alarms count in the backup region, by purpose."""
        ...
