"""What each cloud offers: one Protocol per component, and one for the module that holds them all.

`components.aws` and `components.gcp` implement these independently. What one cloud cannot do is an explicit error
that names the alternative, never a silent no-op.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pulumi

from components.contracts import refs, specs
from components.contracts.cluster import AccessSpec, ClusterSpec
from components.contracts.door import DoorSpec, Exposure
from components.contracts.feature_store import FeatureStoreRef, FeatureStoreSpec
from components.contracts.images import PublicImage, RegistryAddress
from components.contracts.place import Place


class Keys(Protocol):
    """Customer-managed keys in both regions, rotated, usable by the cloud's services, protected."""

    ref: refs.KeysRef


class Network(Protocol):
    """A private network: no machine has a public address."""

    ref: refs.NetworkRef


class Standby(Protocol):
    """A network of the backup region, ready to take what a restore makes, without cost until then."""

    ref: refs.StandbyRef


class Cluster(Protocol):
    """A Kubernetes cluster: private nodes, workload identity, encrypted secrets, control-plane logs."""

    ref: refs.ClusterRef


class NodePools(Protocol):
    """The machines; GPU pools are tainted and labelled, and may scale from zero."""

    ref: refs.NodePoolsRef


class Storage(Protocol):
    """The model bucket and its replica: versioned, private, TLS-only, each under its own region's key."""

    ref: refs.StorageRef


class FeatureStore(Protocol):
    """The feature store: encrypted, private, with point-in-time recovery or persistence."""

    ref: FeatureStoreRef


class Registry(Protocol):
    """The container registry: immutable tags, encrypted, in both regions, with copies of the public images."""

    ref: refs.RegistryRef


class Audit(Protocol):
    """Who read and wrote models and features, and who connected, in locked and encrypted log storage."""

    ref: refs.AuditRef


class Identity(Protocol):
    """A read-only identity for the fleet, bound to one service account."""

    ref: refs.IdentityRef


class Operators(Protocol):
    """One identity for each job that people and pipelines do in the data: to publish, to write features, to drill.

    Whom the stack names as deployer or administrator of the cluster may take on the first two; administrators, and
    the workflow that bootstrap lets drill, the last.
    """

    ref: refs.OperatorsRef


class Backup(Protocol):
    """Recovery points of the feature store and the cluster, copied to the backup region."""

    ref: refs.BackupRef


class Monitoring(Protocol):
    """Log retention and alerts over an encrypted channel."""

    ref: refs.MonitoringRef


class CloudModule(Protocol):
    """A cloud, as a module: `components.aws` and `components.gcp` both fit."""

    def provider(self, place: Place) -> pulumi.ProviderResource:
        """The cloud's provider, bound to the stack's account and region."""
        ...

    def Keys(  # noqa: N802 - these are the modules' classes
        self, name: str, place: Place, spec: specs.KeysSpec, *, provider: pulumi.ProviderResource
    ) -> Keys: ...

    def Network(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.NetworkSpec,
        *,
        clients: Sequence[str] = (),
        provider: pulumi.ProviderResource,
    ) -> Network:
        """The private network, with a way from the internet for these ranges of the door's `clients` alone."""
        ...

    def Standby(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.StandbySpec,
        *,
        network: refs.NetworkRef,
        provider: pulumi.ProviderResource,
    ) -> Standby: ...

    def Cluster(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: ClusterSpec,
        *,
        network: refs.NetworkRef,
        keys: refs.KeysRef,
        log_retention_days: int,
        provider: pulumi.ProviderResource,
    ) -> Cluster: ...

    def NodePools(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: Mapping[str, specs.NodePoolSpec],
        *,
        termination_seconds: int,
        cluster: refs.ClusterRef,
        network: refs.NetworkRef,
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> NodePools: ...

    def Storage(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.StorageSpec,
        *,
        network: refs.NetworkRef,
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> Storage: ...

    def FeatureStore(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: FeatureStoreSpec,
        *,
        network: refs.NetworkRef,
        standby: refs.StandbyRef,
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> FeatureStore: ...

    def Registry(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.RegistrySpec,
        *,
        images: Mapping[str, PublicImage],
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> Registry: ...

    def registry_address(self, place: Place, region: str) -> RegistryAddress:
        """Where the stack's images lie in `region`."""
        ...

    def Audit(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.MonitoringSpec,
        *,
        network: refs.NetworkRef,
        storage: refs.StorageRef,
        feature_store: FeatureStoreRef,
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> Audit: ...

    def Identity(  # noqa: N802
        self,
        name: str,
        place: Place,
        *,
        cluster: refs.ClusterRef,
        storage: refs.StorageRef,
        feature_store: FeatureStoreRef,
        provider: pulumi.ProviderResource,
    ) -> Identity: ...

    def Operators(  # noqa: N802
        self,
        name: str,
        place: Place,
        access: AccessSpec,
        *,
        storage: refs.StorageRef,
        feature_store: FeatureStoreRef,
        backup: refs.BackupRef,
        provider: pulumi.ProviderResource,
    ) -> Operators: ...

    def Backup(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.BackupSpec,
        *,
        feature_store: FeatureStoreRef,
        cluster: refs.ClusterRef,
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> Backup: ...

    def Monitoring(  # noqa: N802
        self,
        name: str,
        place: Place,
        spec: specs.MonitoringSpec,
        *,
        feature_store: FeatureStoreRef,
        backup: refs.BackupRef,
        storage: refs.StorageRef,
        keys: refs.KeysRef,
        provider: pulumi.ProviderResource,
    ) -> Monitoring: ...

    def exposure(self, place: Place, spec: DoorSpec, networks: Sequence[str]) -> Exposure:
        """The load balancer before the fleet's door, for these private networks unless the door is public."""
        ...

    def node_autoscaler_identity(
        self,
        place: Place,
        *,
        cluster: refs.ClusterRef,
        pools: Sequence[refs.NodePoolRef],
        provider: pulumi.ProviderResource,
    ) -> refs.IdentityRef | None:
        """The identity of the node autoscaler that the fleet must bring; None where the cloud has its own."""
        ...
