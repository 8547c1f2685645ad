"""Memorystore for Redis with TLS, AUTH, a standby in another zone, and hourly snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.redis.outputs import InstanceServerCaCert

from components.contracts import serving
from components.contracts.backup import BackupSpec, TierName, tiers
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.feature_store import FeatureStoreKind, FeatureStoreRef, MemorystoreSpec, SecretFile
from components.contracts.naming import feature_writer_role_id
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeysRef, NetworkRef
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.gcp.alerts import Alert, above, bucket_silent, logged
from components.gcp.buckets import private_bucket
from components.gcp.exports import Export, first_export_job, let_write, not_started_alert, scheduled_exports
from components.gcp.feature_store.kind import Recovery
from components.gcp.network import address_plan

INSTANCE_NAME_MAX: Final = 40
REDIS_VERSION: Final = "REDIS_7_2"
PORTS: Final = (6378, 6379)
"""Memorystore listens on 6379, and on 6378 with TLS."""
EXPORT_OBJECT: Final = "features.rdb"
MEMORY_RATIO_MAX: Final = 0.8
"""Of the system memory: Google asks to stay below it before an export (its page "General best practices", read
2026-11-21). Exports fork Redis, and need memory for what changes meanwhile."""
LOGGED_AS: tuple[str, ...] = ("redis_instance",)
SERVICE: str = "redis.googleapis.com"

FEATURES: Final = Stateful("the features of every entity", CopiedBy.EXPORT)
EXPORTS: Final = Stateful("exports of the feature store", NotCopied("they are the copies"))


def make(
    parent: Component, place: Place, spec: MemorystoreSpec, network: NetworkRef, keys: KeysRef
) -> FeatureStoreRef:
    """One Redis instance, reachable from the private network only.

    Snapshots on its own disk survive a crash, not the region: copies far away are `Backup`'s. Entries carry their own
    expiry (`entry_ttl_hours`), set by whoever writes them; Redis has no default for it.
    """
    called = place.name("features", max_length=INSTANCE_NAME_MAX)
    first_zone, second_zone = (f"{place.region}-{letter}" for letter in sorted(spec.zones))
    kept = parent.keep(gcp.redis.Instance, "features", FEATURES, place)
    instance = gcp.redis.Instance(
        kept.name,
        name=called,
        project=place.account,
        region=place.region,
        display_name=f"{place.stack}: features",
        tier="STANDARD_HA",
        memory_size_gb=spec.memory_gib,
        redis_version=REDIS_VERSION,
        # Neither may ever change (both replace the instance), so they hang on no list that machines are spread over.
        location_id=first_zone,
        alternative_location_id=second_zone,
        authorized_network=network.managed_services_ready,
        connect_mode="PRIVATE_SERVICE_ACCESS",
        auth_enabled=True,
        transit_encryption_mode="SERVER_AUTHENTICATION",
        customer_managed_key=keys.data.id,
        persistence_config={"persistence_mode": "RDB", "rdb_snapshot_period": "ONE_HOUR"},
        # When memory runs short, what would expire next goes first.
        redis_configs={"maxmemory-policy": "volatile-ttl", "maxmemory-gb": f"{spec.rows_gib:g}"},
        maintenance_policy={
            "weekly_maintenance_windows": [
                {"day": "SUNDAY", "start_time": {"hours": 3, "minutes": 0, "seconds": 0, "nanos": 0}}
            ]
        },
        deletion_protection=kept.protected,
        labels=place.labels,
        opts=kept.options,
    )
    return FeatureStoreRef(
        kind=FeatureStoreKind.REDIS,
        name=called,
        region=place.region,
        id=instance.id,
        gib=spec.gib,
        environment={
            serving.FEATURES_HOST: instance.host,
            serving.FEATURES_PORT: instance.port.apply(str),
            **spec.lookup_variables,
        },
        secret_files=(
            SecretFile(serving.FEATURES_CA_FILE, "ca.pem", instance.server_ca_certs.apply(ca_bundle)),
            SecretFile(serving.FEATURES_AUTH_FILE, "auth", pulumi.Output.secret(instance.auth_string)),
        ),
        doors=tuple(Door(address_plan(network.cidr).private_services, port) for port in PORTS),
        export_identity=instance.persistence_iam_identity,
    )


def ca_bundle(certificates: Sequence[InstanceServerCaCert] | None) -> str:
    """All CA certificates that are valid now, as PEM: during a rotation the old and the new one."""
    return "\n".join(certificate.cert for certificate in certificates or () if certificate.cert)


def let_read(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
) -> Sequence[pulumi.Resource]:
    """Nothing: Memorystore knows no IAM, its AUTH string reaches pods as a Kubernetes secret."""
    del parent, place, ref, member
    return ()


def let_write_rows(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
) -> Sequence[pulumi.Resource]:
    """Ask for the instance's address, CA and AUTH string: who has them, and is in the network, reads and writes.

    The role is the bootstrap stack's, as every role that someone could widen.
    """
    del ref
    return (
        gcp.projects.IAMMember(
            "features-writer",
            project=place.account,
            role=f"projects/{place.account}/roles/{feature_writer_role_id(place.environment)}",
            member=member,
            opts=pulumi.ResourceOptions(parent=parent),
        ),
    )


def back_up(parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef) -> Recovery:
    """Exports of the whole instance as RDB files, straight into a bucket of the backup region.

    Each export overwrites its tier's one object: the object's versions are the tier's history. Memorystore has no
    point-in-time recovery. An export copies on write, which `rows_gib` leaves room for, and blocks administration.
    """
    kept = tiers(spec)
    bucket, exports = private_bucket(
        "feature-exports",
        EXPORTS,
        parent=parent,
        place=place,
        physical_name=place.bucket_name("feature-exports", place.backup_region),
        key=keys.recovery,
        noncurrent_retention_days=spec.retention_days,
        thinned={f"{tier.name}/": tier.keep_days for tier in kept},
    )
    assert ref.export_identity is not None, "Memorystore's ref has one"  # noqa: S101
    jobs = scheduled_exports(
        parent,
        place,
        {tier.name: export(place, ref, exports.uri, tier.name) for tier in kept},
        spec,
        after=let_write(parent, "exports", bucket, ref.export_identity),
    )
    return Recovery(
        plan=first_export_job(place, spec), vault=exports.name, ready=ready(jobs[0].id, *jobs), exports=exports.id
    )


def export(place: Place, ref: FeatureStoreRef, bucket_uri: str, tier: TierName) -> Export:
    """Memorystore's method that writes the whole instance to Cloud Storage."""
    return Export(
        url=f"https://{SERVICE}/v1/{_instance(place, ref)}:export",
        body={"outputConfig": {"gcsDestination": {"uri": f"{bucket_uri}/{tier}/{EXPORT_OBJECT}"}}},
    )


