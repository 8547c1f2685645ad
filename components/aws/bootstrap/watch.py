"""What tells someone that a key of Pulumi's state is disabled or about to go: without it nothing can be changed."""

from __future__ import annotations

import json
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.events import KEY_AT_RISK, KEY_EVENTS, record, rule_name
from components.aws.monitoring import key_alarm, metric_alarm, topic_policy
from components.contracts.bootstrap import BootstrapSpec
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef

RECORD_DAYS: Final = 365
"""Days that the record of what was done to keys is kept."""


def watch_keys(parent: Component, place: Place, spec: BootstrapSpec, key: KeyRef) -> pulumi.Output[str]:
    """Count, keep and tell what is done to the account's keys in the place's region; returns who is told."""
    options = pulumi.ResourceOptions(parent=parent)
    group, writable = record(parent, place, key, RECORD_DAYS)
    rule = aws.cloudwatch.EventRule(
        KEY_AT_RISK,
        region=place.region,
        name=rule_name(place, KEY_AT_RISK),
        description=f"{place.stack}: counted, and kept in {group}",
        event_pattern=json.dumps(KEY_EVENTS),
        tags=place.labels,
        opts=options,
    )
    aws.cloudwatch.EventTarget(
        KEY_AT_RISK,
        region=place.region,
        rule=rule.name,
        target_id="record",
        arn=f"arn:aws:logs:{place.region}:{place.account}:log-group:{group}",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[writable]),
    )
    topic = _topic(parent, place, spec, key)
    metric_alarm(parent, place, KEY_AT_RISK, key_alarm(place), topic, region=place.region)
    return topic


def _topic(parent: Component, place: Place, spec: BootstrapSpec, key: KeyRef) -> pulumi.Output[str]:
    """The topic's ARN, once alarms may publish to it."""
    options = pulumi.ResourceOptions(parent=parent)
    name = place.name("alerts")
    topic = aws.sns.Topic(
        "alerts",
        region=place.region,
        name=name,
        kms_master_key_id=key.id,
        tags=place.labels,
        opts=options,
    )
    policy = aws.sns.TopicPolicy(
        "alerts",
        region=place.region,
        arn=topic.arn,
        policy=topic_policy(place, name, place.region),
        opts=options,
    )
    aws.sns.TopicSubscription(
        "email",
        region=place.region,
        topic=topic.arn,
        protocol="email",
        endpoint=spec.budget.alert_email,
        opts=options,
    )
    return ready(topic.arn, policy)
