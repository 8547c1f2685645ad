"""Recovery points of the feature store on a schedule, with copies in the backup region."""

from __future__ import annotations

import pulumi

from components.aws.feature_store import KINDS
from components.contracts.backup import BackupSpec
from components.contracts.component import Component
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, ClusterRef, KeysRef


class Backup(Component):
    """The feature store's own way into the backup region.

    The model bucket needs none: S3 replication copies it within minutes, and its versions are kept. The cluster needs
    none either: everything on it comes from this program.
    """

    ref: BackupRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BackupSpec,
        *,
        feature_store: FeatureStoreRef,
        cluster: ClusterRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Backup", name, provider)
        del cluster  # nothing on it that the program cannot make again
        made = KINDS[feature_store.kind].back_up(self, place, spec, feature_store, keys)
        self.ref = BackupRef(
            plan=made.plan,
            restore_identity=made.restore_identity,
            vault=made.vault,
            region=place.backup_region,
            rpo_minutes=spec.rpo_minutes,
            id=made.ready,
        )
        self.finish({"id": self.ref.id})
