"""Faults against the drill's scenarios: what would make each restore something harmful, or nothing."""

from __future__ import annotations

import json

from ops.deployed import open_bucket
from ops.drill.run import Run
from ops.drill.scenarios.failback import Side, side_of
from ops.features.store import FeatureStore, open_rows
from ops.models import releases
from ops.models.releases import manifest_key, repository_prefix
from ops.objects.store import ObjectStore
from tests.faults.harness import Stand


def model_file(stand: Stand) -> str:
    """The key of some file of the release that the fleet runs."""
    manifest = releases.read_manifest(open_bucket(stand.outputs.model_bucket, stand.target), stand.release)
    assert manifest is not None
    return repository_prefix(stand.release) + manifest.files[0].path


# Versions of the copies


def replica_gives_versions_up(stand: Stand) -> None:
    """The replica's policy lets versions be deleted."""
    s3, bucket = stand.aws("s3", far=True), stand.outputs.model_replica.name
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] = [s for s in policy["Statement"] if s.get("Sid") != "KeepVersions"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def replica_keeps_no_versions(stand: Stand) -> None:
    s3, bucket = stand.aws("s3", far=True), stand.outputs.model_replica.name
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def bucket_keeps_no_versions(stand: Stand) -> None:
    """Google Cloud: neither versions nor deleted objects are kept."""
    bucket = stand.outputs.model_replica.name
    change = {"versioning": {"enabled": False}, "softDeletePolicy": {"retentionDurationSeconds": "0"}}
    stand.gcp().patch("storage", f"storage/v1/b/{bucket}", change)


def copies_keep_no_deleted_versions(stand: Stand) -> None:
    """Google Cloud: what is deleted from the replica is gone at once."""
    _no_soft_delete(stand, stand.outputs.model_replica.name)


def exports_keep_no_deleted_versions(stand: Stand) -> None:
    _no_soft_delete(stand, stand.outputs.backup.vault)


def exports_keep_no_versions(stand: Stand) -> None:
    change = {"versioning": {"enabled": False}, "softDeletePolicy": {"retentionDurationSeconds": "0"}}
    stand.gcp().patch("storage", f"storage/v1/b/{stand.outputs.backup.vault}", change)


def _no_soft_delete(stand: Stand, bucket: str) -> None:
    stand.gcp().patch("storage", f"storage/v1/b/{bucket}", {"softDeletePolicy": {"retentionDurationSeconds": "0"}})


# Recovery points


def vault_without_lock(stand: Stand) -> None:
    backup, vault = stand.aws("backup", far=True), stand.outputs.backup.vault
    backup.delete_backup_vault_lock_configuration(BackupVaultName=vault)
    backup.delete_backup_vault_access_policy(BackupVaultName=vault)


# Releases


def previous_release_corrupted(stand: Stand) -> None:
    """A file of the release that a rollback goes back to holds something else."""
    open_bucket(stand.outputs.model_bucket, stand.target).put(model_file(stand), b"something else")


def previous_release_without_a_file(stand: Stand) -> None:
    open_bucket(stand.outputs.model_bucket, stand.target).delete(model_file(stand))


def previous_release_is_another(stand: Stand) -> None:
    """The manifest of the pinned release is not the pinned one."""
    bucket = open_bucket(stand.outputs.model_bucket, stand.target)
    found = json.loads(bucket.get(manifest_key(stand.release)))
    found["files"][0]["sha256"] = "0" * 64
    bucket.put(manifest_key(stand.release), json.dumps(found).encode())


# Failback


def carry_everything(run: Run, bucket: ObjectStore, store: FeatureStore, base: Side) -> None:
    """What a plain copy back does: older data goes over newer."""
    del base
    now = side_of(run, bucket, store)
    for key in now.objects:
        run.cloud.primary.copy(bucket.bucket, key, key)
    open_rows(run.cloud.feature_store, run.target).write(now.rows)


def carry_nothing(run: Run, bucket: ObjectStore, store: FeatureStore, base: Side) -> None:
    """What was written meanwhile is forgotten."""
    del run, bucket, store, base


def carry_objects_alone(run: Run, bucket: ObjectStore, store: FeatureStore, base: Side) -> None:
    now = side_of(run, bucket, store)
    for key, digest in now.objects.items():
        if base.objects.get(key) != digest:
            run.cloud.primary.copy(bucket.bucket, key, key)
