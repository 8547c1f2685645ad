"""The feature store on AWS: one component, and one module for each kind that it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi

from components.aws.feature_store import dynamodb, valkey
from components.aws.feature_store.kind import Kind
from components.contracts.component import Component
from components.contracts.feature_store import (
    DynamoDBSpec,
    FeatureStoreKind,
    FeatureStoreRef,
    FeatureStoreSpec,
    ValkeySpec,
    not_here,
)
from components.contracts.place import Place
from components.contracts.refs import KeysRef, NetworkRef, StandbyRef

KINDS: Final[Mapping[FeatureStoreKind, Kind]] = {
    FeatureStoreKind.DYNAMODB: dynamodb,
    FeatureStoreKind.VALKEY: valkey,
}


class FeatureStore(Component):
    """The store that the settings name, under the data key, reachable from the private network only.

    Raises:
        ValueError: the kind is another cloud's.
    """

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
        super().__init__("aws:FeatureStore", name, provider, formerly="aws:FeatureCache")
        match spec:
            case DynamoDBSpec():
                self.ref = dynamodb.make(self, place, spec, network, keys)
            case ValkeySpec():
                self.ref = valkey.make(self, place, spec, network, standby, keys)
            case _:
                raise not_here(spec, place.cloud)
        self.finish({"id": self.ref.id})
