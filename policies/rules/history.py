"""What was overwritten, deleted or lost in a restart can be brought back where it was."""

from __future__ import annotations

from policies.buckets import S3, s3_companion
from policies.checks import absent_or, all_of, any_of, at_least, equals, expect, failed, if_given, items, one_of, read
from policies.examples import Hidden, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import (
    BIGTABLE_TABLE,
    DYNAMODB_TABLE,
    FIRESTORE,
    GCS_BUCKET,
    REDIS,
    S3_BUCKET,
    S3_LIFECYCLE,
    S3_VERSIONING,
    VALKEY,
)

family = Family("Versions and persistence")

_PITR_DAYS = 35
_SEVEN_DAYS_SECONDS = 7 * 24 * 3600
_LOCKED = "a locked retention policy lets nothing be overwritten or deleted, and excludes versions"
_VERSIONS = "An overwritten or deleted model can be brought back only if its old version is kept."
_SOFT_DELETE = "softDeletePolicy.retentionDurationSeconds"


def _locked(bucket: Resource) -> bool:
    return read(bucket, "retentionPolicy.isLocked") is True and read(bucket, "versioning.enabled") is not True


@family.rule(
    "aws-s3-versioned",
    Severity.HIGH,
    "S3 buckets keep versions",
    types=(S3_BUCKET,),
    rationale=_VERSIONS,
    remedy='Add a BucketVersioning with the status "Enabled".',
    frameworks={Framework.AWS_FSBP: ("S3.14",), Framework.CHECKOV: ("CKV_AWS_21",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_VERSIONING, {"bucket": "models", "versioningConfiguration.status": "Enabled"}),
        broken={
            "the bucket has no versioning configuration": without(S3_VERSIONING),
            'versioningConfiguration.status is "Suspended"': put(
                "versioningConfiguration.status", "Suspended", on=S3_VERSIONING
            ),
        },
    ),
)
def s3_versioned(bucket: Resource, inventory: Inventory) -> Judgement:
    return S3.versioned(bucket, inventory)


family.require(
    "gcp-gcs-versioned",
    Severity.HIGH,
    "Cloud Storage buckets keep versions",
    type=GCS_BUCKET,
    inputs={"versioning.enabled": (True, False)},
    rationale=_VERSIONS,
    remedy="Set versioning.enabled.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_78",)},
    unless=lambda bucket, _: _LOCKED if _locked(bucket) else "",
    accepted=lambda: {
        _LOCKED: both(
            put("versioning.enabled", False), put("retentionPolicy", {"isLocked": True, "retentionPeriod": "86400"})
        )
    },
)


@family.rule(
    "gcp-gcs-soft-delete",
    Severity.MEDIUM,
    "Cloud Storage keeps deleted objects for a week",
    types=(GCS_BUCKET,),
    rationale="Soft deletion is the only way back from a deletion of versions.",
    remedy="Leave softDeletePolicy out (7 days), or set 604800 seconds or more.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(GCS_BUCKET, {_SOFT_DELETE: _SEVEN_DAYS_SECONDS}),
        broken={
            f"{_SOFT_DELETE} is 0": put(_SOFT_DELETE, 0),
            f"{_SOFT_DELETE} is 604799": put(_SOFT_DELETE, 604799),
        },
        undecided={f"{_SOFT_DELETE} is known only to the provider": put("softDeletePolicy", Hidden())},
        accepted={f"{_SOFT_DELETE} is left to its safe default": drop("softDeletePolicy")},
    ),
)
def gcs_soft_delete(bucket: Resource, _: Inventory) -> Judgement:
    required = f"at least {_SEVEN_DAYS_SECONDS} seconds (7 days)"
    return absent_or(
        bucket,
        _SOFT_DELETE,
        lambda: expect(bucket, _SOFT_DELETE, required, lambda v: int(v) >= _SEVEN_DAYS_SECONDS),
    )


