"""A Bigtable instance with a cluster in each region, each under that region's key and with backups of its own.

Sources, read 2026-11-21: the arguments of `gcp.bigtable.Instance`, `Table` and `GCPolicy` in pulumi-gcp (the key is
of the cluster's region; automated backups without `locations` are made in all clusters; a garbage collection policy
of a replicated table cannot be deleted); Bigtable's page "Backups overview" (daily, kept for at most 90 days, stored
in the cluster, no point-in-time recovery). Believed: each region has a zone `-b`, the default of `backup_zone`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import serving
from components.contracts.backup import BackupSpec
from components.contracts.component import Component, ready
from components.contracts.feature_store import (
    BIGTABLE_BACKUP_DAYS_MAX,
    BigtableSpec,
    FeatureStoreKind,
    FeatureStoreRef,
)
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeyRef, KeysRef
from components.contracts.stateful import CopiedBy, Stateful
from components.gcp.agents import Agent, agent_member
from components.gcp.alerts import Alert, above, logged, silent
from components.gcp.feature_store.kind import Recovery
from components.gcp.keys import USER_ROLE
from components.gcp.network import API_DOORS

FEATURES: Final = Stateful("the features of every entity", CopiedBy.CLUSTER)
SERVICE: str = "bigtableadmin.googleapis.com"
LOGGED_AS: tuple[str, ...] = ()
"""Bigtable's own entries are audit logs, found by the service's name."""
INSTANCE_NAME_MAX: Final = 33
CLUSTER_NAME_MAX: Final = 30
TABLE: Final = "features"
FAMILY: Final = "f"
CPU_TARGET_PERCENT: Final = 60
REPLICATION_DELAY_S: Final = 3600


def make(parent: Component, place: Place, spec: BigtableSpec, keys: KeysRef) -> FeatureStoreRef:
    """One instance and one table, reached through the private addresses of Google's APIs.

    The cluster in the backup region takes every write within seconds, mistakes too: against those are the backups.
    """
    name = place.name("features", max_length=INSTANCE_NAME_MAX)
    here, away = _keys_for_bigtable(parent, place, keys)
    zones = (
        (f"{place.region}-{spec.zone}", "primary", here),
        (f"{place.backup_region}-{spec.backup_zone}", "recovery", away),
    )
    kept = parent.keep(gcp.bigtable.Instance, "features", FEATURES, place)
    instance = gcp.bigtable.Instance(
        kept.name,
        name=name,
        project=place.account,
        display_name=f"{place.stack}: features"[:30],
        clusters=[
            {
                "cluster_id": cluster_name(place, purpose),
                "zone": zone,
                "kms_key_name": key,
                "storage_type": "SSD",
                "autoscaling_config": {
                    "min_nodes": spec.min_nodes,
                    "max_nodes": spec.max_nodes,
                    "cpu_target": CPU_TARGET_PERCENT,
                },
            }
            for zone, purpose, key in zones
        ],
        deletion_protection=kept.protected,
        force_destroy=not kept.protected,
        labels=place.labels,
        opts=kept.options,
    )
    kept = parent.keep(gcp.bigtable.Table, "features", FEATURES, place)
    table = gcp.bigtable.Table(
        kept.name,
        name=TABLE,
        project=place.account,
        instance_name=instance.name,
        column_families=[{"family": FAMILY}],
        deletion_protection="PROTECTED" if kept.protected else "UNPROTECTED",
        automated_backup_policy={
            "frequency": "24h0m0s",
            "retention_period": f"{BIGTABLE_BACKUP_DAYS_MAX * 24}h0m0s",
        },
        opts=kept.options,
    )
    expiry = gcp.bigtable.GCPolicy(
        "features",
        project=place.account,
        instance_name=instance.name,
        table=table.name,
        column_family=FAMILY,
        gc_rules=json.dumps(
            {"mode": "union", "rules": [{"max_age": f"{spec.entry_ttl_hours}h"}, {"max_version": 1}]}
        ),
        deletion_policy="ABANDON",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return FeatureStoreRef(
        kind=FeatureStoreKind.BIGTABLE,
        name=name,
        region=place.region,
        id=ready(instance.id, table, expiry),
        gib=spec.gib,
        environment={
            serving.FEATURES_PROJECT: place.account,
            serving.FEATURES_INSTANCE: name,
            serving.FEATURES_TABLE: TABLE,
            **spec.lookup_variables,
        },
        doors=API_DOORS,
    )


def cluster_name(place: Place, purpose: str) -> str:
    """The name of the cluster `primary`, or of `recovery`, in the backup region."""
    return place.name(f"features-{purpose}", max_length=CLUSTER_NAME_MAX)


def let_read(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
) -> Sequence[pulumi.Resource]:
    """Rows of this table alone."""
    return (_granted(parent, place, ref, member, "features-reader", "roles/bigtable.reader"),)


def let_write_rows(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str]
) -> Sequence[pulumi.Resource]:
    """Rows of this table alone, to read and to write."""
    return (_granted(parent, place, ref, member, "features-writer", "roles/bigtable.user"),)


def _granted(
    parent: Component, place: Place, ref: FeatureStoreRef, member: pulumi.Output[str], name: str, role: str
) -> pulumi.Resource:
    return gcp.bigtable.TableIamMember(
        name,
        project=place.account,
        instance_name=ref.id.apply(lambda _: ref.name),
        table=TABLE,
        role=role,
        member=member,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def back_up(parent: Component, place: Place, spec: BackupSpec, ref: FeatureStoreRef, keys: KeysRef) -> Recovery:
    """Nothing more to make: the table's own policy makes daily backups in the cluster of the backup region too."""
    del parent, spec, keys
    return Recovery(
        plan=f"{ref.name}/{TABLE}",
        vault=cluster_name(place, "recovery"),
        ready=ref.id.apply(lambda _: cluster_name(place, "recovery")),
    )


