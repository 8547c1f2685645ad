"""Alarms on what a restore depends on, over an encrypted topic: replication, backups, and the feature store."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws.alarms import Alarm
from components.aws.documents import account_root, allow, deny, document, service
from components.aws.feature_store import KINDS
from components.aws.storage import REPLICATION_MINUTES, REPLICATION_RULE
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeysRef, MonitoringRef, StorageRef
from components.contracts.specs import MonitoringSpec


def replication_alarms(storage: StorageRef) -> Mapping[str, Alarm]:
    """Models that are late or missing in the backup region."""
    replication = {
        "SourceBucket": storage.models.name,
        "DestinationBucket": storage.replica.name,
        "RuleId": REPLICATION_RULE,
    }
    return {
        "replication-late": Alarm(
            "AWS/S3", "ReplicationLatency", replication, "Maximum", 300, REPLICATION_MINUTES * 60,
            "The replica of the model bucket lags behind more than S3 promises.",
        ),
        "replication-failed": Alarm(
            "AWS/S3", "OperationsFailedReplication", replication, "Sum", 300, 0,
            "Objects were not copied to the backup region; only S3 Batch Replication copies them now.",
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
        feature_store: FeatureStoreRef,
        backup: BackupRef,
        storage: StorageRef,
        keys: KeysRef,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Monitoring", name, provider)
        del backup  # what it is watched by is named after the place
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
        store_alarms = KINDS[feature_store.kind].alarms(place, feature_store)
        for purpose, alarm in {**replication_alarms(storage), **store_alarms}.items():
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
