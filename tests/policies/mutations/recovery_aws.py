# ruff: noqa: E501 - one change is one line of a table
"""Changes of the production plan on AWS that take copies, time or notice from a recovery, and the rule for each."""

from __future__ import annotations

from typing import Any

from tests.policies.mutations.changes import (
    GONE,
    HIDDEN,
    Change,
    Mutation,
    add,
    both,
    drop,
    inside,
    link,
    moved,
    options,
    put,
)

OWN, OTHER, HERE, AWAY = "333344445555", "999988887777", "eu-central-1", "eu-north-1"
MODELS, REPLICA = f"seawall-prod-models-{OWN}-{HERE}", f"seawall-prod-models-{OWN}-{AWAY}"
TABLE = f"arn:aws:dynamodb:{HERE}:{OWN}:table/seawall-prod-features"
ALL, RARE = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23", 1_000_000


def _(name: str, change: Change, rule: str = "") -> Mutation:
    return Mutation(name, change, rule, clouds=("aws",))


def plan(*edits: tuple[str, Any]) -> Change:
    return put("Plan", "features", *((f"rules.{path}", value) for path, value in edits))


def _often(schedule: str) -> Change:
    return plan(("0.schedule", schedule))


def _vault(name: str, account: str = OWN, region: str = AWAY) -> str:
    return f"arn:aws:backup:{region}:{account}:backup-vault:{name}"


def selection(*edits: tuple[str, Any]) -> Change:
    return put("Selection", "features", *edits)


