"""What the other components of this cloud ask of a kind of feature store; each kind is a module that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.contracts.backup import BackupSpec
from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeysRef
from components.gcp.alerts import Alert


@dataclass(frozen=True)
class Recovery:
    """How the features get to the backup region."""

    plan: str
    """Known name of what makes the recovery points."""
    vault: str
    """Known name of where they lie in the backup region."""
    ready: pulumi.Output[str]
    exports: pulumi.Output[str] | None = None
    """The bucket that they lie in, once it is there; None for a kind that keeps them itself."""


class Kind(Protocol):
    """One kind of feature store."""

    LOGGED_AS: tuple[str, ...]
    """Types of monitored resources that the store's own log entries are about."""
    SERVICE: str
    """The API's name, by which its audit log entries are found."""

    def let_read(
        self, parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
    ) -> Sequence[pulumi.Resource]:
        """Let the fleet's identity read rows, and do nothing else."""
        ...

    def let_write_rows(
        self, parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
    ) -> Sequence[pulumi.Resource]:
        """Let a feature pipeline's identity write rows, and read them back."""
        ...

    def back_up(
        self, parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef
    ) -> Recovery:
        """Make recovery points in the backup region, under its own key."""
        ...

    def alerts(self, place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Sequence[Alert]:
        """What someone is told about the store and its recovery points."""
        ...
