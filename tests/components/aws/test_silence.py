"""That copies fall silent or a key is about to go: each alarm has a fault that it is for, and sees it from far away.

The events are those of AWS' own pages ("AWS Backup events", "ScheduleKeyDeletion" in the KMS guide); whether
a pattern matches them is asked of moto's implementation of EventBridge's patterns. The local cloud has no CloudWatch:
what an alarm concludes from the counted events follows from its settings, and those are asserted.
"""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from moto.events.models import EventPattern

from components.contracts.vocabulary import Cloud

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def _copied(vault: str, *, state: str = "COMPLETED") -> dict[str, Any]:
    return {
        "version": "0",
        "detail-type": "Copy Job State Change",
        "source": "aws.backup",
        "account": "111122223333",
        "region": "eu-central-1",
        "resources": ["arn:aws:dynamodb:eu-central-1:111122223333:table/seawall-dev-features"],
        "detail": {
            "copyJobId": "47C8EF56-74D8-059D-1301-C5BE1D5C926E",
            "resourceType": "DynamoDB",
            "sourceBackupVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:seawall-dev-primary",
            "state": state,
            "destinationBackupVaultArn": vault,
        },
    }


def _called(name: str) -> dict[str, Any]:
    return {
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.kms",
        "detail": {
            "eventSource": "kms.amazonaws.com",
            "eventName": name,
            "requestParameters": {"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
            "readOnly": False,
        },
    }


def _counts(platform: Any, alarm: str, event: dict[str, Any]) -> list[bool]:
    """Whether the rules behind an alarm match an event: the one in the primary region, and the one far away."""
    (found,) = (a for a in platform.inventory.of_type(ALARM) if a.name == alarm)
    name = found.get("dimensions.RuleName")
    rules = sorted(
        (r for r in platform.inventory.of_type(RULE) if r.get("name") == name),
        key=lambda rule: rule.region != platform.place.region,
    )
    assert [rule.region for rule in rules] == [platform.place.region, platform.place.backup_region]
    return [EventPattern.load(rule.get("eventPattern")).matches_event(cast(Any, event)) for rule in rules]


def test_a_copy_that_arrives_is_counted(aws_platform: Any) -> None:
    place, vault = aws_platform.place, aws_platform.refs.backup.vault
    arn = f"arn:aws:backup:{place.backup_region}:111122223333:backup-vault:{vault}"
    assert _counts(aws_platform, "features-copy-missing", _copied(arn)) == [True, True]


@pytest.mark.parametrize(
    ("vault", "state"),
    [
        ("arn:aws:backup:{away}:111122223333:backup-vault:{vault}", "FAILED"),
        ("arn:aws:backup:{away}:111122223333:backup-vault:{vault}", "RUNNING"),
        ("arn:aws:backup:{away}:111122223333:backup-vault:another", "COMPLETED"),
        ("arn:aws:backup:{here}:111122223333:backup-vault:{vault}", "COMPLETED"),
    ],
)
def test_what_is_no_copy_far_away_is_not_counted(aws_platform: Any, vault: str, state: str) -> None:
    place = aws_platform.place
    arn = vault.format(away=place.backup_region, here=place.region, vault=aws_platform.refs.backup.vault)
    assert _counts(aws_platform, "features-copy-missing", _copied(arn, state=state)) == [False, False]


@pytest.mark.parametrize("call", ["DisableKey", "ScheduleKeyDeletion"])
def test_a_key_that_is_taken_away_in_either_region_is_counted(aws_platform: Any, call: str) -> None:
    assert _counts(aws_platform, "key-at-risk", _called(call)) == [True, True]


@pytest.mark.parametrize("call", ["EnableKey", "CancelKeyDeletion", "RotateKeyOnDemand", "Decrypt"])
def test_a_key_that_is_used_or_given_back_is_not_counted(aws_platform: Any, call: str) -> None:
    assert _counts(aws_platform, "key-at-risk", _called(call)) == [False, False]


def test_the_primary_region_sends_to_the_backup_region_and_that_keeps_a_record(aws_platform: Any) -> None:
    away = aws_platform.place.backup_region
    for target in aws_platform.inventory.of_type(TARGET):
        wanted = f"arn:aws:{'logs' if target.region == away else 'events'}:{away}:111122223333:"
        assert target.get("arn").startswith(wanted), target.name


def test_the_sender_may_send_there_and_nothing_else(aws_platform: Any) -> None:
    (policy,) = (p for p in aws_platform.inventory.of_type("aws:iam/rolePolicy:RolePolicy") if "events" in p.name)
    (allowed,) = json.loads(policy.get("policy"))["Statement"]
    away = aws_platform.place.backup_region
    assert allowed["Action"] == ["events:PutEvents"]
    assert allowed["Resource"] == f"arn:aws:events:{away}:111122223333:event-bus/default"


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_silence_is_told_within_the_objective_and_where_it_survives(plan_platform: Any, environment: str) -> None:
    platform = plan_platform(Cloud.AWS, environment)
    silent = [a for a in platform.inventory.of_type(ALARM) if a.get("treatMissingData") == "breaching"]
    assert {a.name for a in silent} == {"backup-missing", "features-copy-missing", "replication-missing"}
    for alarm in silent:
        waits_s = alarm.get("period") * alarm.get("evaluationPeriods")
        assert 0 <= waits_s - 60 * platform.settings.backup.rpo_minutes < alarm.get("period"), alarm.name
        assert waits_s <= 7 * 86_400 and alarm.get("period") >= 3600, "CloudWatch refuses to look further back"
    away = {a.name for a in silent if a.region == platform.place.backup_region}
    assert away == {"features-copy-missing", "replication-missing"}


def test_valkeys_far_nodes_are_watched_where_they_stand(plan_platform: Any) -> None:
    platform = plan_platform(
        Cloud.AWS,
        feature_store={"kind": "valkey", "memory_gib": 2},
        backup={"frequency_hours": 24, "rpo_minutes": 1800},
    )
    (group,) = (
        g
        for g in platform.inventory.of_type("aws:elasticache/replicationGroup:ReplicationGroup")
        if g.region == platform.place.backup_region
    )
    watched = {
        a.get("dimensions.CacheClusterId"): a.region
        for a in platform.inventory.of_type(ALARM)
        if a.name.startswith("features-copy-missing")
    }
    nodes = [f"{group.get('replicationGroupId')}-{number:03d}" for number in (1, 2)]
    assert watched == dict.fromkeys(nodes, group.region)
