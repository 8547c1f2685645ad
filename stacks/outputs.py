"""What a stack tells the world: everything that operators' commands need, and no secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.contracts.refs import (
    BackupRef,
    BucketRef,
    ClusterRef,
    FeatureCacheRef,
    FleetRef,
    KeyRef,
    KeysRef,
    MonitoringRef,
    RegistryRef,
    StorageRef,
)
from stacks.settings import Settings


@dataclass(frozen=True)
class StackOutputs:
    """The refs that a stack's outputs are made of."""

    settings: Settings
    keys: KeysRef
    storage: StorageRef
    features: FeatureCacheRef
    backup: BackupRef
    registry: RegistryRef
    cluster: ClusterRef
    fleet: FleetRef
    monitoring: MonitoringRef

    def as_dict(self) -> dict[str, Any]:
        """The outputs by name, as `pulumi stack output` shows them."""
        s = self.settings
        return {
            "cloud": str(s.cloud),
            "environment": str(s.environment),
            "account": s.account,
            "region": s.region,
            "backup_region": s.backup.region,
            "keys": {
                "cluster": _key(self.keys.cluster),
                "data": _key(self.keys.data),
                "logs": _key(self.keys.logs),
                "recovery": _key(self.keys.recovery),
            },
            "model_bucket": _bucket(self.storage.models, self.keys.data),
            "model_replica": {
                **_bucket(self.storage.replica, self.keys.recovery),
                "copy_job": self.storage.copy_job,
            },
            "features": {
                "kind": self.features.kind,
                "name": self.features.name,
                "region": self.features.region,
                "id": self.features.id,
                "host": self.features.host,
                "port": self.features.port,
                "entry_ttl_hours": s.features.entry_ttl_hours,
            },
            "backup": {
                "plan": self.backup.plan,
                "vault": self.backup.vault,
                "restore_identity": self.backup.restore_identity,
                "region": self.backup.region,
                "id": self.backup.id,
            },
            "registry": {"url": self.registry.url, "id": self.registry.id},
            "cluster": {"name": self.cluster.name, "id": self.cluster.id},
            "fleet": {
                "namespace": self.fleet.namespace,
                "service": self.fleet.service,
                "deployment": self.fleet.deployment,
                "model_release": self.fleet.model_release,
                "ready": self.fleet.ready,
            },
            "monitoring": {"channel": self.monitoring.channel},
            "objectives": {"rpo_minutes": s.backup.rpo_minutes, "rto_minutes": s.backup.rto_minutes},
        }

    def export(self) -> None:
        """Register every output with the running program."""
        for name, value in self.as_dict().items():
            pulumi.export(name, value)


def _key(key: KeyRef) -> dict[str, Any]:
    return {"id": key.id, "alias": key.alias, "region": key.region}


def _bucket(bucket: BucketRef, key: KeyRef) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "uri": bucket.uri,
        "region": bucket.region,
        "key": key.id,
        "id": bucket.id,
    }
