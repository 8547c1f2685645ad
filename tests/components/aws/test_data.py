"""Models, features, their copies and their alarms on AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.errors import UserError
from components.aws.vaults import schedule

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


def test_backup_alarms_watch_the_vault_that_jobs_write_to(aws_platform: Any) -> None:
    target = only(aws_platform, "aws:backup/plan:Plan").get("rules.0.targetVaultName")
    alarms = aws_platform.inventory.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    watched = {a.get("dimensions.BackupVaultName") for a in alarms if a.get("namespace") == "AWS/Backup"}
    assert watched == {target}


def test_every_alarm_tells_someone(aws_platform: Any) -> None:
    for alarm in aws_platform.inventory.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        topics = aws_platform.inventory.linked(alarm, "alarmActions", "aws:sns/topic:Topic")
        assert [topic.name for topic in topics] == ["alerts"], alarm.name


def test_alarms_may_publish_to_the_encrypted_topic(aws_platform: Any) -> None:
    (key,) = aws_platform.inventory.linked(
        only(aws_platform, "aws:sns/topic:Topic"), "kmsMasterKeyId", "aws:kms/key:Key"
    )
    services = {
        statement["Principal"].get("Service"): statement["Action"]
        for statement in json.loads(key.get("policy"))["Statement"]
    }
    assert services["cloudwatch.amazonaws.com"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


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
    rule = only(aws_platform, "aws:backup/plan:Plan").get("rules.0")
    (copy,) = rule["copyActions"]
    there = aws_platform.place.backup_region
    vault = f"arn:aws:backup:{there}:111122223333:backup-vault:{aws_platform.refs.backup.vault}"
    assert copy["destinationVaultArn"] == vault
    assert copy["lifecycle"] == rule["lifecycle"]


def test_vaults_hold_what_they_have_for_as_long_as_the_settings_say(aws_platform: Any) -> None:
    days = aws_platform.settings.backup.retention_days
    locked = {lock.name: lock.get("minRetentionDays") for lock in aws_platform.inventory.of_type(LOCK)}
    assert locked == {vault.name: days for vault in aws_platform.inventory.of_type(VAULT)}


def test_no_vault_is_locked_beyond_repair(aws_platform: Any) -> None:
    forever = [
        lock.name for lock in aws_platform.inventory.of_type(LOCK) if lock.get("changeableForDays") is not None
    ]
    assert not forever, "compliance mode cannot be undone by anyone"


@pytest.mark.parametrize(
    ("hours", "cron"),
    [(1, "cron(0 * * * ? *)"), (4, "cron(0 0/4 * * ? *)"), (12, "cron(0 0/12 * * ? *)"), (24, "cron(0 0 * * ? *)")],
)
def test_a_frequency_becomes_a_schedule(hours: int, cron: str) -> None:
    assert schedule(hours) == cron


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
