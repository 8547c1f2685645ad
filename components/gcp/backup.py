"""Recovery points in the backup region: exports of the feature store, and backups of the cluster."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.backup import BackupSpec
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, ClusterRef, KeysRef
from components.contracts.stateful import NotCopied, Stateful
from components.gcp.feature_store import KINDS
from components.gcp.schedules import cluster_backup_hours, cron

DELETE_LOCK_DAYS: Final = 7
"""Days in which nobody can delete a backup of the cluster."""

CLUSTER_POINTS: Final = Stateful("recovery points of the cluster", NotCopied("they are the copies"))


class Backup(Component):
    """The feature store's own way into the backup region, and a Backup for GKE plan under that region's key."""

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
        super().__init__("gcp:Backup", name, provider)
        features = KINDS[feature_store.kind].back_up(self, place, spec, feature_store, keys)
        plan = self._cluster_plan(place, spec, cluster, keys)
        self.ref = BackupRef(
            plan=features.plan,
            restore_identity=None,
            vault=features.vault,
            exports=features.exports,
            region=place.backup_region,
            rpo_minutes=spec.rpo_minutes,
            id=ready(features.ready, plan),
        )
        self.finish({"plan": self.ref.plan, "vault": self.ref.vault})

    def _cluster_plan(
        self, place: Place, spec: BackupSpec, cluster: ClusterRef, keys: KeysRef
    ) -> gcp.gkebackup.BackupPlan:
        hours = cluster_backup_hours(spec.frequency_hours, spec.retention_days)
        kept = self.keep(gcp.gkebackup.BackupPlan, "cluster", CLUSTER_POINTS, place)
        return gcp.gkebackup.BackupPlan(
            kept.name,
            name=place.name("cluster"),
            project=place.account,
            location=place.backup_region,
            cluster=cluster.id,
            description=f"{place.stack}: the cluster's objects and volumes",
            backup_schedule={"cron_schedule": cron(hours, minute=30), "paused": False},
            retention_policy={
                "backup_retain_days": spec.retention_days,
                "backup_delete_lock_days": DELETE_LOCK_DAYS if kept.protected else 0,
                "locked": False,
            },
            backup_config={
                "all_namespaces": True,
                "include_secrets": True,
                "include_volume_data": True,
                "encryption_key": {"gcp_kms_encryption_key": keys.recovery.id},
            },
            labels=place.labels,
            opts=kept.options,
        )