SCHEDULES = (
    _("backup on 30 February", _often("cron(5 1 30 2 ? *)")),
    _("backup in a year that is over", _often("cron(5 * ? * * 2024)")),
    _("backup until a year ends", _often("cron(5 * ? * * 2020-2027)")),
    _("backup from a later year", _often("cron(5 * ? * * 2030-2199)")),
    _("backup on working days", _often(f"cron(5 {ALL} ? * MON-FRI *)")),
    _("backup twice a day", _often("cron(5 0/12 ? * * *)")),
    _("backup every five hours", _often("cron(5 0/5 ? * * *)")),
    _("backup in office hours", _often("cron(5 8-18 ? * * *)")),
    _("backup in half of the months", _often(f"cron(5 {ALL} ? 1-6 * *)")),
    _("backup on the 31st", _often(f"cron(5 {ALL} 31 * ? *)")),
    _("backup on the last day", _often(f"cron(5 {ALL} L * ? *)")),
    _("backup on the nearest weekday", _often(f"cron(5 {ALL} 15W * ? *)")),
    _("backup on the first Monday", _often(f"cron(5 {ALL} ? * 2#1 *)")),
    _("backup with both kinds of day", _often(f"cron(5 {ALL} * * * *)")),
    _("backup with Unix's fields", _often("5 * * * *")),
    _("backup with six bare fields", _often("5 * ? * * *")),
    _("backup at a rate of days", _often("rate(1 day)")),
    _("backup at a plural rate", _often("rate(12 hours)")),
    _("backup once", _often("at(2026-12-01T00:00:00)")),
    _("backup at minute 75", _often(f"cron(75 {ALL} ? * * *)")),
    _("backup on weekday 0", _often(f"cron(5 {ALL} ? * 0 *)")),
    _("backup whenever someone asks", plan(("0.schedule", GONE))),
    _("backup at times not known", plan(("0.schedule", HIDDEN))),
    _("days that begin elsewhere leave a gap", plan(("1.scheduleExpressionTimezone", "Asia/Tokyo"), ("2.scheduleExpressionTimezone", "Asia/Tokyo"))),
    _("no such time zone", plan(("0.scheduleExpressionTimezone", "Mars/Olympus"))),
    _("the frequent backup is gone", plan(("0", GONE))),
    _("the daily backup is gone", plan(("1", GONE))),
    _("the weekly backup is gone", plan(("2", GONE))),
    _("weekly backup on no day", plan(("2.schedule", "cron(0 0 30 2 ? *)"))),
    _("weekly backup of one year", plan(("2.schedule", "cron(0 0 ? * SUN 2026)"))),
    _("weekly backup in January", plan(("2.schedule", "cron(0 0 ? 1 SUN *)"))),
    _("weekly backup each month", plan(("2.schedule", "cron(0 0 ? * 1#1 *)"))),
    _("daily backup on Mondays", plan(("1.schedule", "cron(0 0 ? * MON *)"))),
    _("no backup plan", drop("Plan", "features")),
    _("a plan without rules", put("Plan", "features", ("rules", []))),
)  # fmt: skip
WINDOWS = (
    _("start window of eight hours", plan(("0.startWindow", 480))),
    _("start window left to AWS", plan(("0.startWindow", GONE))),
    _("completion window of a week", plan(("0.completionWindow", 10080))),
    _("completion window left to AWS", plan(("0.completionWindow", GONE))),
    _("start window that AWS refuses", plan(("0.startWindow", 30))),
    _("windows in text", plan(("0.startWindow", "480"))),
    _("the day's windows alone are long", plan(("1.startWindow", 480), ("1.completionWindow", 600))),
)
KEPT = (
    _("frequent copies kept for a day", plan(("0.copyActions.0.lifecycle.deleteAfter", 1))),
    _("daily copies kept for ten days", plan(("1.copyActions.0.lifecycle.deleteAfter", 10))),
    _("weekly copies kept for a week", plan(("2.copyActions.0.lifecycle.deleteAfter", 7))),
    _("backups kept for a day", plan(("0.lifecycle.deleteAfter", 1))),
    _("cold too early to be deleted then", plan(("2.copyActions.0.lifecycle", {"coldStorageAfter": 30, "deleteAfter": 91}))),
    _("cold after deletion", plan(("2.copyActions.0.lifecycle", {"coldStorageAfter": 120, "deleteAfter": 91}))),
    _("the newest copy is cold", plan(("0.copyActions.0.lifecycle", {"coldStorageAfter": 0, "deleteAfter": 91}))),
    _("how long is not known", plan(("2.copyActions.0.lifecycle.deleteAfter", HIDDEN))),
    _("a point in time of a day", put("Table", "features", ("pointInTimeRecovery.recoveryPeriodInDays", 1))),
    _("no point in time", put("Table", "features", ("pointInTimeRecovery.enabled", False))),
    _("point in time left to AWS", put("Table", "features", ("pointInTimeRecovery", GONE))),
    _("changes of points in time are not sent", options("Table", "features", ignore_changes=("pointInTimeRecovery",))),
    _("changes of a plan are not sent", options("Plan", "features", ignore_changes=("rules",))),
    _("rows expire by when they were written", put("Table", "features", ("ttl.attributeName", "updated_at"))),
)  # fmt: skip
COPIES = (
    _("no frequent copy", plan(("0.copyActions", GONE))),
    _("no daily copy", plan(("1.copyActions", []))),
    _("no weekly copy", plan(("2.copyActions", GONE))),
    _("copy beside the original", plan(("0.copyActions.0.destinationVaultArn", _vault("seawall-prod-primary", region=HERE)))),
    _("copy to another account", plan(("0.copyActions.0.destinationVaultArn", _vault("seawall-prod-recovery", OTHER)))),
    _("copy to another region", plan(("0.copyActions.0.destinationVaultArn", _vault("seawall-prod-recovery", region="eu-west-3")))),
    _("copy to no vault", plan(("0.copyActions.0.destinationVaultArn", _vault("nowhere")))),
    _("weekly copy to no vault", plan(("2.copyActions.0.destinationVaultArn", _vault("nowhere")))),
    _("copy to a vault of any name", plan(("0.copyActions.0.destinationVaultArn", _vault("Default")))),
    _("backup into the default vault", plan(("0.targetVaultName", "Default"))),
    _("backup into no vault", plan(("0.targetVaultName", "nowhere"))),
    _("backup into the far vault's name", plan(("0.targetVaultName", "seawall-prod-recovery"))),
)  # fmt: skip
SELECTED = (
    _("selects nothing", selection(("resources", []))),
    _("selects another table", selection(("resources", [f"{TABLE}-old"]))),
    _("selects another region's table", selection(("resources", [TABLE.replace(HERE, AWAY)]))),
    _("selects another account's table", selection(("resources", [TABLE.replace(OWN, OTHER)]))),
    _("selects staging's tables", selection(("resources", ["arn:aws:dynamodb:*:*:table/seawall-staging-*"]))),
    _("selects an index", selection(("resources", [f"{TABLE}/index/x"]))),
    _("selects by another case", selection(("resources", [TABLE.replace("features", "Features")]))),
    _("selects all tables but this", selection(("resources", ["arn:aws:dynamodb:*:*:table/*"]), ("notResources", [TABLE]))),
    _("excludes all tables", selection(("notResources", ["arn:aws:dynamodb:*:*:table/*"]))),
    _("excludes everything", selection(("notResources", ["*"]))),
    _("only with a tag it lacks", selection(("conditions", {"stringEquals": [{"key": "aws:ResourceTag/backup", "value": "yes"}]}))),
    _("not with a tag it has", selection(("conditions", {"stringNotEquals": [{"key": "aws:ResourceTag/environment", "value": "prod"}]}))),
    _("not like a tag it has", selection(("conditions", {"stringNotLikes": [{"key": "aws:ResourceTag/environment", "value": "p*"}]}))),
    _("like a tag it has otherwise", selection(("conditions", {"stringLikes": [{"key": "aws:ResourceTag/environment", "value": "stag*"}]}))),
    _("by a tag it lacks", selection(("resources", GONE), ("selectionTags", [{"type": "STRINGEQUALS", "key": "backup", "value": "yes"}]))),
    _("the tag it is selected by is gone", both(
        selection(("resources", GONE), ("selectionTags", [{"type": "STRINGEQUALS", "key": "owner", "value": "ml-platform"}])),
        put("Table", "features", ("tags.owner", "another")),
    )),
    _("no selection", drop("Selection", "features")),
    _("selection for a plan of nobody", both(link("Selection", "features", "planId"), selection(("planId", "0e5b5e0c")))),
    _("selection with the drill's role", link("Selection", "features", "iamRoleArn", ("Role", "drill"))),
    _("selection with another account's role", both(link("Selection", "features", "iamRoleArn"), selection(("iamRoleArn", f"arn:aws:iam::{OTHER}:role/backup")))),
    _("the role may not back up", drop("RolePolicyAttachment", "backup-AWSBackupServiceRolePolicyForBackup")),
    _("the role may restore alone", put("RolePolicyAttachment", "backup-AWSBackupServiceRolePolicyForBackup", ("policyArn", "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores"))),
    _("the role may be taken by machines", inside("Role", "backup", "assumeRolePolicy", ("Statement.0.Principal.Service", "ec2.amazonaws.com"))),
    _("the role is denied copies", add("aws:iam/rolePolicy:RolePolicy", {"role": "seawall-prod-backup", "policy": '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "backup:Copy*", "Resource": "*"}]}'})),
    _("the role is denied the table", add("aws:iam/rolePolicy:RolePolicy", {"role": "seawall-prod-backup", "policy": '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}]}'})),
    _("restores have no role's rights", drop("RolePolicyAttachment", "restore-AWSBackupServiceRolePolicyForRestores")),
    _("restores' role is for machines", inside("Role", "restore", "assumeRolePolicy", ("Statement.0.Principal.Service", "ec2.amazonaws.com"))),
    _("no role to restore with", drop("Role", "restore")),
    _("no drill", drop("RolePolicy", "drill-drill")),
    _("nobody may drill", inside("Role", "drill", "assumeRolePolicy", ("Statement.0.Condition.ArnEquals", {"aws:PrincipalArn": [f"arn:aws:iam::{OWN}:role/platform-admin"]}))),
)  # fmt: skip
DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Resource": "*"}
VAULTS = (
    _("no lock on copies", drop("VaultLockConfiguration", "recovery")),
    _("no lock on backups", drop("VaultLockConfiguration", "primary")),
    _("a lock without a minimum", put("VaultLockConfiguration", "recovery", ("minRetentionDays", GONE))),
    _("a lock of one day", put("VaultLockConfiguration", "recovery", ("minRetentionDays", 1))),
    _("a lock that refuses long copies", put("VaultLockConfiguration", "recovery", ("maxRetentionDays", 30))),
    _("a lock that refuses short copies", put("VaultLockConfiguration", "recovery", ("minRetentionDays", 36))),
    _("a lock that refuses backups", put("VaultLockConfiguration", "primary", ("minRetentionDays", 36))),
    _("a lock of another vault", put("VaultLockConfiguration", "recovery", ("backupVaultName", "elsewhere"))),
    _("a lock in another region", moved("VaultLockConfiguration", "recovery", HERE)),
    _("no policy of copies", drop("VaultPolicy", "recovery")),
    _("no policy of backups", drop("VaultPolicy", "primary")),
    _("a policy that denies no deletion", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Action", ["backup:UpdateRecoveryPointLifecycle"]))),
    _("a policy that denies shorter lives no more", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Action", ["backup:DeleteRecoveryPoint"]))),
    _("a policy that denies one role", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Principal", {"AWS": f"arn:aws:iam::{OWN}:role/x"}))),
    _("a policy that denies on a condition", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Condition", {"StringEquals": {"aws:PrincipalTag/x": "y"}}))),
    _("a policy that denies all but someone", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Condition", {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}))),
    _("a policy that allows deletion", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Effect", "Allow"))),
    _("a policy for other resources", inside("VaultPolicy", "recovery", "policy", ("Statement.0.Resource", f"arn:aws:ec2:{AWAY}::snapshot/*"))),
    _("copies may not arrive", inside("VaultPolicy", "recovery", "policy", ("Statement.+", {**DENY, "Action": "backup:CopyIntoBackupVault"}))),
    _("copies may not be restored", inside("VaultPolicy", "recovery", "policy", ("Statement.+", {**DENY, "Action": "backup:StartRestoreJob"}))),
    _("backups may not leave", inside("VaultPolicy", "primary", "policy", ("Statement.+", {**DENY, "Action": "backup:CopyFromBackupVault"}))),
    _("backups may not start", inside("VaultPolicy", "primary", "policy", ("Statement.+", {**DENY, "Action": "backup:StartBackupJob"}))),
    _("a vault that goes with its content", put("Vault", "recovery", ("forceDestroy", True))),
    _("a vault with the near key", link("Vault", "recovery", "kmsKeyArn", ("Key", "data"))),
    _("a vault with the near key by name", both(link("Vault", "recovery", "kmsKeyArn"), put("Vault", "recovery", ("kmsKeyArn", f"arn:aws:kms:{HERE}:{OWN}:key/x")))),
    _("a vault with AWS's key", both(link("Vault", "recovery", "kmsKeyArn"), put("Vault", "recovery", ("kmsKeyArn", GONE)))),
    _("the far vault is near", moved("Vault", "recovery", HERE)),
    _("no far vault", drop("Vault", "recovery")),
    _("no vault", drop("Vault", "primary")),
    _("a vault that may be deleted", options("Vault", "recovery", protect=False)),
    _("a vault that goes with the stack", options("Vault", "recovery", retain_on_delete=False)),
)  # fmt: skip
KEYS = (
    _("the far key is off", put("Key", "recovery", ("isEnabled", False))),
    _("the near key is off", put("Key", "data", ("isEnabled", False))),
    _("the far key is gone in a week", put("Key", "recovery", ("deletionWindowInDays", 7))),
    _("the far key never turns", put("Key", "recovery", ("enableKeyRotation", False))),
    _("the far key is near", moved("Key", "recovery", HERE)),
    _("the far key signs", put("Key", "recovery", ("keyUsage", "SIGN_VERIFY"))),
    _("the far key is a pair", put("Key", "recovery", ("customerMasterKeySpec", "RSA_2048"))),
    _("nobody may decrypt", inside("Key", "recovery", "policy", ("Statement.+", {**DENY, "Action": "kms:Decrypt"}))),
    _("backup may not decrypt", inside("Key", "recovery", "policy", ("Statement.+", {**DENY, "Action": "kms:*", "Condition": {"StringEquals": {"kms:ViaService": f"backup.{AWAY}.amazonaws.com"}}}))),
    _("nobody manages the far key", inside("Key", "recovery", "policy", ("Statement.0", GONE))),
    _("the account's key may be described", inside("Key", "recovery", "policy", ("Statement.0.Action", ["kms:Describe*"]))),
    _("a far key that may be deleted", options("Key", "recovery", protect=False)),
    _("a far key that goes with the stack", options("Key", "recovery", retain_on_delete=False)),
    _("no far key", drop("Key", "recovery")),
    _("the far key is in a store of its own", put("Key", "recovery", ("customKeyStoreId", "cks-1234567890abcdef0"))),
)  # fmt: skip
STORES = (
    _("the table may be deleted", put("Table", "features", ("deletionProtectionEnabled", False))),
    _("the table's protection is left out", put("Table", "features", ("deletionProtectionEnabled", GONE))),
    _("the table is not protected", options("Table", "features", protect=False)),
    _("the table goes with the stack", options("Table", "features", retain_on_delete=False)),
    _("the replica goes with its content", put("Bucket", "replica", ("forceDestroy", True))),
    _("models go with their bucket", put("Bucket", "models", ("forceDestroy", "true"))),
    _("the replica is not protected", options("Bucket", "replica", protect=False)),
    _("the replica goes with the stack", options("Bucket", "replica", retain_on_delete=False)),
    _("models are not protected", options("Bucket", "models", protect=False)),
    _("audit in governance", put("BucketObjectLockConfiguration", "audit", ("rule.defaultRetention.mode", "GOVERNANCE"))),
    _("audit kept for a day", put("BucketObjectLockConfiguration", "audit", ("rule.defaultRetention.days", 1))),
    _("audit without a rule", put("BucketObjectLockConfiguration", "audit", ("rule", GONE))),
    _("audit without a lock", drop("BucketObjectLockConfiguration", "audit")),
)  # fmt: skip
HARMFUL = (*SCHEDULES, *WINDOWS, *KEPT, *COPIES, *SELECTED, *VAULTS, *KEYS, *STORES)
