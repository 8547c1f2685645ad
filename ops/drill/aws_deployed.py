"""What an AWS stack's cloud says of what was deployed: settings beside those promised, and how old copies can be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from common.aws_cron import Schedule, longest_silence, parse
from components.contracts.backup import tiers
from components.contracts.recovery import Bound, Part, copy_minutes
from ops.drill.model import Setting
from stacks.outputs import BucketOutputs, StackOutputs
from stacks.settings import Settings

Client = Callable[[str, str], Any]
"""Service and region → client."""
START_MINUTES: Final = 480
COMPLETION_MINUTES: Final = 10_080
"""AWS Backup's windows where a rule names none (AWS Backup developer guide: believed, 2026-11-21)."""
ABSENT: Final = (
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "ReplicationConfigurationNotFoundError",
    "ResourceNotFoundException",
    "ServerSideEncryptionConfigurationNotFoundError",
)
"""The answers of S3, and of AWS Backup, where a bucket or vault has no such configuration."""
_KEEPS_POINTS: Final = (
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
)
_KEEPS_VERSIONS: Final = ("s3:DeleteObjectVersion",)
DAYS_AHEAD: Final = 400
"""How far ahead schedules are read: a year, and what a leap makes of it."""


def settings(client: Client, outputs: StackOutputs, promised: Settings) -> Iterator[Setting]:
    """Model bucket, replica, vault, plan, table and keys of the deployed stack."""
    days = promised.storage.noncurrent_retention_days
    for bucket, key in ((outputs.model_bucket, outputs.keys.data), (outputs.model_replica, outputs.keys.recovery)):
        yield from bucket_settings(client("s3", bucket.region), bucket.name, bucket.region, key.id, days)
    yield from _replication(client("s3", outputs.region), outputs.model_bucket, outputs)
    yield from table_settings(
        client("dynamodb", outputs.region),
        outputs.feature_store.name,
        outputs.keys.data.id,
        protected=promised.place.protected,
    )
    yield from _vault(client("backup", outputs.backup_region), outputs, promised)
    plan = plan_of(client("backup", outputs.region), outputs)
    yield from _plan(plan, outputs, promised)
    if promised.place.protected:
        yield from _near_vaults(client("backup", outputs.region), plan)
        replica = outputs.model_replica
        yield _keeps(
            f"s3://{replica.name}", _KEEPS_VERSIONS, _policy_of_bucket(client("s3", replica.region), replica.name)
        )
    for name, key in (("data", outputs.keys.data), ("recovery", outputs.keys.recovery)):
        found = client("kms", key.region).describe_key(KeyId=key.id)["KeyMetadata"]
        yield Setting(f"key {name}", "state", "Enabled", found["KeyState"])


def bucket_settings(s3: Any, bucket: str, region: str, key: str, noncurrent_days: int) -> Iterator[Setting]:
    """One bucket of models, or what was restored of one."""
    subject = f"s3://{bucket}"
    location = s3.get_bucket_location(Bucket=bucket).get("LocationConstraint") or "us-east-1"
    block = _or_nothing(lambda: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    encryption = _or_nothing(lambda: s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"])
    default = next(iter(encryption.get("Rules", [])), {}).get("ApplyServerSideEncryptionByDefault", {})
    lifecycle = _or_nothing(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)).get("Rules", [])
    rules = [rule for rule in lifecycle if rule.get("Status") == "Enabled"]
    yield Setting(subject, "location", region, location)
    yield Setting(subject, "versioning", "Enabled", s3.get_bucket_versioning(Bucket=bucket).get("Status", "off"))
    yield Setting(subject, "public access blocked", [True] * len(names), [block.get(name, False) for name in names])
    yield Setting(subject, "encryption", "aws:kms", default.get("SSEAlgorithm", "none"))
    yield Setting(subject, "key", key, default.get("KMSMasterKeyID", "none"))
    kept = [rule["NoncurrentVersionExpiration"].get("NoncurrentDays") for rule in rules
            if "NoncurrentVersionExpiration" in rule]  # fmt: skip
    yield Setting(subject, "days that old versions are kept", [noncurrent_days], kept)
    ends = [rule.get("ID", "a rule") for rule in rules if {"Days", "Date"} & set(rule.get("Expiration", {}))]
    yield Setting(subject, "rules that remove current objects", [], ends)


def table_settings(dynamodb: Any, table: str, key: str, *, protected: bool) -> Iterator[Setting]:
    """One table of features."""
    subject = f"table {table}"
    found = dynamodb.describe_table(TableName=table)["Table"]
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    yield Setting(subject, "key", key, found.get("SSEDescription", {}).get("KMSMasterKeyArn", "none"))
    yield Setting(subject, "TTL", ["ENABLED", "expires_at"], [ttl.get("TimeToLiveStatus"), ttl.get("AttributeName")])
    yield Setting(subject, "point-in-time recovery", "ENABLED", recovery.get("PointInTimeRecoveryStatus", "DISABLED"))
    yield Setting(subject, "deletion protection", protected, bool(found.get("DeletionProtectionEnabled")))


def plan_of(backup: Any, outputs: StackOutputs) -> Mapping[str, Any]:
    """The deployed backup plan by the name in the outputs; empty if there is none."""
    for page in backup.get_paginator("list_backup_plans").paginate():
        for plan in page["BackupPlansList"]:
            if plan["BackupPlanName"] == outputs.backup.plan:
                return backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]
    return {}


