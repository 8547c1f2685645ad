"""A Firestore database under the data key: restores to any minute of a week, forgets by itself, knows no address.

Sources, read 2026-11-21: the arguments of `gcp.firestore.Database`, `Field` and `BackupSchedule` in pulumi-gcp (key
in the database's own location, 7 days of point-in-time recovery, backups kept for at most 14 weeks); Firestore's page
"Export and import data" (who writes exports; a bucket near the database), and what it answers for any other bucket:
"This database can only operate on buckets spanning location …" (nodejs-firestore#992).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import serving
from components.contracts.backup import BackupSpec, TierName, tiers
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreKind, FeatureStoreRef, FirestoreSpec
from components.contracts.place import Place
from components.contracts.refs import BackupRef, BucketRef, KeysRef
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.gcp.agents import Agent, agent_member
from components.gcp.alerts import Alert, bucket_silent, copy_alert, logged
from components.gcp.buckets import private_bucket
from components.gcp.copies import SINK_ROLES, copy_hourly, let_copy
from components.gcp.durations import days
from components.gcp.exports import Export, first_export_job, let_write, not_started_alert, scheduled_exports
from components.gcp.feature_store.kind import Recovery
from components.gcp.keys import USER_ROLE
from components.gcp.network import API_DOORS

SERVICE: str = "firestore.googleapis.com"
LOGGED_AS: tuple[str, ...] = ()
"""Firestore's own entries are audit logs, found by the service's name."""
FEATURES: Final = Stateful("the features of every entity", CopiedBy.EXPORT)
EXPORTS: Final = Stateful("exports of the feature store", CopiedBy.TRANSFER_JOB)
COPIES: Final = Stateful("copies of the exports", NotCopied("they are the copies"))
COLLECTION: Final = "features"
BACKUP_DAYS_MAX: Final = 98
STAGING_DAYS: Final = 3
"""How long an export stays beside the database: some runs of the transfer job, and a look at what went wrong."""
COPY_MINUTE: Final = 30
"""Of each hour: half an hour after an export began, it is copied."""


def make(parent: Component, place: Place, spec: FirestoreSpec, keys: KeysRef) -> FeatureStoreRef:
    """One database in native mode, reached through the private addresses of Google's APIs."""
    name = place.name("features")
    kept = parent.keep(gcp.firestore.Database, "features", FEATURES, place)
    database = gcp.firestore.Database(
        kept.name,
        name=name,
        project=place.account,
        location_id=place.region,
        type="FIRESTORE_NATIVE",
        database_edition="STANDARD",
        concurrency_mode="PESSIMISTIC",
        app_engine_integration_mode="DISABLED",
        cmek_config={"kms_key_name": _key_for_firestore(parent, place, keys)},
        point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED",
        delete_protection_state=f"DELETE_PROTECTION_{'ENABLED' if kept.protected else 'DISABLED'}",
        deletion_policy="PREVENT" if kept.protected else "DELETE",
        opts=kept.options,
    )
    fields = [
        gcp.firestore.Field(
            field,
            project=place.account,
            database=database.name,
            collection=COLLECTION,
            field=field,
            # Rows are found by their document's name; an index on either field would only cost writes.
            index_config={},
            ttl_config={} if field == "expires_at" else None,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for field in ("features", "expires_at")
    ]
    return FeatureStoreRef(
        kind=FeatureStoreKind.FIRESTORE,
        name=name,
        region=place.region,
        id=ready(database.id, *fields),
        gib=spec.gib,
        environment={
            serving.FEATURES_PROJECT: place.account,
            serving.FEATURES_DATABASE: name,
            **spec.lookup_variables,
        },
        doors=API_DOORS,
    )


def let_read(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
) -> Sequence[pulumi.Resource]:
    """Documents of this database alone: Firestore's roles are the project's, so a condition names the database."""
    return (_granted(parent, place, ref, member, "features-viewer", "roles/datastore.viewer"),)


def let_write_rows(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
) -> Sequence[pulumi.Resource]:
    """Documents of this database alone, to read and to write."""
    return (_granted(parent, place, ref, member, "features-writer", "roles/datastore.user"),)


def _granted(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str], name: str, role: str
) -> pulumi.Resource:
    return gcp.projects.IAMMember(
        name,
        project=place.account,
        role=role,
        member=member,
        condition={
            "title": "the stack's feature store",
            "expression": f'resource.name == "{_database(place, ref)}"',
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


def back_up(parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef) -> Recovery:
    """Daily backups beside the database, and scheduled exports that are copied to the backup region.

    A backup lies in the database's own location, and so must the bucket of an export: it is the copy that survives
    the region. Each export gets a folder of its own, named after its time.
    """
    gcp.firestore.BackupSchedule(
        "features",
        project=place.account,
        database=ref.id.apply(lambda _: ref.name),
        retention=days(min(spec.retention_days, BACKUP_DAYS_MAX)),
        daily_recurrence={},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    kept = tiers(spec)
    away, copies = private_bucket(
        "feature-exports",
        COPIES,
        parent=parent,
        place=place,
        physical_name=place.bucket_name("feature-exports", place.backup_region),
        key=keys.recovery,
        noncurrent_retention_days=STAGING_DAYS,
        expires={f"{tier.name}/": tier.keep_days for tier in kept},
    )
    may_copy = let_copy("feature-exports-to-copies", SINK_ROLES, parent=parent, place=place, bucket=away)
    staged = {tier.name: _staged(parent, place, tier.name, away, may_copy, keys) for tier in kept}
    jobs = scheduled_exports(
        parent,
        place,
        {name: export(place, ref, bucket.uri) for name, (bucket, _) in staged.items()},
        spec,
        after=[resource for _, made in staged.values() for resource in made],
    )
    return Recovery(
        plan=first_export_job(place, spec), vault=copies.name, ready=ready(jobs[0].id, *jobs), exports=copies.id
    )


def _staged(
    parent: Component,
    place: Place,
    tier: TierName,
    away: gcp.storage.Bucket,
    may_copy: Sequence[pulumi.Resource],
    keys: KeysRef,
) -> tuple[BucketRef, Sequence[pulumi.Resource]]:
    """A tier's bucket beside the database, who writes to it, and the job that copies it to the backup region.

    Exports name their own folders by time, and overwrite none: a tier's place cannot be in the name that they are
    given, so each tier has a bucket. What was copied goes after days: the copy is what is kept.
    """
    here, exports = private_bucket(
        f"feature-exports-{tier}",
        EXPORTS,
        parent=parent,
        place=place,
        physical_name=place.bucket_name(f"exports-{tier}", place.region),
        key=keys.data,
        noncurrent_retention_days=STAGING_DAYS,
        expires={"": STAGING_DAYS},
    )
    copied = copy_hourly(
        f"feature-exports-{tier}",
        parent=parent,
        place=place,
        job_name=exports_copy_job_name(place, tier),
        description=f"{place.stack}: {tier} exports of features to {place.backup_region}, hourly",
        source=("exports", here),
        sink=("copies", away),
        sink_path=f"{tier}/",
        sink_grants=may_copy,
        minute=COPY_MINUTE,
    )
    writes = let_write(parent, f"exports-{tier}", here, agent_member(place, Agent.FIRESTORE))
    return exports, [*writes, copied]


def export(place: Place, ref: FeatureStoreRef, bucket_uri: str) -> Export:
    """Firestore's method that writes a collection to Cloud Storage."""
    return Export(
        url=f"https://{SERVICE}/v1/{_database(place, ref)}:exportDocuments",
        body={"collectionIds": [COLLECTION], "outputUriPrefix": bucket_uri},
    )


def alerts(place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Sequence[Alert]:
    """Exports that fail, that never begin, or that are not copied."""
    return (
        logged(
            "export-failed",
            "An export of the feature store failed",
            "Look at the operation's error; the newest recovery point is the export before it.",
            'protoPayload.methodName="google.firestore.admin.v1.FirestoreAdmin.ExportDocuments"'
            f' AND protoPayload.resourceName="{_database(place, ref)}" AND severity>=ERROR',
        ),
        copy_alert(
            "exports-copy-failed",
            "Exports were not copied to the backup region",
            *(exports_copy_job_name(place, tier) for tier in TierName),
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


def exports_copy_job_name(place: Place, tier: TierName) -> str:
    """The full name of the transfer job that copies a tier's exports."""
    return f"transferJobs/{place.again(place.name(f'copy-feature-exports-{tier}', max_length=100))}"


def _database(place: Place, ref: FeatureStoreRef) -> str:
    return f"projects/{place.account}/databases/{ref.name}"


def _key_for_firestore(parent: Component, place: Place, keys: KeysRef) -> pulumi.Output[str]:
    """The data key's id, once Firestore's own agent, which is bootstrap's to ask for, may use it.

    The agent may use the recovery key too, so that a database can be restored when the primary region is gone.
    """
    granted = [
        gcp.kms.CryptoKeyIAMMember(
            f"{purpose}-firestore",
            crypto_key_id=key.id,
            role=USER_ROLE,
            member=agent_member(place, Agent.FIRESTORE),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for purpose, key in (("data", keys.data), ("recovery", keys.recovery))
    ]
    return ready(keys.data.id, *granted)
