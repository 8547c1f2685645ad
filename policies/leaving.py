"""Where configuration sends data: each input that names a place, by type, and whether the place is the own one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from common.iam.callers import account_of
from policies.buckets import GCS, s3_names
from policies.checks import ABSENT, PASS, failed, is_hidden, read, shown, unknown
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.tokens import (
    BACKUP_PLAN,
    EVENT_TARGET,
    GCP_LOG_SINK,
    GCS_BUCKET,
    LAMBDA,
    LOG_SUBSCRIPTION,
    S3_ACCESS_POINT,
    S3_BUCKET,
    S3_MULTI_REGION,
    S3_REPLICATION,
    SCHEDULER_JOB,
    TRANSFER_JOB,
)

ECR_REPLICATION: Final = "aws:ecr/replicationConfiguration:ReplicationConfiguration"

ACCOUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    S3_REPLICATION: ("rules.*.destination.account",),
    ECR_REPLICATION: ("replicationConfiguration.rules.*.destinations.*.registryId",),
    BACKUP_PLAN: ("rules.*.copyActions.*.destinationVaultArn",),
    EVENT_TARGET: ("arn", "deadLetterConfig.arn"),
    LOG_SUBSCRIPTION: ("destinationArn",),
    "aws:cloudwatch/logDestination:LogDestination": ("targetArn",),
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": (
        "deliveryDestinationConfiguration.destinationResourceArn",
    ),
    "aws:cloudwatch/metricStream:MetricStream": ("firehoseArn",),
    "aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination": ("streamArn",),
    "aws:dynamodb/tableExport:TableExport": ("s3BucketOwner",),
    LAMBDA: ("deadLetterConfig.targetArn", "layers.*"),
    "aws:oam/link:Link": ("sinkIdentifier",),
    "aws:pipes/pipe:Pipe": ("target",),
    S3_ACCESS_POINT: ("accountId", "bucketAccountId"),
    "aws:s3/inventory:Inventory": ("destination.bucket.accountId",),
    S3_MULTI_REGION: ("accountId", "details.regions.*.bucketAccountId"),
    "aws:scheduler/schedule:Schedule": ("target.arn", "target.deadLetterConfig.arn"),
}
"""Type → inputs with an account's number, or an ARN that holds one; `*` stands for each of a list."""

S3_BUCKETS: Final[Mapping[str, tuple[str, ...]]] = {
    S3_REPLICATION: ("rules.*.destination.bucket",),
    "aws:dynamodb/tableExport:TableExport": ("s3Bucket",),
    "aws:s3/inventory:Inventory": ("destination.bucket.bucketArn",),
    S3_MULTI_REGION: ("details.regions.*.bucket",),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": (
        "extendedS3Configuration.bucketArn",
        "extendedS3Configuration.s3BackupConfiguration.bucketArn",
    ),
}
"""Type → inputs that name a bucket, whose ARN says nothing of its account: only the stack's are known to be own."""

ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws:cloudwatch/eventApiDestination:EventApiDestination": ("invocationEndpoint",),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": (
        "httpEndpointConfiguration",
        "splunkConfiguration",
        "snowflakeConfiguration",
        "icebergConfiguration",
    ),
}
"""Type → inputs that lead out of AWS, whatever they say."""

PROJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    GCP_LOG_SINK: ("destination",),
    "gcp:logging/folderSink:FolderSink": ("destination",),
    "gcp:logging/organizationSink:OrganizationSink": ("destination",),
    "gcp:pubsub/subscription:Subscription": ("bigqueryConfig.table", "deadLetterPolicy.deadLetterTopic", "topic"),
    "gcp:storage/notification:Notification": ("topic",),
    SCHEDULER_JOB: ("pubsubTarget.topicName", "httpTarget.uri"),
    TRANSFER_JOB: ("notificationConfig.pubsubTopic",),
}
"""Type → inputs with a name of Google Cloud that begins with, or holds, its project."""

