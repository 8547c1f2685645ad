"""The feature store: Memorystore for Redis with TLS, AUTH, a standby in another zone, and hourly snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.redis.outputs import InstanceServerCaCert

from components.contracts.component import Component
from components.contracts.place import Place
from components.contracts.refs import FeatureCacheRef, KeysRef, NetworkRef
from components.contracts.specs import FeatureCacheSpec
from components.contracts.stateful import stateful_options

INSTANCE_NAME_MAX: Final = 40
REDIS_VERSION: Final = "REDIS_7_2"


class FeatureCache(Component):
    """One Redis instance, reachable from the private network only.

    Snapshots on its own disk survive a crash, not the region: copies far away are `Backup`'s. Entries carry their own
    expiry (`entry_ttl_hours`), set by whoever writes them; Redis has no default for it.
    """

    ref: FeatureCacheRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: FeatureCacheSpec,
        *,
        network: NetworkRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:FeatureCache", name, provider)
        called = place.name("features", max_length=INSTANCE_NAME_MAX)
        instance = gcp.redis.Instance(
            "features",
            name=called,
            project=place.account,
            region=place.region,
            display_name=f"{place.stack}: features",
            tier="STANDARD_HA",
            memory_size_gb=memory_gib(spec),
            redis_version=REDIS_VERSION,
            location_id=place.zones[0],
            alternative_location_id=place.zones[1],
            authorized_network=network.managed_services_ready,
            connect_mode="PRIVATE_SERVICE_ACCESS",
            auth_enabled=True,
            transit_encryption_mode="SERVER_AUTHENTICATION",
            customer_managed_key=keys.data.id,
            persistence_config={"persistence_mode": "RDB", "rdb_snapshot_period": "ONE_HOUR"},
            # When memory runs short, what would expire next goes first.
            redis_configs={"maxmemory-policy": "volatile-ttl"},
            maintenance_policy={
                "weekly_maintenance_windows": [
                    {"day": "SUNDAY", "start_time": {"hours": 3, "minutes": 0, "seconds": 0, "nanos": 0}}
                ]
            },
            deletion_protection=place.protected,
            labels=place.labels,
            opts=stateful_options(self, place),
        )
        self.ref = FeatureCacheRef(
            kind="redis",
            name=called,
            region=place.region,
            id=instance.id,
            host=instance.host,
            port=instance.port,
            ca_certificate=instance.server_ca_certs.apply(ca_bundle),
            auth=pulumi.Output.secret(instance.auth_string),
            export_identity=instance.persistence_iam_identity,
        )
        self.finish({"name": called, "host": instance.host, "port": instance.port})


def memory_gib(spec: FeatureCacheSpec) -> int:
    """The instance's size.

    Raises:
        ValueError: the settings name none; unlike DynamoDB, Memorystore is sold by size.
    """
    if spec.memory_gib is None:
        raise ValueError("features.memory_gib is not set; Memorystore is sold by size, so name 1 to 300 GiB")
    return spec.memory_gib


def ca_bundle(certificates: Sequence[InstanceServerCaCert] | None) -> str:
    """All CA certificates that are valid now, as PEM: during a rotation the old and the new one."""
    return "\n".join(certificate.cert for certificate in certificates or () if certificate.cert)
