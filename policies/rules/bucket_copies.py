"""Copies of buckets: the whole bucket, versioned, far enough away, and under a key of the copy's own region."""

from __future__ import annotations

from policies.buckets import GCS, S3, TRANSFER_JOB, BucketKind, Copy
from policies.checks import all_equal, all_of, best_of, failed, not_applicable, unknown
from policies.examples import Given, Hidden, Output, both, drop, examples, given, plus, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import far_enough, home_region, key_of_its_own, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import (
    GCP_KEY,
    GCP_KEY_RING,
    GCS_BUCKET,
    KMS_KEY,
    S3_BUCKET,
    S3_ENCRYPTION,
    S3_LOGGING,
    S3_REPLICATION,
    S3_VERSIONING,
)

family = Family("Copies of buckets")

_OUTSIDE = "no bucket of this stack, so its region is not known"
_NOT_FOR_LOGS = "logs are not needed to restore the service"
_REPLICA = "rules.0.destination.bucket"
_REPLICA_KEY = "rules.0.destination.encryptionConfiguration.replicaKmsKeyId"
_SELECTED = "rules.0.sourceSelectionCriteria.sseKmsEncryptedObjects.status"
_SOURCE = "transferSpec.gcsDataSource.bucketName"
_COPY = "transferSpec.gcsDataSink.bucketName"
_GCS_KEY = "encryption.defaultKmsKeyName"


def _in_backup_region(bucket: Resource, settings: SettingsView) -> bool:
    return region_in(bucket) == settings.backup_region


def _copied_far(kind: BucketKind, bucket: Resource, inventory: Inventory, absent: str) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    if kind.holds_logs(bucket, inventory):
        return not_applicable(_NOT_FOR_LOGS)
    if _in_backup_region(bucket, settings):
        return not_applicable("the bucket lies in the backup region")
    copies = kind.copies(inventory, bucket)
    if not copies:
        return failed("", absent, "a copy in the backup region")
    return best_of(_far_copy(kind, bucket, inventory, settings, copy) for copy in copies)


def _far_copy(
    kind: BucketKind, bucket: Resource, inventory: Inventory, settings: SettingsView, copy: Copy
) -> Judgement:
    path = f"{copy.job.name}.{copy.destination_path}"
    destination = kind.destination(inventory, copy)
    if destination is None:
        return unknown(path, "a bucket of this stack", _OUTSIDE)
    far = far_enough(settings, path, home_region(bucket, settings), region_in(destination))
    return all_of((far, kind.versioned(destination, inventory)))


def _own_keys(kind: BucketKind, bucket: Resource, inventory: Inventory, absent: str) -> Judgement:
    copies = kind.copies(inventory, bucket)
    if _in_backup_region(bucket, SettingsView.of(inventory.settings)) or not copies:
        return not_applicable(absent)
    taken = kind.keys(inventory, bucket)
    return all_of(_own_key(kind, inventory, copy, taken) for copy in copies)


def _own_key(kind: BucketKind, inventory: Inventory, copy: Copy, taken: set[str]) -> Judgement:
    destination = kind.destination(inventory, copy)
    if destination is None:
        return unknown(f"{copy.job.name}.{copy.destination_path}", "a bucket of this stack", _OUTSIDE)
    holder, path = kind.key_of_copy(copy, destination)
    own = key_of_its_own(inventory, holder, path, taken, region_in(destination))
    return all_of((own, all_equal(copy.job, kind.copies_encrypted(copy))))


def _s3() -> tuple[Given, ...]:
    source_key = "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"
    replication = {
        "bucket": "models",
        "rules.0.status": "Enabled",
        "rules.0.filter.prefix": "",
        _REPLICA: "arn:aws:s3:::replica",
        _REPLICA_KEY: Output(KMS_KEY, "away"),
        _SELECTED: "Enabled",
    }
    return (
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_ENCRYPTION, {"bucket": "models", source_key: Output(KMS_KEY)}),
        given(S3_REPLICATION, replication),
        given(S3_BUCKET, {"bucket": "replica"}, "away", away=True),
        given(S3_VERSIONING, {"bucket": "replica", "versioningConfiguration.status": "Enabled"}, "away", away=True),
        given(KMS_KEY, {}, "away", away=True),
    )


def _gcs() -> tuple[Given, ...]:
    away = {"name": "copy", "location": "europe-north1", _GCS_KEY: Output(GCP_KEY, "away")}
    return (
        given(GCS_BUCKET, {"name": "models", "location": "europe-west1", _GCS_KEY: Output(GCP_KEY)}),
        given(TRANSFER_JOB, {_SOURCE: "models", _COPY: "copy", "status": "ENABLED"}),
        given(GCS_BUCKET, {**away, "versioning.enabled": True}, "away", away=True),
        given(GCP_KEY, {"keyRing": Output(GCP_KEY_RING, "away")}, "away", away=True),
        given(GCP_KEY_RING, {"location": "europe-north1"}, "away", away=True),
    )