def alerts(place: Place, ref: FeatureStoreRef, backup: BackupRef) -> Sequence[Alert]:
    """A cluster that lags behind, and backups that fail."""
    del place
    return (
        above(
            "features-replication-late",
            "The feature store's cluster in the backup region lags behind",
            "Raise feature_store.max_nodes: a cluster without spare capacity cannot keep up with writes.",
            'metric.type="bigtable.googleapis.com/replication/max_delay"'
            f' AND resource.type="bigtable_table" AND resource.labels.instance="{ref.name}"',
            limit=REPLICATION_DELAY_S,
            over_seconds=300,
            aligner="ALIGN_MAX",
        ),
        # Automated backups have no metric that would fall silent; replication has one.
        silent(
            "features-copy-missing",
            "The feature store's cluster in the backup region reports no replication",
            "Look whether the cluster stands, and whether the table still has its backup policy: "
            "`gcloud bigtable backups list` shows the newest one.",
            'bigtable_googleapis_com:replication_max_delay{monitored_resource="bigtable_table",'
            f'instance="{ref.name}"}}',
            minutes=backup.rpo_minutes,
            counted="count_over_time",
        ),
        logged(
            "backup-failed",
            "A backup of the feature store failed",
            f"Look at the error; the newest recovery point in {backup.vault} is the backup before it.",
            'protoPayload.methodName="google.bigtable.admin.v2.BigtableTableAdmin.CreateBackup"'
            f' AND protoPayload.resourceName:"/instances/{ref.name}/" AND severity>=ERROR',
        ),
    )


def _keys_for_bigtable(
    parent: Component, place: Place, keys: KeysRef
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """Ids of the data and the recovery key, once Bigtable's own agent, which bootstrap asks for, may use them."""

    def usable(purpose: str, key: KeyRef) -> pulumi.Output[str]:
        granted = gcp.kms.CryptoKeyIAMMember(
            f"{purpose}-bigtable",
            crypto_key_id=key.id,
            role=USER_ROLE,
            member=agent_member(place, Agent.BIGTABLE),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        return ready(key.id, granted)

    return usable("data", keys.data), usable("recovery", keys.recovery)
