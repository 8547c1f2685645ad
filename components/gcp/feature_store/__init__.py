"""The feature store on Google Cloud: one component, and one module for each kind that it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi

from components.contracts.component import Component
from components.contracts.feature_store import (
    BigtableSpec,
    FeatureStoreKind,
    FeatureStoreRef,
    FeatureStoreSpec,
    FirestoreSpec,
    MemorystoreSpec,
    not_here,
)
from components.contracts.place import Place
from components.contracts.refs import KeysRef, NetworkRef, StandbyRef
from components.gcp.feature_store import bigtable, firestore, memorystore
from components.gcp.feature_store.kind import Kind

KINDS: Final[Mapping[FeatureStoreKind, Kind]] = {
    FeatureStoreKind.REDIS: memorystore,
    FeatureStoreKind.FIRESTORE: firestore,
    FeatureStoreKind.BIGTABLE: bigtable,
}


class FeatureStore(Component):
    """The store that the settings name, under the data key, reachable from the private network only."""

    ref: FeatureStoreRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: FeatureStoreSpec,
        *,
        network: NetworkRef,
        standby: StandbyRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        del standby  # no kind has nodes in it
        super().__init__("gcp:FeatureStore", name, provider, formerly="gcp:FeatureCache")
        match spec:
            case MemorystoreSpec():
                self.ref = memorystore.make(self, place, spec, network, keys)
            case FirestoreSpec():
                self.ref = firestore.make(self, place, spec, keys)
            case BigtableSpec():
                self.ref = bigtable.make(self, place, spec, keys)
            case _:
                raise not_here(spec, place.cloud)
        self.finish({"id": self.ref.id})
