"""Keys of copies: a copy can be read when the primary region, or its key, is gone."""

from __future__ import annotations

from policies.buckets import GCS, S3, BucketKind, Copy
from policies.checks import all_equal, all_of, if_given, not_applicable, one_of, unknown
from policies.copy_examples import COPY, GCS_KEY, OUTSIDE, REPLICA_KEY, SELECTED, gcs_copy, s3_copy
from policies.examples import Hidden, Output, drop, examples, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import key_of_its_own, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import GCP_KEY, GCP_KEY_RING, GCS_BUCKET, KMS_KEY, S3_BUCKET, S3_REPLICATION, TRANSFER_JOB

family = Family("Keys of copies")

_WITH_KEY = "transferSpec.transferOptions.metadataOptions.kmsKey"
_SINKS_KEY = ("KMS_KEY_DESTINATION_BUCKET_DEFAULT", "KMS_KEY_UNSPECIFIED")
"""With KMS_KEY_PRESERVE a copy stays under the source's key (Storage Transfer's reference: believed, 2026-11-22)."""


def _own_keys(kind: BucketKind, bucket: Resource, inventory: Inventory, absent: str) -> Judgement:
    copies = kind.copies(inventory, bucket)
    if region_in(bucket) == SettingsView.of(inventory.settings).backup_region or not copies:
        return not_applicable(absent)
    taken = kind.keys(inventory, bucket)
    return all_of(_own_key(kind, inventory, copy, taken) for copy in copies)


def _own_key(kind: BucketKind, inventory: Inventory, copy: Copy, taken: set[str]) -> Judgement:
    destination = kind.destination(inventory, copy)
    if destination is None:
        return unknown(f"{copy.job.name}.{copy.destination_path}", "a bucket of this stack", OUTSIDE)
    holder, path = kind.key_of_copy(copy, destination)
    own = key_of_its_own(inventory, holder, path, taken, region_in(destination))
    kept = if_given(copy.job, _WITH_KEY, lambda: one_of(copy.job, _WITH_KEY, _SINKS_KEY))
    return all_of((own, all_equal(copy.job, kind.copies_encrypted(copy)), kept))


@family.rule(
    "aws-s3-replica-own-key",
    Severity.HIGH,
    "S3 replicas are encrypted with a key of their own region",
    types=(S3_BUCKET,),
    rationale="A replica under the primary region's key cannot be read once that region or key is lost.",
    remedy="Set replicaKmsKeyId to a key in the replica's region, and replicate KMS-encrypted objects.",
    frameworks={Framework.NIST_800_53: ("CP-6",)},
    examples=lambda: examples(
        *s3_copy(),
        broken={
            f"{REPLICA_KEY} is example, the key of the source": put(REPLICA_KEY, Output(KMS_KEY), on=S3_REPLICATION),
            f"{REPLICA_KEY} is absent": drop("rules.0.destination.encryptionConfiguration", on=S3_REPLICATION),
            f'{SELECTED} is "Disabled"': put(SELECTED, "Disabled", on=S3_REPLICATION),
        },
        undecided={
            f"{REPLICA_KEY} is known only to the provider": put(REPLICA_KEY, Hidden(), on=S3_REPLICATION),
        },
        accepted={
            "": put(
                REPLICA_KEY,
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
        *gcs_copy(),
        broken={
            f"{GCS_KEY} is example, the key of the source": put(GCS_KEY, Output(GCP_KEY), on=GCS_BUCKET, name="away"),
            f'{_WITH_KEY} is "KMS_KEY_PRESERVE"': put(_WITH_KEY, "KMS_KEY_PRESERVE", on=TRANSFER_JOB),
            f"{GCS_KEY} is away in us-central1": put("location", "us-central1", on=GCP_KEY_RING, name="away"),
        },
        undecided={
            f"{GCS_KEY} is away, whose region the plan does not know": put(
                "location", Hidden(), on=GCP_KEY_RING, name="away"
            ),
            f"example.{COPY} is {OUTSIDE}": without(GCS_BUCKET, "away"),
        },
        accepted={"the bucket is not copied": without(TRANSFER_JOB)},
    ),
)
def gcs_copy_own_key(bucket: Resource, inventory: Inventory) -> Judgement:
    return _own_keys(GCS, bucket, inventory, "the bucket is not copied")
