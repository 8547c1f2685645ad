"""Alarms on what a restore depends on, over an encrypted topic: replication, backups, and the feature table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_aws as aws

from components.aws.backup import vault_name
from components.aws.documents import account_root, allow, deny, document, service
from components.aws.storage import REPLICATION_MINUTES, REPLICATION_RULE
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import BackupRef, ClusterRef, FeatureCacheRef, KeysRef, MonitoringRef, StorageRef
from components.contracts.specs import MonitoringSpec

_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class Alarm:
    """A metric, and the value beyond which someone is told."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: Literal["Sum", "Maximum"]
    period_seconds: int
    threshold: float
    says: str
    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"] = "GreaterThanThreshold"
    without_data: Literal["notBreaching", "breaching"] = "notBreaching"


def alarms(storage: StorageRef, features: FeatureCacheRef, primary_vault: str) -> dict[str, Alarm]:
    """The stack's alarms by name.

    Backup and copy jobs are counted where they start, in the primary vault. They are watched by metric and not by
    event: EventBridge cannot publish to an encrypted topic under a key policy that names the account.
    """
    replication = {
        "SourceBucket": storage.models.name,
        "DestinationBucket": storage.replica.name,
        "RuleId": REPLICATION_RULE,
    }
    table = {"TableName": features.name}
    vault = {"BackupVaultName": primary_vault}
    return {
        "replication-late": Alarm(
            "AWS/S3", "ReplicationLatency", replication, "Maximum", 300, REPLICATION_MINUTES * 60,
            "The replica of the model bucket lags behind more than S3 promises.",
        ),
        "replication-failed": Alarm(
            "AWS/S3", "OperationsFailedReplication", replication, "Sum", 300, 0,
            "Objects were not copied to the backup region; only S3 Batch Replication copies them now.",
        ),
        "backup-failed": Alarm(
            "AWS/Backup", "NumberOfBackupJobsFailed", vault, "Sum", 3600, 0,
            "A recovery point of the feature store could not be made.",
        ),
        "backup-expired": Alarm(
            "AWS/Backup", "NumberOfBackupJobsExpired", vault, "Sum", 3600, 0,
            "A backup of the feature store did not start or end within its window.",
        ),
        "backup-copy-failed": Alarm(
            "AWS/Backup", "NumberOfCopyJobsFailed", vault, "Sum", 3600, 0,
            "A recovery point was not copied to the backup region.",
        ),
        "backup-missing": Alarm(
            "AWS/Backup", "NumberOfBackupJobsCompleted", vault, "Sum", _DAY_SECONDS, 1,
            "For a day no recovery point of the feature store was made, and none failed: the plan does not run.",
            comparison="LessThanThreshold", without_data="breaching",
        ),
        "features-throttled": Alarm(
            "AWS/DynamoDB", "ReadThrottleEvents", table, "Sum", 300, 0,
            "Feature look-ups are throttled, so predictions fall back to training means.",
        ),
    }  # fmt: skip


def topic_policy(place: Place, topic: str) -> str:
    """This account's alarms may publish, its own IAM decides on the rest, and nothing travels in the clear."""
    arn = topic_arn(place, topic)
    return document(
        allow(
            "AlarmsOfThisAccount",
            ["sns:Publish"],
            arn,
            principal=service("cloudwatch.amazonaws.com"),
            condition={
                "StringEquals": {"aws:SourceAccount": place.account},
                "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{place.region}:{place.account}:alarm:*"},
            },
        ),
        allow(
            "AccountManagesSubscriptions",
            ["sns:Subscribe", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:ListSubscriptionsByTopic"],
            arn,
            principal={"AWS": account_root(place)},
        ),
        deny("TlsOnly", ["sns:Publish"], arn, condition={"Bool": {"aws:SecureTransport": "false"}}),
    )


def topic_arn(place: Place, topic: str) -> str:
    """ARN of an SNS topic in the stack's region."""
    return f"arn:aws:sns:{place.region}:{place.account}:{topic}"


class Monitoring(Component):
    """The topic, who is subscribed, and the alarms. Log groups have their retention where they are made."""

    ref: MonitoringRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: MonitoringSpec,
        *,
        cluster: ClusterRef,
        features: FeatureCacheRef,
        backup: BackupRef,
        storage: StorageRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Monitoring", name, provider)
        del cluster, backup  # what they are watched by is named after the place
        options = pulumi.ResourceOptions(parent=self)
        topic_name = place.name("alerts")
        topic = aws.sns.Topic(
            "alerts", name=topic_name, kms_master_key_id=keys.data.id, tags=place.labels, opts=options
        )
        policy = aws.sns.TopicPolicy("alerts", arn=topic.arn, policy=topic_policy(place, topic_name), opts=options)
        aws.sns.TopicSubscription("email", topic=topic.arn, protocol="email", endpoint=spec.alert_email, opts=options)
        if spec.alert_webhook is not None:
            aws.sns.TopicSubscription(
                "webhook",
                topic=topic.arn,
                protocol="https",
                endpoint=pulumi.Output.secret(spec.alert_webhook.get_secret_value()),
                opts=options,
            )
        channel = ready(topic.arn, policy)
        for purpose, alarm in alarms(storage, features, vault_name(place, "primary")).items():
            self._alarm(purpose, place, alarm, channel)
        self.ref = MonitoringRef(channel=channel)
        self.finish({"channel": channel})

    def _alarm(self, purpose: str, place: Place, alarm: Alarm, channel: pulumi.Output[str]) -> None:
        aws.cloudwatch.MetricAlarm(
            purpose,
            name=place.name(purpose, max_length=255),
            alarm_description=alarm.says,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic=alarm.statistic,
            period=alarm.period_seconds,
            evaluation_periods=1,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            treat_missing_data=alarm.without_data,
            alarm_actions=[channel],
            ok_actions=[channel],
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