def bounds(client: Client, outputs: StackOutputs, promised: Settings) -> list[Bound | str]:
    """How old copies can be by what is deployed; a text says why there is no bound."""
    plan = plan_of(client("backup", outputs.region), outputs)
    gib = promised.feature_store.gib
    return [features_bound(_copying(plan, outputs), gib, datetime.now(UTC)), _models_bound(client, outputs)]


def features_bound(rules: Sequence[Mapping[str, Any]], gib: float, now: datetime) -> Bound | str:
    """By the rules of a plan that copy to the backup region."""
    schedules: list[Schedule] = []
    for rule in rules:
        try:
            schedules.append(
                parse(str(rule.get("ScheduleExpression", "")), rule.get("ScheduleExpressionTimezone", "Etc/UTC"))
            )
        except ValueError as error:
            return f"features: the plan's schedule cannot be read: {error}"
    if not schedules:
        return "features: no rule of the backup plan copies to the backup region's vault"
    silence = longest_silence(schedules, now.replace(second=0, microsecond=0), DAYS_AHEAD)
    start = max(int(rule.get("StartWindowMinutes") or START_MINUTES) for rule in rules)
    completion = max(int(rule.get("CompletionWindowMinutes") or COMPLETION_MINUTES) for rule in rules)
    return Bound(
        "features",
        (
            Part("between recovery points", math.ceil(silence.total_seconds() / 60)),
            Part("start window", start),
            Part("completion window", completion),
            Part("copy", copy_minutes(gib)),
        ),
    )


def is_due(plan: Mapping[str, Any], at: datetime) -> bool:
    """Whether a rule of the plan may have started a job at this moment: within a start window."""
    for rule in plan.get("Rules", []):
        schedule = parse(str(rule["ScheduleExpression"]), rule.get("ScheduleExpressionTimezone", "Etc/UTC"))
        window = timedelta(minutes=int(rule.get("StartWindowMinutes") or START_MINUTES))
        if any(schedule.times(at - window, at)):
            return True
    return False


def _models_bound(client: Client, outputs: StackOutputs) -> Bound | str:
    rules = _replication_rules(client("s3", outputs.region), outputs)
    if not rules:
        return "models: no rule replicates the model bucket to its replica"
    times = [rule.get("Destination", {}).get("ReplicationTime", {}) for rule in rules]
    minutes = [time.get("Time", {}).get("Minutes") for time in times if time.get("Status") == "Enabled"]
    if not minutes:
        return "models: replication promises no time without Replication Time Control"
    return Bound("models", (Part("replication time control", int(max(minutes))),))


def _copying(plan: Mapping[str, Any], outputs: StackOutputs) -> list[Mapping[str, Any]]:
    return [
        rule
        for rule in plan.get("Rules", [])
        if any(_is_vault(action["DestinationBackupVaultArn"], outputs) for action in rule.get("CopyActions") or [])
    ]


