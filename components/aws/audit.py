"""The audit trail: who read or wrote models and features, what was changed, and every connection, in a locked bucket.

What AWS cannot do here, settled on 2026-11-21:

- S3's access logs cannot lie in a locked bucket ("S3 buckets with Object Lock can't be used as destination buckets
  for server access logs": S3 user guide, "Object Lock considerations"). The trail's data events can, and say more.
- EKS writes its control plane's logs to CloudWatch only, which has no lock; the group is protected from deletion.
- ElastiCache has no data events: CloudTrail knows `AWS::DynamoDB::Table`, and nothing of Valkey's commands. The flow
  logs say who connected.
- Security groups log nothing; flow logs with what was rejected are AWS' firewall log.
- That flow logs are delivered to a bucket with a default retention is believed: CloudTrail's are, by its guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.buckets import locked_bucket
from components.aws.documents import Statement, allow, bucket_arn, service, table_arn
from components.aws.identity import fleet_role
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreKind, FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import AuditRef, KeyRef, KeysRef, NetworkRef, StorageRef
from components.contracts.specs import MonitoringSpec
from components.contracts.stateful import NotCopied, Stateful
from components.contracts.vocabulary import OptOut

BUCKET: Final = "audit"
RECORDS: Final = Stateful(
    "the record of who read and wrote models and features, and of the network's connections",
    NotCopied("a restore needs no logs, and a lock keeps them"),
)

Selector = aws.cloudtrail.TrailAdvancedEventSelectorArgs
Field = aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs


def trail_name(place: Place) -> str:
    """The trail's physical name."""
    return place.name("data-events")


def trail_arn(place: Place) -> str:
    """ARN of the trail."""
    return f"arn:aws:cloudtrail:{place.region}:{place.account}:trail/{trail_name(place)}"


def trail_deliveries(place: Place, bucket: str) -> tuple[Statement, ...]:
    """What CloudTrail may do in the bucket, for this stack's trail only."""
    arn, logs = bucket_arn(bucket), f"{bucket_arn(bucket)}/AWSLogs/{place.account}/*"
    trail = {"StringEquals": {"aws:SourceArn": trail_arn(place)}}
    cloudtrail = service("cloudtrail.amazonaws.com")
    return (
        allow("TrailAsksWhoseBucket", ["s3:GetBucketAcl"], arn, principal=cloudtrail, condition=trail),
        allow("TrailWrites", ["s3:PutObject"], logs, principal=cloudtrail, condition=trail),
    )


def deliveries(place: Place, bucket: str) -> tuple[Statement, ...]:
    """What CloudTrail and the flow logs may do in the bucket: each writes under its own name, for this stack only."""
    arn, logs = bucket_arn(bucket), f"{bucket_arn(bucket)}/AWSLogs/{place.account}/*"
    flows = {
        "StringEquals": {"aws:SourceAccount": place.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{place.region}:{place.account}:*"},
    }
    delivery = service("delivery.logs.amazonaws.com")
    return (
        *trail_deliveries(place, bucket),
        allow(
            "FlowLogsAskWhoseBucket", ["s3:GetBucketAcl", "s3:ListBucket"], arn, principal=delivery, condition=flows
        ),
        allow("FlowLogsWrite", ["s3:PutObject"], logs, principal=delivery, condition=flows),
    )


def changes() -> Selector:
    """All management that changes something: what is done to keys is among it.

    KMS' own volume (Encrypt, Decrypt, GenerateDataKey) counts as reads (CloudTrail guide, "Logging management
    events", read 2026-11-21).
    """
    return Selector(
        name="What is changed by management, keys included",
        field_selectors=[
            Field(field="eventCategory", equals=["Management"]),
            Field(field="readOnly", equals=["false"]),
        ],
    )


def data_of_buckets(name: str, buckets: Sequence[str]) -> Selector:
    """Every read and write of the objects in these buckets."""
    return Selector(
        name=name,
        field_selectors=[
            Field(field="eventCategory", equals=["Data"]),
            Field(field="resources.type", equals=["AWS::S3::Object"]),
            Field(field="resources.ARN", starts_withs=[f"{bucket_arn(bucket)}/" for bucket in buckets]),
        ],
    )


def trail(
    parent: Component,
    place: Place,
    bucket: pulumi.Output[str],
    key: KeyRef,
    data_events: Sequence[Selector],
) -> aws.cloudtrail.Trail:
    """The stack's trail over all regions: changes by management and these data events, verifiably, in `bucket`."""
    return aws.cloudtrail.Trail(
        "data-events",
        name=trail_name(place),
        s3_bucket_name=bucket,
        kms_key_id=key.id,
        is_multi_region_trail=True,
        include_global_service_events=True,
        enable_log_file_validation=True,
        enable_logging=True,
        advanced_event_selectors=[*data_events, changes()],
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def selectors(place: Place, storage: StorageRef, feature_store: FeatureStoreRef) -> list[Selector]:
    """The data events that are logged: all on the model bucket and its replica, and all on the feature store.

    A read of DynamoDB costs $0.125 a million and its data event $1 (price lists of eu-west-1, 2026-11, believed): a
    stack may opt out of its fleet's own reads, and no one else's.
    """
    found = [
        data_of_buckets("Models, and their copy in the backup region", [storage.models.name, storage.replica.name])
    ]
    if feature_store.kind is not FeatureStoreKind.DYNAMODB:
        return found
    table = [
        Field(field="eventCategory", equals=["Data"]),
        Field(field="resources.type", equals=["AWS::DynamoDB::Table"]),
        Field(field="resources.ARN", equals=[table_arn(place, feature_store.name)]),
    ]
    if OptOut.FEATURE_READ_EVENTS not in place.opt_outs:
        return [*found, Selector(name="Features", field_selectors=table)]
    own = f"arn:aws:sts::{place.account}:assumed-role/{fleet_role(place)}/"
    return [
        *found,
        Selector(name="Writes of features", field_selectors=[*table, Field(field="readOnly", equals=["false"])]),
        Selector(
            name="Reads of features, but the fleet's own",
            field_selectors=[
                *table,
                Field(field="readOnly", equals=["true"]),
                Field(field="userIdentity.arn", not_starts_withs=[own]),
            ],
        ),
    ]


class Audit(Component):
    """One locked bucket, the trail of changes and accesses in all regions, and the network's flow logs.

    EventBridge is told of a key's end only in regions where a trail logs management events, so that the trail holds
    those that write. A region's first copy of them is free, each further trail's costs 2 USD per 100 000 (CloudTrail
    guide, "Managing CloudTrail trail costs", and its price page, read 2026-11-21).
    """

    ref: AuditRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: MonitoringSpec,
        *,
        network: NetworkRef,
        storage: StorageRef,
        feature_store: FeatureStoreRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Audit", name, provider)
        bucket_name = place.bucket_name(BUCKET, place.region)
        bucket = locked_bucket(
            self,
            BUCKET,
            RECORDS,
            place,
            bucket_name,
            keys.logs,
            retention_days=spec.log_retention_days,
            access_logs=storage.access_logs,
            deliveries=deliveries(place, bucket_name),
        )
        ready_bucket = ready(bucket_name, bucket.bucket, *bucket.settings)
        recorded = trail(self, place, ready_bucket, keys.logs, selectors(place, storage, feature_store))
        flows = aws.ec2.FlowLog(
            "flow-logs",
            vpc_id=network.id,
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=ready_bucket.apply(bucket_arn),
            max_aggregation_interval=60,
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ref = AuditRef(store=bucket_name, id=ready(bucket_name, recorded, flows))
        self.finish({"store": self.ref.id})