@family.rule(
    "aws-s3-lifecycle",
    Severity.LOW,
    "S3 buckets abort incomplete uploads",
    types=(S3_BUCKET,),
    rationale="Parts of uploads that never finished are invisible in listings and paid for forever.",
    remedy="Add a lifecycle rule with abortIncompleteMultipartUpload.",
    frameworks={Framework.AWS_FSBP: ("S3.13",), Framework.CHECKOV: ("CKV_AWS_300",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(
            S3_LIFECYCLE,
            {
                "bucket": "models",
                "rules.0.status": "Enabled",
                "rules.0.abortIncompleteMultipartUpload.daysAfterInitiation": 7,
            },
        ),
        broken={
            "the bucket has no lifecycle configuration": without(S3_LIFECYCLE),
            "rules is 0 enabled rules, none of which does": put("rules.0.status", "Disabled", on=S3_LIFECYCLE),
            "rules is 1 enabled rules, none of which does": drop(
                "rules.0.abortIncompleteMultipartUpload", on=S3_LIFECYCLE
            ),
        },
    ),
)
def s3_lifecycle(bucket: Resource, inventory: Inventory) -> Judgement:
    return s3_companion(bucket, inventory, S3_LIFECYCLE, "lifecycle configuration", _aborts_uploads)


def _aborts_uploads(lifecycle: Resource, _: Inventory) -> Judgement:
    required = "an enabled rule that aborts incomplete multipart uploads"
    enabled = [rule for rule in items(lifecycle, "rules") if read(lifecycle, f"{rule}.status") == "Enabled"]
    return any_of(
        (
            at_least(lifecycle, f"{rule}.abortIncompleteMultipartUpload.daysAfterInitiation", 1, "days")
            for rule in enabled
        ),
        otherwise=failed("rules", f"{len(enabled)} enabled rules, none of which does", required),
    )


@family.rule(
    "aws-dynamodb-point-in-time-recovery",
    Severity.HIGH,
    "DynamoDB tables can be restored to any second, for as long as daily points are kept",
    types=(DYNAMODB_TABLE,),
    rationale="A bad write loses features between two backups unless each second can be restored.",
    remedy="Set pointInTimeRecovery.enabled, and leave recoveryPeriodInDays at 35.",
    frameworks={
        Framework.AWS_FSBP: ("DynamoDB.2",),
        Framework.NIST_800_53: ("CP-9",),
        Framework.CHECKOV: ("CKV_AWS_28",),
    },
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 35}}),
        broken={
            "pointInTimeRecovery.enabled is false": put("pointInTimeRecovery.enabled", False),
            "pointInTimeRecovery.enabled is absent": drop("pointInTimeRecovery"),
            "pointInTimeRecovery.recoveryPeriodInDays is 13": put("pointInTimeRecovery.recoveryPeriodInDays", 13),
        },
        accepted={"": drop("pointInTimeRecovery.recoveryPeriodInDays")},
    ),
)
def dynamodb_point_in_time(table: Resource, inventory: Inventory) -> Judgement:
    path = "pointInTimeRecovery.recoveryPeriodInDays"
    days = min(_PITR_DAYS, SettingsView.of(inventory.settings).keep_daily_days)
    return all_of(
        (
            equals(table, "pointInTimeRecovery.enabled", True),
            if_given(table, path, lambda: at_least(table, path, days, "days")),
        )
    )


@family.rule(
    "gcp-redis-persistent",
    Severity.HIGH,
    "Memorystore survives a restart",
    types=(REDIS,),
    rationale="Without persistence a failed node empties the feature store, and predictions fall back.",
    remedy="Set persistenceConfig.persistenceMode to RDB.",
    examples=lambda: examples(
        given(REDIS, {"persistenceConfig.persistenceMode": "RDB"}),
        broken={
            'persistenceConfig.persistenceMode is "DISABLED"': put("persistenceConfig.persistenceMode", "DISABLED"),
            "persistenceConfig.persistenceMode is absent": drop("persistenceConfig"),
        },
    ),
)
def redis_persistent(instance: Resource, _: Inventory) -> Judgement:
    return one_of(instance, "persistenceConfig.persistenceMode", ("RDB", "AOF"))


family.require(
    "gcp-firestore-point-in-time-recovery",
    Severity.HIGH,
    "Firestore databases can be restored to any minute of a week",
    type=FIRESTORE,
    inputs={"pointInTimeRecoveryEnablement": ("POINT_IN_TIME_RECOVERY_ENABLED", "POINT_IN_TIME_RECOVERY_DISABLED")},
    rationale="A bad write loses features between two exports unless each minute can be read again.",
    remedy='Set pointInTimeRecoveryEnablement to "POINT_IN_TIME_RECOVERY_ENABLED".',
    frameworks={Framework.NIST_800_53: ("CP-9",)},
)


family.require(
    "gcp-bigtable-backed-up",
    Severity.HIGH,
    "Bigtable tables are backed up each day",
    type=BIGTABLE_TABLE,
    inputs={"automatedBackupPolicy.frequency": ("24h0m0s", "0")},
    rationale="Replication carries a bad write to every cluster; only a backup holds what was there before.",
    remedy='Set automatedBackupPolicy with the frequency "24h0m0s" and a retention.',
    frameworks={Framework.NIST_800_53: ("CP-9",)},
)


@family.rule(
    "aws-elasticache-snapshots",
    Severity.HIGH,
    "ElastiCache groups are kept in daily snapshots for a week",
    types=(VALKEY,),
    rationale="Replication carries a bad write everywhere; only a snapshot holds what was there before.",
    remedy="Set snapshotRetentionLimit to 7 days or more, at most 35.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(VALKEY, {"snapshotRetentionLimit": 7}),
        broken={
            "snapshotRetentionLimit is 6": put("snapshotRetentionLimit", 6),
            "snapshotRetentionLimit is absent": drop("snapshotRetentionLimit"),
        },
    ),
)
def elasticache_snapshots(group: Resource, _: Inventory) -> Judgement:
    return at_least(group, "snapshotRetentionLimit", 7, "days")