def alerts(place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Sequence[Alert]:
    """Memory that runs short, and exports that fail."""
    instance = _instance(place, ref)
    return (
        above(
            "features-memory",
            "The feature store runs out of memory",
            "Raise feature_store.memory_gib, or lower feature_store.entry_ttl_hours; beyond this exports fail and "
            "entries are evicted.",
            'metric.type="redis.googleapis.com/stats/memory/system_memory_usage_ratio"'
            f' AND resource.type="redis_instance" AND resource.labels.instance_id="{instance}"',
            limit=MEMORY_RATIO_MAX,
            over_seconds=300,
            aligner="ALIGN_MEAN",
        ),
        logged(
            "export-failed",
            "An export of the feature store failed",
            "Look at the operation's error; the newest recovery point is the export before it.",
            'protoPayload.methodName="google.cloud.redis.v1.CloudRedis.ExportInstance"'
            f' AND protoPayload.resourceName="{instance}" AND severity>=ERROR',
        ),
        not_started_alert(place),
        bucket_silent(
            "features-copy-missing",
            "No copy of the feature store reached the backup region within the recovery point objective",
            "Look whether an export job is paused, whether exports fail, and whether copies of them are late; "
            "`docs/recovery.md` says how old the newest copy may be.",
            backup.vault,
            minutes=backup.rpo_minutes,
        ),
    )


def _instance(place: Place, ref: FeatureStoreRef) -> str:
    return f"projects/{place.account}/locations/{ref.region}/instances/{ref.name}"