def _is_vault(arn: str, outputs: StackOutputs) -> bool:
    return arn == f"arn:aws:backup:{outputs.backup_region}:{outputs.account}:backup-vault:{outputs.backup.vault}"


def _replication_rules(s3: Any, outputs: StackOutputs) -> list[Mapping[str, Any]]:
    bucket, replica = outputs.model_bucket.name, f"arn:aws:s3:::{outputs.model_replica.name}"
    found = _or_nothing(lambda: s3.get_bucket_replication(Bucket=bucket)).get("ReplicationConfiguration", {})
    return [
        rule
        for rule in found.get("Rules", [])
        if rule["Status"] == "Enabled" and rule.get("Destination", {}).get("Bucket") == replica
    ]


def _replication(s3: Any, bucket: BucketOutputs, outputs: StackOutputs) -> Iterator[Setting]:
    whole = [
        rule.get("Destination", {}).get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID", "none")
        for rule in _replication_rules(s3, outputs)
        if not rule.get("Prefix") and not any((rule.get("Filter") or {}).values())
    ]
    subject = f"s3://{bucket.name}"
    yield Setting(subject, "keys of rules that replicate all of it", [outputs.keys.recovery.id], whole)
    # Without them what was deleted comes back with a restore.
    markers = [rule.get("DeleteMarkerReplication", {}).get("Status") for rule in _replication_rules(s3, outputs)]
    yield Setting(subject, "replication of deletions", ["Enabled"], markers)


def _vault(backup: Any, outputs: StackOutputs, promised: Settings) -> Iterator[Setting]:
    found = backup.describe_backup_vault(BackupVaultName=outputs.backup.vault)
    subject = f"vault {outputs.backup.vault}"
    yield Setting(subject, "key", outputs.keys.recovery.id, found.get("EncryptionKeyArn", "none"))
    if promised.place.protected:
        yield _keeps(subject, _KEEPS_POINTS, _policy_of_vault(backup, outputs.backup.vault))
        yield Setting(subject, "locked", True, bool(found.get("Locked")))
        yield Setting(
            subject, "days that nothing goes before", promised.backup.keep_all_days, found.get("MinRetentionDays", 0)
        )


def _near_vaults(backup: Any, plan: Mapping[str, Any]) -> Iterator[Setting]:
    """Those beside the data, from which copies are made."""
    for name in sorted({str(rule.get("TargetBackupVaultName")) for rule in plan.get("Rules", [])}):
        try:
            locked: Any = bool(backup.describe_backup_vault(BackupVaultName=name).get("Locked"))
        except ClientError as error:
            locked = str(error.response.get("Error", {}).get("Code"))
        yield Setting(f"vault {name}", "locked", True, locked)


def _keeps(subject: str, actions: Sequence[str], policy: str) -> Setting:
    """A policy that denies everybody to take away what must stay."""
    denied = {
        action
        for statement in _listed(json.loads(policy or "{}").get("Statement"))
        if statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and not statement.get("Condition")
        for action in _listed(statement.get("Action"))
    }
    return Setting(subject, "what its policy denies everybody", sorted(actions), sorted(denied & set(actions)))


def _policy_of_bucket(s3: Any, bucket: str) -> str:
    return str(_or_nothing(lambda: s3.get_bucket_policy(Bucket=bucket)).get("Policy", ""))


def _policy_of_vault(backup: Any, vault: str) -> str:
    return str(_or_nothing(lambda: backup.get_backup_vault_access_policy(BackupVaultName=vault)).get("Policy", ""))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _plan(plan: Mapping[str, Any], outputs: StackOutputs, promised: Settings) -> Iterator[Setting]:
    wanted = {f"features-{tier.name}": tier.keep_days for tier in tiers(promised.backup)}
    found = {
        str(rule.get("RuleName")): (action.get("Lifecycle") or {}).get("DeleteAfterDays")
        for rule in plan.get("Rules", [])
        for action in rule.get("CopyActions") or []
        if _is_vault(action["DestinationBackupVaultArn"], outputs)
    }
    yield Setting(f"plan {outputs.backup.plan}", "days that copies are kept", wanted, found)


def _or_nothing(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        return ask()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ABSENT:
            return {}
        raise
