"""Faults in a deployed AWS stack: each function plants one, through AWS' own API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.faults.harness import Stand

Plant = Callable[[Stand], None]


# S3 replication


def replication(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change the replication configuration."""

    def plant(stand: Stand) -> None:
        s3, bucket = stand.aws("s3"), stand.outputs.model_bucket.name
        found = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
        change(found)
        s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=found)

    return plant


def replication_rule(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change the one rule."""
    return replication(lambda found: change(found["Rules"][0]))


def no_replication(stand: Stand) -> None:
    stand.aws("s3").delete_bucket_replication(Bucket=stand.outputs.model_bucket.name)


def versioning(status: str, *, far: bool) -> Plant:
    """Suspend the versions of a bucket."""

    def plant(stand: Stand) -> None:
        bucket = stand.outputs.model_replica if far else stand.outputs.model_bucket
        s3 = stand.aws("s3", far=far)
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": status})

    return plant


# Roles


def role_policy(kind: str, change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change every statement of a role's inline policies, by the end of the role's name."""

    def plant(stand: Stand) -> None:
        iam, name = stand.aws("iam"), role_name(stand, kind)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                change(statement)
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))

    return plant


def without_action(kind: str, action: str) -> Plant:
    """Take an action away from a role's inline policies."""

    def change(statement: dict[str, Any]) -> None:
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        if action in listed:
            statement["Action"] = [a for a in listed if a != action] or ["sts:GetCallerIdentity"]

    return role_policy(kind, change)


def trust(kind: str, service: str) -> Plant:
    """Let a role trust another service."""

    def plant(stand: Stand) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        stand.aws("iam").update_assume_role_policy(
            RoleName=role_name(stand, kind),
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    return plant


def detached(kind: str) -> Plant:
    """Take the managed policies of a role away."""

    def plant(stand: Stand) -> None:
        iam, name = stand.aws("iam"), role_name(stand, kind)
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])

    return plant


def role_denied(kind: str, action: str) -> Plant:
    """Deny an action to a role, whatever else allows it."""

    def plant(stand: Stand) -> None:
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        stand.aws("iam").put_role_policy(
            RoleName=role_name(stand, kind),
            PolicyName="denied",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
        )

    return plant


def role_name(stand: Stand, kind: str) -> str:
    """The stack's role whose name ends so."""
    pages = stand.aws("iam").get_paginator("list_roles").paginate()
    [name] = [r["RoleName"] for page in pages for r in page["Roles"] if r["RoleName"].endswith(f"-{kind}")]
    return name


# Keys


def key_disabled(*, far: bool) -> Plant:
    def plant(stand: Stand) -> None:
        key = stand.outputs.keys.recovery if far else stand.outputs.keys.data
        stand.aws("kms", far=far).disable_key(KeyId=key.id)

    return plant


def key_deleted(*, far: bool) -> Plant:
    def plant(stand: Stand) -> None:
        key = stand.outputs.keys.recovery if far else stand.outputs.keys.data
        stand.aws("kms", far=far).schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)

    return plant


def key_policy_without_account(*, far: bool) -> Plant:
    """A key's policy that hands nothing to the account's IAM policies any more, but lets it be administered."""

    def plant(stand: Stand) -> None:
        key = stand.outputs.keys.recovery if far else stand.outputs.keys.data
        root = {"AWS": f"arn:aws:iam::{stand.outputs.account}:root"}
        statement = {
            "Effect": "Allow",
            "Principal": root,
            "Action": ["kms:Describe*", "kms:Put*", "kms:Get*", "kms:List*"],
            "Resource": "*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        stand.aws("kms", far=far).put_key_policy(KeyId=key.id, PolicyName="default", Policy=policy)

    return plant


# AWS Backup


def plan(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Change every rule of the plan."""

    def plant(stand: Stand) -> None:
        backup = stand.aws("backup")
        [listed] = backup.list_backup_plans()["BackupPlansList"]
        found = backup.get_backup_plan(BackupPlanId=listed["BackupPlanId"])["BackupPlan"]
        found.pop("AdvancedBackupSettings", None)
        for rule in found["Rules"]:
            rule.pop("RuleId", None)
            change(rule)
        backup.update_backup_plan(BackupPlanId=listed["BackupPlanId"], BackupPlan=found)

    return plant


def selection(change: Callable[[dict[str, Any]], object]) -> Plant:
    """Replace the selection by a changed one."""

    def plant(stand: Stand) -> None:
        backup = stand.aws("backup")
        [listed] = backup.list_backup_plans()["BackupPlansList"]
        plan_id = listed["BackupPlanId"]
        [chosen] = backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
        body = backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=chosen["SelectionId"])["BackupSelection"]
        backup.delete_backup_selection(BackupPlanId=plan_id, SelectionId=chosen["SelectionId"])
        change(body)
        backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=body)

    return plant


def no_selection(stand: Stand) -> None:
    backup = stand.aws("backup")
    [listed] = backup.list_backup_plans()["BackupPlansList"]
    for each in backup.list_backup_selections(BackupPlanId=listed["BackupPlanId"])["BackupSelectionsList"]:
        backup.delete_backup_selection(BackupPlanId=listed["BackupPlanId"], SelectionId=each["SelectionId"])


def vault_policy(*statements: dict[str, Any], far: bool = True) -> Plant:
    """Give a vault this policy."""

    def plant(stand: Stand) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        stand.aws("backup", far=far).put_backup_vault_access_policy(
            BackupVaultName=stand.outputs.backup.vault, Policy=json.dumps(document)
        )

    return plant


def vault_lock(**lock: int) -> Plant:
    """Lock the vault in the backup region in another way; without days it has no lock at all."""

    def plant(stand: Stand) -> None:
        backup, vault = stand.aws("backup", far=True), stand.outputs.backup.vault
        if lock:
            backup.put_backup_vault_lock_configuration(BackupVaultName=vault, **lock)
        else:
            backup.delete_backup_vault_lock_configuration(BackupVaultName=vault)

    return plant


def deny(*actions: str) -> dict[str, Any]:
    """A statement that denies to everybody."""
    return {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": "*"}
