"""The model bucket and its replica in the backup region, and the buckets that their access logs go to."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.buckets import access_log_bucket, model_bucket
from components.aws.documents import allow, bucket_arn, bucket_key_access, document, service_trust
from components.aws.network import own_resources, store_endpoint
from components.aws.roles import make_role
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import BucketRef, KeysRef, NetworkRef, StorageRef
from components.contracts.specs import StorageSpec
from components.contracts.stateful import CopiedBy, NotCopied, Stateful

REPLICATION_RULE: Final = "everything"
"""Id of the replication rule; its CloudWatch metrics carry it."""
REPLICATION_MINUTES: Final = 15
"""What S3 Replication Time Control promises for 99.99 % of objects; the API accepts no other value."""

MODELS: Final = Stateful("model releases, with all their versions", CopiedBy.REPLICATION)
REPLICA: Final = Stateful("the copy of the model releases", NotCopied("it is the copy"))


class Storage(Component):
    """Two buckets made by one function, each in its own region under that region's key, and replication between.

    Replication covers what is written after it is in force. Objects that are older, or whose replication failed,
    need S3 Batch Replication; here the bucket and its rule come up together, before anything can be published.
    Deletions are replicated as markers, so the replica keeps the versions for `noncurrent_retention_days`; a
    deletion of a named version is not replicated at all.
    """

    ref: StorageRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: StorageSpec,
        *,
        network: NetworkRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Storage", name, provider)
        models_name = place.bucket_name("models", place.region)
        replica_name = place.bucket_name("models", place.backup_region)
        models_logs = access_log_bucket(
            self, "logs", place, place.region, [models_name, place.bucket_name("audit", place.region)]
        )
        replica_logs = access_log_bucket(self, "replica-logs", place, place.backup_region, [replica_name])
        models = model_bucket(self, "models", MODELS, place, spec, models_name, keys.data, models_logs)
        replica = model_bucket(self, "replica", REPLICA, place, spec, replica_name, keys.recovery, replica_logs)
        role = make_role(
            self,
            place,
            "models-replication",
            description="S3 copies the model bucket to the backup region",
            trust=service_trust("s3.amazonaws.com"),
            inline={"replicate": replication_policy(place, models_name, replica_name)},
        )
        rule = aws.s3.BucketReplicationConfig(
            "models",
            region=place.region,
            bucket=models.bucket.bucket,
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
                    destination=_destination(ready(bucket_arn(replica_name), replica.bucket), keys),
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[models.versioning, replica.versioning]),
        )
        door = store_endpoint(self, place, network, "s3", buckets_endpoint_policy(place))
        self.ref = StorageRef(
            models=BucketRef(
                name=models_name,
                uri=f"s3://{models_name}",
                region=place.region,
                id=ready(models_name, models.bucket, rule, *models.settings),
            ),
            replica=BucketRef(
                name=replica_name,
                uri=f"s3://{replica_name}",
                region=place.backup_region,
                id=ready(replica_name, replica.bucket, *replica.settings),
            ),
            access_logs=ready(place.bucket_name("logs", place.region), models_logs.bucket, *models_logs.settings),
            environment={"AWS_ENDPOINT_URL_S3": door.url},
            doors=door.doors,
        )
        self.finish({"models": self.ref.models.id, "replica": self.ref.replica.id})


def buckets_endpoint_policy(place: Place) -> str:
    """This account's roles on this account's buckets."""
    return document(allow("OwnRolesOnOwnBuckets", ["s3:*"], "*", principal="*", condition=own_resources(place)))


def _destination(bucket: pulumi.Output[str], keys: KeysRef) -> aws.s3.BucketReplicationConfigRuleDestinationArgs:
    return aws.s3.BucketReplicationConfigRuleDestinationArgs(
        bucket=bucket,
        encryption_configuration=aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
            replica_kms_key_id=keys.recovery.id
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
            ["kms:Encrypt", "kms:GenerateDataKey"],
            region=place.backup_region,
        ),
    )
