"""A bucket and its copy in the backup region, on each cloud: what the examples of rules about copies start from."""

from __future__ import annotations

from typing import Final

from policies.examples import Given, Output, given
from policies.tokens import (
    GCP_KEY,
    GCP_KEY_RING,
    GCS_BUCKET,
    KMS_KEY,
    S3_BUCKET,
    S3_ENCRYPTION,
    S3_REPLICATION,
    S3_VERSIONING,
    TRANSFER_JOB,
)

OUTSIDE: Final = "no bucket of this stack, so its region is not known"
REPLICA: Final = "rules.0.destination.bucket"
REPLICA_KEY: Final = "rules.0.destination.encryptionConfiguration.replicaKmsKeyId"
SELECTED: Final = "rules.0.sourceSelectionCriteria.sseKmsEncryptedObjects.status"
SOURCE: Final = "transferSpec.gcsDataSource.bucketName"
COPY: Final = "transferSpec.gcsDataSink.bucketName"
GCS_KEY: Final = "encryption.defaultKmsKeyName"


def s3_copy() -> tuple[Given, ...]:
    """On AWS."""
    source_key = "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"
    replication = {
        "bucket": "models",
        "rules.0.status": "Enabled",
        "rules.0.filter.prefix": "",
        REPLICA: "arn:aws:s3:::replica",
        REPLICA_KEY: Output(KMS_KEY, "away"),
        SELECTED: "Enabled",
    }
    return (
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_ENCRYPTION, {"bucket": "models", source_key: Output(KMS_KEY)}),
        given(S3_REPLICATION, replication),
        given(S3_BUCKET, {"bucket": "replica"}, "away", away=True),
        given(S3_VERSIONING, {"bucket": "replica", "versioningConfiguration.status": "Enabled"}, "away", away=True),
        given(KMS_KEY, {}, "away", away=True),
    )


def gcs_copy() -> tuple[Given, ...]:
    """On Google Cloud."""
    away = {"name": "copy", "location": "europe-north1", GCS_KEY: Output(GCP_KEY, "away")}
    return (
        given(GCS_BUCKET, {"name": "models", "location": "europe-west1", GCS_KEY: Output(GCP_KEY)}),
        given(TRANSFER_JOB, {SOURCE: "models", COPY: "copy", "status": "ENABLED"}),
        given(GCS_BUCKET, {**away, "versioning.enabled": True}, "away", away=True),
        given(GCP_KEY, {"keyRing": Output(GCP_KEY_RING, "away")}, "away", away=True),
        given(GCP_KEY_RING, {"location": "europe-north1"}, "away", away=True),
    )
