"""What AWS Backup must be allowed to do, in a role's name, to back up, copy and restore a DynamoDB table.

The actions are those of the managed policies AWSBackupServiceRolePolicyForBackup (v30) and …ForRestores (v36) that
speak of DynamoDB, vaults and keys (AWS managed policies reference as moto 5.2.5 keeps it; AWS Backup developer guide,
"DynamoDB advanced backup"; read 2026-11-21). That a vault's key is used by a grant which the role makes is believed:
the policies allow nothing else on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from localcloud.aws.iam.judge import Judge, key_context
from localcloud.decisions import Decision

SERVICE: Final = "backup.amazonaws.com"
_ALLOWED: Final = Decision(True, "the role may")
Asked = tuple[str, str, dict[str, Any]]


def may_back_up(judge: Judge, role: str, table_arn: str, table_key: str, vault_arn: str, vault_key: str) -> Decision:
    """Read the table under its key, and seal the recovery point with the vault's."""
    asked: list[Asked] = [
        (f"dynamodb:{action}", table_arn, {})
        for action in ("DescribeTable", "ListTagsOfResource", "StartAwsBackupJob")
    ]
    asked += [("backup:DescribeBackupVault", vault_arn, {})]
    asked += _table_key(table_arn, table_key, ("kms:Decrypt", "kms:GenerateDataKey"))
    return _all(judge, role, [*asked, *_granted(vault_key, vault_arn)], vault_arn)


def may_copy(judge: Judge, role: str, source_key: str, source_vault: str, vault_arn: str, vault_key: str) -> Decision:
    """Take a point out of one vault and put it into another; both vaults' own policies count."""
    asked: list[Asked] = [
        ("backup:CopyFromBackupVault", source_vault, {"backup:CopyTargets": (vault_arn,)}),
        ("backup:CopyIntoBackupVault", vault_arn, {}),
    ]
    granted = [*_granted(source_key, source_vault), *_granted(vault_key, vault_arn)]
    return _all(judge, role, [*asked, *granted], source_vault)


def may_restore(
    judge: Judge, role: str, target_arn: str, target_key: str, source_vault: str, source_key: str
) -> Decision:
    """Make the table, read the point under its vault's key, and use the new table's."""
    asked: list[Asked] = [
        ("dynamodb:RestoreTableFromAwsBackup", target_arn, {}),
        ("dynamodb:DescribeTable", target_arn, {}),
    ]
    asked += _granted(source_key, source_vault)
    asked += _table_key(target_arn, target_key, ("kms:Decrypt", "kms:GenerateDataKey"))
    return _all(judge, role, asked, source_vault)


def _all(judge: Judge, role: str, asked: Iterable[Asked], source_arn: str) -> Decision:
    for action, resource, context in asked:
        decision = judge.on_behalf(SERVICE, role, action, resource, context, source_arn=source_arn)
        if not decision:
            return decision
    return _ALLOWED


def _table_key(table_arn: str, key: str, actions: Iterable[str]) -> list[Asked]:
    """DynamoDB's calls to KMS in the role's name (DynamoDB developer guide, "Encryption at rest: how it works")."""
    if not key:
        return []
    _, _, _, region, account, name = table_arn.split(":", 5)
    sent = {"aws:dynamodb:tableName": name.removeprefix("table/"), "aws:dynamodb:subscriberId": account}
    return [(action, key, dict(key_context("dynamodb", region, sent))) for action in actions]


def _granted(key: str, vault_arn: str) -> list[Asked]:
    """A grant for AWS Backup on a vault's key."""
    if not key:
        return []
    context = {**key_context("backup", vault_arn.split(":")[3], {}), "kms:GrantIsForAWSResource": "true"}
    return [("kms:DescribeKey", key, context), ("kms:CreateGrant", key, context)]
