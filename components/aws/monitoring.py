"""Alarms on what a restore depends on, over an encrypted topic in each region: copies, keys, the feature store."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.aws.alarms import Alarm, silent
from components.aws.documents import account_root, allow, deny, document, service
from components.aws.events import KEY_AT_RISK, KEY_EVENTS, MATCHED, METRICS, carry_events, rule_name
from components.aws.feature_store import KINDS
from components.aws.replication import REPLICATION_MINUTES, REPLICATION_RULE
from components.contracts.component import Component, ready
from components.contracts.feature_store import FeatureStoreRef
from components.contracts.place import Place
from components.contracts.refs import BackupRef, KeyRef, KeysRef, MonitoringRef, StorageRef
from components.contracts.specs import MonitoringSpec


def replication_alarms(source: str, destination: str, what: str, rpo_minutes: int) -> Mapping[str, Alarm]:
    """Objects that are late or missing in the backup region.

    Latency is published in the destination bucket's region, also while nothing is replicated; failed operations are
    published in the source's (S3 user guide, "Using S3 Replication metrics", read 2026-11-21).

    Args:
        source: a bucket's name; `destination` likewise.
        what: the source is called; completes "The replica of …".
    """
    replication = {
        "SourceBucket": source,
        "DestinationBucket": destination,
        "RuleId": REPLICATION_RULE,
    }
    return {
        "replication-late": Alarm(
            "AWS/S3", "ReplicationLatency", replication, "Maximum", 300, REPLICATION_MINUTES * 60,
            f"The replica of {what} lags behind more than S3 promises.", away=True,
        ),
        "replication-failed": Alarm(
            "AWS/S3", "OperationsFailedReplication", replication, "Sum", 300, 0,
            "Objects were not copied to the backup region; only S3 Batch Replication copies them now.",
        ),
        "replication-missing": silent(
            "AWS/S3", "ReplicationLatency", replication,
            f"Nothing is said of the replication of {what}: its rule is disabled, or a bucket is gone.",
            rpo_minutes=rpo_minutes, statistic="SampleCount",
        ),
    }  # fmt: skip


def key_alarm(place: Place) -> Alarm:
    """A key of either region that someone disabled or scheduled for deletion."""
    return Alarm(
        METRICS, MATCHED, {"RuleName": rule_name(place, KEY_AT_RISK)}, "Sum", 300, 0,
        "A key was disabled or scheduled for deletion. If nobody meant it, cancel the deletion and enable the key at "
        "once: DynamoDB archives a table after 7 days without its key.", away=True,
    )  # fmt: skip


def metric_alarm(
    parent: pulumi.Resource, place: Place, purpose: str, alarm: Alarm, channel: pulumi.Output[str], *, region: str
) -> None:
    """The alarm in CloudWatch, which tells the channel when it fires and when it is over."""
    aws.cloudwatch.MetricAlarm(
        purpose,
        region=region,
        name=place.name(purpose, max_length=255),
        alarm_description=alarm.says,
        namespace=alarm.namespace,
        metric_name=alarm.metric,
        dimensions=alarm.dimensions,
        statistic=alarm.statistic,
        period=alarm.period_seconds,
        evaluation_periods=alarm.periods,
        comparison_operator=alarm.comparison,
        threshold=alarm.threshold,
        treat_missing_data=alarm.without_data,
        alarm_actions=[channel],
        ok_actions=[channel],
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def topic_policy(place: Place, topic: str, region: str) -> str:
    """This account's alarms may publish, its own IAM decides on the rest, and nothing travels in the clear."""
    arn = topic_arn(place, topic, region)
    return document(
        allow(
            "AlarmsOfThisAccount",
            ["sns:Publish"],
            arn,
            principal=service("cloudwatch.amazonaws.com"),
            condition={
                "StringEquals": {"aws:SourceAccount": place.account},
                "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{region}:{place.account}:alarm:*"},
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


def topic_arn(place: Place, topic: str, region: str) -> str:
    """ARN of an SNS topic."""
    return f"arn:aws:sns:{region}:{place.account}:{topic}"


class Monitoring(Component):
    """The topics, who is subscribed, and the alarms. Log groups have their retention where they are made.

    What watches copies and keys stands in the backup region, with a topic of its own: it speaks when the primary
    region cannot. An address confirms its subscription once for each topic.
    """

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
        here = self._topic("", place, spec, place.region, keys.data)
        away = self._topic("-away", place, spec, place.backup_region, keys.recovery)
        store = KINDS[feature_store.kind]
        carry_events(
            self,
            place,
            {KEY_AT_RISK: KEY_EVENTS, **store.events(place)},
            keys.recovery,
            retention_days=spec.log_retention_days,
        )
        alarms = {
            KEY_AT_RISK: key_alarm(place),
            **replication_alarms(storage.models.name, storage.replica.name, "the model bucket", backup.rpo_minutes),
            **store.alarms(place, feature_store, backup),
        }
        for purpose, alarm in alarms.items():
            channel, region = (away, place.backup_region) if alarm.away else (here, place.region)
            metric_alarm(self, place, purpose, alarm, channel, region=region)
        self.ref = MonitoringRef(channel=here)
        self.finish({"channel": here, "channel_away": away})

    def _topic(self, suffix: str, place: Place, spec: MonitoringSpec, region: str, key: KeyRef) -> pulumi.Output[str]:
        """A region's topic, with the same subscribers as the other's; its ARN, once alarms may publish."""
        options = pulumi.ResourceOptions(parent=self)
        name = place.name("alerts")
        topic = aws.sns.Topic(
            f"alerts{suffix}",
            region=region,
            name=name,
            kms_master_key_id=key.id,
            tags=place.labels,
            opts=options,
        )
        policy = aws.sns.TopicPolicy(
            f"alerts{suffix}", region=region, arn=topic.arn, policy=topic_policy(place, name, region), opts=options
        )
        aws.sns.TopicSubscription(
            f"email{suffix}",
            region=region,
            topic=topic.arn,
            protocol="email",
            endpoint=spec.alert_email,
            opts=options,
        )
        if spec.alert_webhook is not None:
            aws.sns.TopicSubscription(
                f"webhook{suffix}",
                region=region,
                topic=topic.arn,
                protocol="https",
                endpoint=pulumi.Output.secret(spec.alert_webhook.get_secret_value()),
                opts=options,
            )
        return ready(topic.arn, policy)