@family.rule(
    "aws-s3-replicated-far",
    Severity.HIGH,
    "S3 buckets are replicated to a versioned bucket in a region far enough away",
    types=(S3_BUCKET,),
    rationale="A replica in the same or a neighbouring region is lost in the same disaster.",
    remedy="Replicate the whole bucket to a versioned bucket in a region at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6",), Framework.CHECKOV: ("CKV_AWS_144",)},
    examples=lambda: examples(
        *_s3(),
        broken={
            "no enabled rule replicates the whole bucket": (
                put("rules.0.status", "Disabled", on=S3_REPLICATION),
                put("rules.0.filter.prefix", "releases/", on=S3_REPLICATION),
                put("rules.0.filter.tag", {"key": "copied", "value": "yes"}, on=S3_REPLICATION),
                put("rules.0.filter.and", {"prefix": "releases/"}, on=S3_REPLICATION),
                without(S3_REPLICATION),
            ),
            f"example.{_REPLICA} is in eu-west-1, the same region": both(
                without(S3_BUCKET, "away"), plus(given(S3_BUCKET, {"bucket": "replica"}, "away"))
            ),
            f"example.{_REPLICA} is in eu-central-1, 1088 km away": setting("backup.min_distance_km", 9000),
            "the bucket has no versioning configuration": without(S3_VERSIONING, "away"),
            'versioningConfiguration.status is "Suspended"': put(
                "versioningConfiguration.status", "Suspended", on=S3_VERSIONING, name="away"
            ),
        },
        undecided={f"example.{_REPLICA} is {_OUTSIDE}": without(S3_BUCKET, "away")},
        accepted={
            "the bucket lies in the backup region": setting("backup.region", "eu-west-1"),
            "eu-central-1 is 1088 km from eu-west-1": (
                setting("backup.min_distance_km", 1000),
                setting("backup", {"region": "eu-central-1"}),
            ),
            _NOT_FOR_LOGS: plus(given(S3_LOGGING, {"bucket": "other", "targetBucket": "models"}, "other")),
        },
    ),
)
def s3_replicated_far(bucket: Resource, inventory: Inventory) -> Judgement:
    return _copied_far(S3, bucket, inventory, "no enabled rule replicates the whole bucket")


@family.rule(
    "gcp-gcs-copied-far",
    Severity.HIGH,
    "Cloud Storage buckets are copied to a versioned bucket in a region far enough away",
    types=(GCS_BUCKET,),
    rationale="A copy in the same or a neighbouring region is lost in the same disaster.",
    remedy="Add a transfer job to a versioned bucket in a region at least backup.min_distance_km away.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        *_gcs(),
        broken={
            "no enabled transfer job copies the whole bucket": (
                put("status", "DISABLED", on=TRANSFER_JOB),
                put("transferSpec.gcsDataSource.path", "releases/", on=TRANSFER_JOB),
                put("transferSpec.objectConditions", {"excludePrefixes": ["releases/"]}, on=TRANSFER_JOB),
                without(TRANSFER_JOB),
            ),
            f"example.{_COPY} is in europe-north1, 1836 km away": setting("backup.min_distance_km", 9000),
            "versioning.enabled is false": put("versioning.enabled", False, on=GCS_BUCKET, name="away"),
        },
        undecided={f"example.{_COPY} is {_OUTSIDE}": without(GCS_BUCKET, "away")},
        accepted={
            "the bucket lies in the backup region": setting("backup.region", "europe-west1"),
            _NOT_FOR_LOGS: plus(given(GCS_BUCKET, {"name": "other", "logging.logBucket": "models"}, "other")),
        },
    ),
)
def gcs_copied_far(bucket: Resource, inventory: Inventory) -> Judgement:
    return _copied_far(GCS, bucket, inventory, "no enabled transfer job copies the whole bucket")


@family.rule(
    "aws-s3-replica-own-key",
    Severity.HIGH,
    "S3 replicas are encrypted with a key of their own region",
    types=(S3_BUCKET,),
    rationale="A replica under the primary region's key cannot be read once that region or key is lost.",
    remedy="Set replicaKmsKeyId to a key in the replica's region, and replicate KMS-encrypted objects.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        *_s3(),
        broken={
            f"{_REPLICA_KEY} is example, the key of the source": put(
                _REPLICA_KEY, Output(KMS_KEY), on=S3_REPLICATION
            ),
            f"{_REPLICA_KEY} is absent": drop("rules.0.destination.encryptionConfiguration", on=S3_REPLICATION),
            f'{_SELECTED} is "Disabled"': put(_SELECTED, "Disabled", on=S3_REPLICATION),
        },
        undecided={
            f"{_REPLICA_KEY} is known only to the provider": put(_REPLICA_KEY, Hidden(), on=S3_REPLICATION),
        },
        accepted={
            "": put(
                _REPLICA_KEY,
                Output(KMS_KEY, "away", "arn:aws:kms:eu-central-1:111122223333:key/5f3c"),
                on=S3_REPLICATION,
            ),
            "the bucket is not replicated": (without(S3_REPLICATION), setting("backup.region", "eu-west-1")),
        },
    ),
)
def s3_replica_own_key(bucket: Resource, inventory: Inventory) -> Judgement:
    return _own_keys(S3, bucket, inventory, "the bucket is not replicated")


@family.rule(
    "gcp-gcs-copy-own-key",
    Severity.HIGH,
    "Copies of Cloud Storage buckets have a key of their own, in their own region",
    types=(GCS_BUCKET,),
    rationale="A copy under the primary region's key cannot be read once that region or key is lost.",
    remedy="Set the copy's encryption.defaultKmsKeyName to a key in its own region.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        *_gcs(),
        broken={
            f"{_GCS_KEY} is example, the key of the source": put(
                _GCS_KEY, Output(GCP_KEY), on=GCS_BUCKET, name="away"
            ),
            f"{_GCS_KEY} is away in us-central1": put("location", "us-central1", on=GCP_KEY_RING, name="away"),
        },
        undecided={
            f"{_GCS_KEY} is away, whose region the plan does not know": put(
                "location", Hidden(), on=GCP_KEY_RING, name="away"
            ),
            f"example.{_COPY} is {_OUTSIDE}": without(GCS_BUCKET, "away"),
        },
        accepted={"the bucket is not copied": without(TRANSFER_JOB)},
    ),
)
def gcs_copy_own_key(bucket: Resource, inventory: Inventory) -> Judgement:
    return _own_keys(GCS, bucket, inventory, "the bucket is not copied")
