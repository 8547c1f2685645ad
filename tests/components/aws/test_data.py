"""Models, features, their copies and their alarms on AWS."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from common.errors import UserError
from components.aws.vaults import WEEKDAYS, schedule
from components.contracts.backup import BackupSpec, TierName, tiers
from components.contracts.recovery import PLAN_STAGGER_MINUTES, PLAN_START_MINUTES, features_bound
from components.contracts.vocabulary import Cloud

VAULT = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"


def only(platform: Any, token: str) -> Any:
    """The plan's one resource of a type."""
    (resource,) = platform.inventory.of_type(token)
    return resource


def actions_of(platform: Any, policy: str) -> set[str]:
    """The actions that a role policy allows."""
    (found,) = (p for p in platform.inventory.of_type("aws:iam/rolePolicy:RolePolicy") if p.name == policy)
    return {action for s in json.loads(found.get("policy"))["Statement"] for action in s["Action"]}


def test_replication_covers_what_is_encrypted_and_what_is_deleted(aws_platform: Any) -> None:
    rule = only(aws_platform, "aws:s3/bucketReplicationConfig:BucketReplicationConfig").get("rules.0")
    assert rule["filter"] == {"prefix": ""}
    assert rule["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    assert rule["destination"]["replicationTime"] == {"status": "Enabled", "time": {"minutes": 15}}


def test_replication_starts_when_both_buckets_keep_versions(aws_platform: Any) -> None:
    config = only(aws_platform, "aws:s3/bucketReplicationConfig:BucketReplicationConfig")
    versioned = {
        v.name
        for v in aws_platform.inventory.of_type("aws:s3/bucketVersioning:BucketVersioning")
        if v.urn in config.dependencies
    }
    assert versioned == {"models", "replica"}, "S3 refuses the rule before"


def test_replication_alarms_watch_the_rule_that_is_deployed(aws_platform: Any) -> None:
    rule = only(aws_platform, "aws:s3/bucketReplicationConfig:BucketReplicationConfig").get("rules.0")
    alarms = aws_platform.inventory.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    watched = {a.get("dimensions.RuleId") for a in alarms if a.get("namespace") == "AWS/S3"}
    assert watched == {rule["id"]}, "an alarm on a metric that does not exist is silent for ever"


def test_replication_is_watched_where_its_metrics_are(aws_platform: Any) -> None:
    alarms = aws_platform.inventory.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    regions = {a.get("metricName"): a.region for a in alarms if a.get("namespace") == "AWS/S3"}
    here, away = aws_platform.place.region, aws_platform.place.backup_region
    assert regions == {"ReplicationLatency": away, "OperationsFailedReplication": here}


def test_backup_alarms_watch_the_vault_that_jobs_write_to(aws_platform: Any) -> None:
    target = only(aws_platform, "aws:backup/plan:Plan").get("rules.0.targetVaultName")
    alarms = aws_platform.inventory.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    watched = {a.get("dimensions.BackupVaultName") for a in alarms if a.get("namespace") == "AWS/Backup"}
    assert watched == {target}


def test_every_alarm_tells_someone(aws_platform: Any) -> None:
    for alarm in aws_platform.inventory.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        topics = aws_platform.inventory.linked(alarm, "alarmActions", "aws:sns/topic:Topic")
        assert [topic.region for topic in topics] == [alarm.region], "an alarm publishes to its own region only"


def test_alarms_may_publish_to_the_encrypted_topic(aws_platform: Any) -> None:
    for topic in aws_platform.inventory.of_type("aws:sns/topic:Topic"):
        (key,) = aws_platform.inventory.linked(topic, "kmsMasterKeyId", "aws:kms/key:Key")
        (publish,) = (
            statement
            for statement in json.loads(key.get("policy"))["Statement"]
            if statement["Principal"].get("Service") == "cloudwatch.amazonaws.com"
        )
        assert publish["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
        assert f":{topic.region}:" in publish["Condition"]["ArnLike"]["aws:SourceArn"]


def test_every_bucket_refuses_plain_http_and_old_tls(aws_platform: Any) -> None:
    for policy in aws_platform.inventory.of_type("aws:s3/bucketPolicy:BucketPolicy"):
        denied = {s["Sid"] for s in json.loads(policy.get("policy"))["Statement"] if s["Effect"] == "Deny"}
        assert {"TlsOnly", "ModernTls"} <= denied, policy.name


def test_access_logs_go_to_a_bucket_of_the_same_region(aws_platform: Any) -> None:
    for logging in aws_platform.inventory.of_type("aws:s3/bucketLogging:BucketLogging"):
        (target,) = aws_platform.inventory.linked(logging, "targetBucket", "aws:s3/bucket:Bucket")
        assert target.region == logging.region, "S3 refuses a target elsewhere"


def test_the_table_restores_to_any_second_and_forgets_by_itself(aws_platform: Any) -> None:
    table = only(aws_platform, "aws:dynamodb/table:Table")
    assert table.get("pointInTimeRecovery") == {"enabled": True, "recoveryPeriodInDays": 35}
    assert table.get("ttl") == {"attributeName": "expires_at", "enabled": True}
    assert table.get("deletionProtectionEnabled") is True


def test_memory_for_the_table_is_refused_with_the_alternative(aws_platform: Any, plan_platform: Any) -> None:
    with pytest.raises((ValueError, UserError), match=r"feature_store\.memory_gib"):
        plan_platform(aws_platform.cloud, feature_store={"memory_gib": 5})


def test_the_table_is_in_the_backup_plan(aws_platform: Any) -> None:
    selection = only(aws_platform, "aws:backup/selection:Selection")
    table = only(aws_platform, "aws:dynamodb/table:Table")
    assert selection.get("resources") == [
        f"arn:aws:dynamodb:{aws_platform.place.region}:111122223333:table/{table.get('name')}"
    ]
    assert aws_platform.inventory.linked(selection, "resources", table.type) == (table,)


def test_each_recovery_point_is_copied_to_the_backup_region(aws_platform: Any) -> None:
    there = aws_platform.place.backup_region
    vault = f"arn:aws:backup:{there}:111122223333:backup-vault:{aws_platform.refs.backup.vault}"
    for rule in only(aws_platform, "aws:backup/plan:Plan").get("rules"):
        (copy,) = rule["copyActions"]
        assert copy["destinationVaultArn"] == vault


def test_copies_are_thinned_with_age(plan_platform: Any) -> None:
    rules = only(plan_platform(Cloud.AWS, "prod"), "aws:backup/plan:Plan").get("rules")
    kept = {rule["ruleName"]: rule["copyActions"][0]["lifecycle"]["deleteAfter"] for rule in rules}
    assert kept == {"features-frequent": 7, "features-daily": 35, "features-weekly": 91}


def test_beside_the_table_points_go_as_soon_as_the_lock_lets_them(aws_platform: Any) -> None:
    (lock,) = (lock for lock in aws_platform.inventory.of_type(LOCK) if lock.name == "primary")
    for rule in only(aws_platform, "aws:backup/plan:Plan").get("rules"):
        assert rule["lifecycle"] == {"deleteAfter": lock.get("minRetentionDays")}, "the table's own history is longer"


def test_windows_are_those_that_the_bound_counts(aws_platform: Any) -> None:
    s = aws_platform.settings
    parts = {part.name: part.minutes for part in features_bound(s.feature_store, s.backup).parts}
    for rule in only(aws_platform, "aws:backup/plan:Plan").get("rules"):
        assert rule["startWindow"] == parts["start window"] >= 60, "AWS Backup accepts no shorter one"
        assert rule["completionWindow"] == parts["completion window"] >= rule["startWindow"] + 60


@pytest.mark.parametrize("hours", [1, 2, 3, 4, 6, 8, 12, 24])
def test_no_two_rules_are_due_within_one_start_window(hours: int) -> None:
    spec = BackupSpec.model_validate(
        {"region": "far", "frequency_hours": hours, "rpo_minutes": 10080, "rto_minutes": 10080}
    )
    rule_at = {minute: tier.name for tier in tiers(spec) for minute in _minutes_of_the_week(schedule(tier))}
    due = [*sorted(rule_at), min(rule_at) + 7 * 1440]
    gaps = {at: (later - at, rule_at[at] != rule_at[later % (7 * 1440)]) for at, later in pairwise(due)}
    assert max(gap for gap, _ in gaps.values()) <= 60 * hours + PLAN_STAGGER_MINUTES, "more than the bound counts"
    opened = {at: gap for at, (gap, another) in gaps.items() if another and rule_at[at] != TierName.FREQUENT}
    assert all(gap > PLAN_START_MINUTES for gap in opened.values()), "AWS Backup would leave the second point out"


def _minutes_of_the_week(cron: str) -> list[int]:
    minute, hours, _, _, days, _ = cron.removeprefix("cron(").removesuffix(")").split()
    names = WEEKDAYS if days == "*" else days.split(",")
    return [1440 * WEEKDAYS.index(day) + 60 * int(hour) + int(minute) for day in names for hour in hours.split(",")]


def test_vaults_hold_what_they_have_for_as_long_as_every_point_is_kept(aws_platform: Any) -> None:
    days = aws_platform.settings.backup.keep_all_days
    locked = {lock.name: lock.get("minRetentionDays") for lock in aws_platform.inventory.of_type(LOCK)}
    assert locked == {vault.name: days for vault in aws_platform.inventory.of_type(VAULT)}


def test_no_vault_is_locked_beyond_repair(aws_platform: Any) -> None:
    forever = [
        lock.name for lock in aws_platform.inventory.of_type(LOCK) if lock.get("changeableForDays") is not None
    ]
    assert not forever, "compliance mode cannot be undone by anyone"


def test_the_fleet_only_reads(aws_platform: Any) -> None:
    assert actions_of(aws_platform, "fleet-fleet") == {
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "kms:Decrypt",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
    }


def test_the_node_autoscaler_resizes_this_clusters_groups_alone(aws_platform: Any) -> None:
    policies = aws_platform.inventory.of_type("aws:iam/rolePolicy:RolePolicy")
    (policy,) = (p for p in policies if p.name == "node-autoscaler-node-autoscaler")
    (resize,) = (s for s in json.loads(policy.get("policy"))["Statement"] if s["Sid"] == "ResizeOwnGroups")
    cluster = aws_platform.refs.cluster.name
    assert resize["Condition"] == {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}}
    assert all("autoScalingGroupName/eks-" in arn for arn in resize["Resource"])


def test_nothing_removes_a_copied_image(aws_platform: Any) -> None:
    expiring = {
        r.get("repository") for r in aws_platform.inventory.of_type("aws:ecr/lifecyclePolicy:LifecyclePolicy")
    }
    names = {r.get("name") for r in aws_platform.inventory.of_type("aws:ecr/repository:Repository")}
    assert expiring == {name for name in names if not name.partition("/")[2].startswith("mirror/")}


def test_the_provider_refuses_other_accounts(aws_platform: Any) -> None:
    provider_ = only(aws_platform, "pulumi:providers:aws")
    allowed = provider_.get("allowedAccountIds")
    assert allowed in (["111122223333"], '["111122223333"]'), "providers take their settings as JSON text"