GCS_BUCKETS: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:pubsub/subscription:Subscription": ("cloudStorageConfig.bucket",),
    TRANSFER_JOB: (
        "transferSpec.gcsDataSink.bucketName",
        "replicationSpec.gcsDataSink.bucketName",
    ),
}
"""Type → inputs that name a bucket by its name alone."""

GOOGLE_ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:pubsub/subscription:Subscription": ("pushConfig.pushEndpoint",),
    TRANSFER_JOB: ("transferSpec.posixDataSink", "transferSpec.sinkAgentPoolName"),
    SCHEDULER_JOB: ("appEngineHttpTarget",),
}
"""Type → inputs that lead to wherever an address says."""


def places(resource: Resource, pattern: str) -> Iterator[str]:
    """The paths that a pattern stands for; where a list on the way cannot be read, the list's own."""
    head, star, rest = pattern.partition(".*")
    if not star:
        yield pattern
        return
    value = read(resource, head)
    if is_hidden(value):
        yield head
    for index in range(len(value)) if isinstance(value, list) else ():
        yield from places(resource, f"{head}.{index}{rest}")


def in_account(resource: Resource, path: str, own: str, inventory: Inventory) -> Judgement:
    """Whether what an input names lies in the own account: by its account, or as a bucket of the stack."""
    value, required = read(resource, path), f"a place in the account {own}"
    if value is ABSENT:
        return PASS
    if is_hidden(value):
        return _linked(resource, path, required)
    if str(value).startswith("arn:aws:s3:::"):
        return in_stack(resource, path, inventory)
    account = account_of(str(value)) or "that it does not name"
    return PASS if account == own else failed(path, f"{shown(value)}, in the account {account}", required)


def in_project(resource: Resource, path: str, own: str, inventory: Inventory) -> Judgement:
    """Whether what an input names lies in the own project: by its project, or as a bucket of the stack."""
    value, required = read(resource, path), f"a place in the project {own}"
    if value is ABSENT:
        return PASS
    if is_hidden(value):
        return _linked(resource, path, required)
    parts = str(value).removeprefix("https://").replace(":", ".").split("/")
    if "projects" in parts[:-1]:
        is_own = parts[parts.index("projects") + 1] == own
    elif parts[0] == "storage.googleapis.com" and len(parts) > 1:
        is_own = parts[-1] in inventory.derived(_gcs_buckets)
    elif path.endswith("bigqueryConfig.table"):
        is_own = parts[0].startswith(f"{own}.")
    else:
        is_own = len(parts) == 1 and "." not in parts[0]  # a name alone is of the project that asks
    if is_own and path.endswith("uri"):
        is_own = parts[0].endswith(".googleapis.com")
    return PASS if is_own else failed(path, shown(value), required)


def in_stack(resource: Resource, path: str, inventory: Inventory) -> Judgement:
    """Whether the bucket that an input names is one of the stack."""
    value, required = read(resource, path), "a bucket of this stack"
    if value is ABSENT:
        return PASS
    if is_hidden(value):
        return _linked(resource, path, required)
    known = inventory.derived(_gcs_buckets if resource.type.startswith("gcp:") else _s3_buckets)
    own = isinstance(value, str) and value in known
    return PASS if own else failed(path, f"{shown(value)}, none of this stack", required)


def _linked(resource: Resource, path: str, required: str) -> Judgement:
    """What the provider alone knows is the stack's own where another of its resources gives it."""
    return PASS if resource.property_dependencies.get(path.split(".")[0]) else unknown(path, required)


def _s3_buckets(inventory: Inventory) -> frozenset[Any]:
    return frozenset(name for bucket in inventory.of_type(S3_BUCKET) for name in s3_names(bucket))


def _gcs_buckets(inventory: Inventory) -> frozenset[Any]:
    return frozenset(name for bucket in inventory.of_type(GCS_BUCKET) for name in GCS.names(bucket))
