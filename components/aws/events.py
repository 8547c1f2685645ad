"""What happens to copies and keys, carried to the backup region, where it is counted and kept.

A rule in each region matches events; the primary's sends them to the backup region's default event bus, and the one
there writes them to a log group. EventBridge counts what a rule matched (`AWS/Events`, `TriggeredRules` by its
`RuleName`), and alarms watch that: an alarm may publish to an encrypted topic, where EventBridge itself needs a key
policy without conditions. Sources, read 2026-11-21: EventBridge's pages "Monitoring" (dimensions, every minute),
"Sending and receiving events between AWS Regions", "AWS Backup events" (sent every 5 minutes, best effort), "AWS KMS
events" and "AWS service events delivered via AWS CloudTrail" (calls come only where a trail logs the region's
management events: `components.aws.audit` has one of all regions).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import allow, document, service, service_trust
from components.aws.roles import make_role
from components.contracts.component import Component, ready
from components.contracts.place import Place
from components.contracts.refs import KeyRef
from components.contracts.stateful import NotCopied, Stateful

METRICS: Final = "AWS/Events"
MATCHED: Final = "TriggeredRules"
RULE_NAME_MAX: Final = 64

EventPattern = Mapping[str, Any]

KEY_AT_RISK: Final = "key-at-risk"
KEY_EVENTS: Final[EventPattern] = {
    "source": ["aws.kms"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["kms.amazonaws.com"],
        "eventName": ["DisableKey", "ScheduleKeyDeletion", "DeleteImportedKeyMaterial"],
    },
}
"""Any key of the account: which one stands in the event, and an id would only be known after the key is made."""

RECORD: Final = Stateful(
    "the record of copies and of what was done to keys", NotCopied("it lies in the backup region")
)


def rule_name(place: Place, purpose: str) -> str:
    """A rule's name, the same in both regions."""
    return place.name(purpose, max_length=RULE_NAME_MAX)


def carry_events(
    parent: Component, place: Place, patterns: Mapping[str, EventPattern], key: KeyRef, *, retention_days: int
) -> pulumi.Output[str]:
    """Count and keep what matches `patterns`, by purpose, in the backup region.

    Returns:
        The log group's name, once everything stands.
    """
    away = place.backup_region
    options = pulumi.ResourceOptions(parent=parent)
    group, writable = record(parent, place, key, retention_days)
    bus = f"arn:aws:events:{away}:{place.account}:event-bus/default"
    sender = make_role(
        parent,
        place,
        "carry-events",
        description="EventBridge sends events to the backup region",
        trust=service_trust("events.amazonaws.com", condition={"StringEquals": {"aws:SourceAccount": place.account}}),
        inline={"send": document(allow("SendToTheBackupRegion", ["events:PutEvents"], bus))},
    )
    made: list[pulumi.Resource] = []
    for purpose, pattern in patterns.items():
        there = aws.cloudwatch.EventRule(
            purpose,
            region=away,
            name=rule_name(place, purpose),
            description=f"{place.stack}: counted, and kept in {group}",
            event_pattern=json.dumps(pattern),
            tags=place.labels,
            opts=options,
        )
        here = aws.cloudwatch.EventRule(
            f"{purpose}-here",
            name=rule_name(place, purpose),
            description=f"{place.stack}: carried to {away}",
            event_pattern=json.dumps(pattern),
            tags=place.labels,
            opts=options,
        )
        made += [
            aws.cloudwatch.EventTarget(
                purpose,
                region=away,
                rule=there.name,
                target_id="record",
                arn=f"arn:aws:logs:{away}:{place.account}:log-group:{group}",
                opts=pulumi.ResourceOptions(parent=parent, depends_on=[writable]),
            ),
            aws.cloudwatch.EventTarget(
                f"{purpose}-here",
                rule=here.name,
                target_id="backup-region",
                arn=bus,
                role_arn=sender.arn,
                opts=pulumi.ResourceOptions(parent=parent, depends_on=[there]),
            ),
        ]
    return ready(group, *made)


def record(
    parent: Component, place: Place, key: KeyRef, retention_days: int
) -> tuple[str, aws.cloudwatch.LogResourcePolicy]:
    """The log group's name, and what lets EventBridge write to it."""
    away = place.backup_region
    name = f"/aws/events/{place.name('recovery')}"
    kept = parent.keep(aws.cloudwatch.LogGroup, "recovery-events", RECORD, place)
    group = aws.cloudwatch.LogGroup(
        kept.name,
        region=away,
        name=name,
        retention_in_days=retention_days,
        kms_key_id=key.id,
        deletion_protection_enabled=kept.protected,
        tags=place.labels,
        opts=kept.options,
    )
    arn = f"arn:aws:logs:{away}:{place.account}:log-group:{name}:*"
    writers = service("events.amazonaws.com", "delivery.logs.amazonaws.com")
    policy = aws.cloudwatch.LogResourcePolicy(
        "recovery-events",
        region=away,
        policy_name=place.name("recovery-events"),
        policy_document=document(
            allow("EventsOfBothRegions", ["logs:CreateLogStream", "logs:PutLogEvents"], arn, principal=writers)
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[group]),
    )
    return name, policy
