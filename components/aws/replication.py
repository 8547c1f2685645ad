"""Replication of one bucket to another region by S3 itself: the rule, its role, and what the role may do."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.buckets import MadeBucket
from components.aws.documents import allow, bucket_arn, bucket_key_access, document, service_trust
from components.aws.roles import make_role
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef

REPLICATION_RULE: Final = "everything"
"""Id of the replication rule; its CloudWatch metrics carry it."""
REPLICATION_MINUTES: Final = 15
"""What S3 Replication Time Control promises for 99.99 % of objects; the API accepts no other value."""


def replicate(
    parent: Component,
    purpose: str,
    place: Place,
    *,
    what: str,
    source: tuple[str, MadeBucket],
    target: tuple[str, MadeBucket],
    key: KeyRef,
    bounded: bool = True,
) -> aws.s3.BucketReplicationConfig:
    """Copy each version that is written to `source` from now on, and each delete marker, to the other region.

    Objects that are older, or whose replication failed, need S3 Batch Replication. Deletions are replicated as
    markers; a deletion of a named version is not replicated at all.

    Args:
        what: is copied; completes "S3 copies … to the backup region".
        source: the bucket's name, and the bucket; `target` likewise.
        key: what replicas are encrypted with, in the backup region.
        bounded: as of `make_role`.
    """
    role = make_role(
        parent,
        place,
        f"{purpose}-replication",
        description=f"S3 copies {what} to the backup region",
        trust=service_trust("s3.amazonaws.com"),
        inline={"replicate": replication_policy(place, source[0], target[0])},
        bounded=bounded,
    )
    return aws.s3.BucketReplicationConfig(
        purpose,
        region=place.region,
        bucket=source[1].bucket.bucket,
        role=role.arn,
        rules=[
            aws.s3.BucketReplicationConfigRuleArgs(
                id=REPLICATION_RULE,
                status="Enabled",
                priority=1,
                filter=aws.s3.BucketReplicationConfigRuleFilterArgs(prefix=""),
                delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(
                    status="Enabled"
                ),
                # Without this S3 leaves out all that is encrypted with a KMS key: every object here.
                source_selection_criteria=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(
                    sse_kms_encrypted_objects=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(
                        status="Enabled"
                    )
                ),
                destination=_destination(ready(bucket_arn(target[0]), target[1].bucket), key),
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[source[1].versioning, target[1].versioning]),
    )


def _destination(bucket: pulumi.Output[str], key: KeyRef) -> aws.s3.BucketReplicationConfigRuleDestinationArgs:
    return aws.s3.BucketReplicationConfigRuleDestinationArgs(
        bucket=bucket,
        encryption_configuration=aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
            replica_kms_key_id=key.id
        ),
        replication_time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeArgs(
            status="Enabled",
            time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs(minutes=REPLICATION_MINUTES),
        ),
        metrics=aws.s3.BucketReplicationConfigRuleDestinationMetricsArgs(
            status="Enabled",
            event_threshold=aws.s3.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs(
                minutes=REPLICATION_MINUTES
            ),
        ),
    )


def replication_policy(place: Place, source: str, destination: str) -> str:
    """Read versions of the one bucket, write replicas to the other, each with its own region's key."""
    return document(
        allow("ReadRule", ["s3:GetReplicationConfiguration", "s3:ListBucket"], bucket_arn(source)),
        allow(
            "ReadVersions",
            ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
            f"{bucket_arn(source)}/*",
        ),
        allow(
            "WriteReplicas",
            ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
            f"{bucket_arn(destination)}/*",
        ),
        bucket_key_access("DecryptSource", place, source, ["kms:Decrypt"]),
        bucket_key_access(
            "EncryptReplica",
            place,
            destination,
            # Decrypt: S3 looks whether the destination's bucket key is whole before it uses it.
            ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"],
            region=place.backup_region,
        ),
    )
