"""Policies on AWS that deny what a copy or a restore takes, or that no longer deny what would end the copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.buckets import s3_companions, s3_names
from policies.checks import ABSENT, PASS, all_of, failed, items, passed, read, shown
from policies.documents import Statement, statements
from policies.examples import allow, document, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, refers_to
from policies.model import Framework, Judgement, Severity, Verdict
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_VAULT, KMS_KEY, S3_BUCKET, S3_POLICY, S3_REPLICATION, VAULT_POLICY

family = Family("What copies are denied")

_COPIES: Final = (
    "backup:CopyFromBackupVault",
    "backup:CopyIntoBackupVault",
    "backup:DescribeRecoveryPoint",
    "backup:StartBackupJob",
    "backup:StartRestoreJob",
)
_KEPT: Final = (
    "backup:DeleteRecoveryPoint",
    "backup:DisassociateRecoveryPoint",
    "backup:UpdateRecoveryPointLifecycle",
)
_OBJECTS: Final = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionForReplication",
    "s3:ListBucket",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
)
_KEYS: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
_NO_COPY: Final = "the bucket is no part of a replication"
_CP9: Final = {Framework.NIST_800_53: ("CP-9",)}
_ROOT: Final = {"AWS": "arn:aws:iam::111122223333:root"}
_DENIED: Final = {"Effect": "Deny", "Principal": "*", "Resource": "*"}


def _denials(holder: Resource, actions: tuple[str, ...], *keys: str) -> Iterator[Judgement]:
    """Statements that deny everyone one of the actions, at all times, or by conditions on these keys alone."""
    found = statements(holder, "policy")
    if isinstance(found, Judgement):
        if found.verdict is Verdict.UNKNOWN:
            yield found
        return
    for statement in found:
        denied = [action for action in actions if statement.effect == "Deny" and statement.acts_on(action)]
        if denied and statement.anyone and {c.key.lower() for c in statement.conditions} <= set(keys):
            yield failed(f"{holder.name}.{statement.path}", f"a denial of {denied[0]}", "none of what copies take")


@family.rule(
    "aws-backup-vault-lets-copies",
    Severity.HIGH,
    "Vaults deny nobody to back up, to copy or to restore",
    types=(BACKUP_VAULT,),
    rationale="A policy that is meant to keep points and denies copying too ends the copies, one job after another.",
    remedy="Deny in the vault's policy what deletes and shortens recovery points, and nothing else.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(BACKUP_VAULT, {"name": "primary"}),
        given(
            VAULT_POLICY,
            {
                "backupVaultName": "primary",
                "policy": document({**_DENIED, "Action": list(_KEPT)}),
            },
        ),
        broken={
            "example.policy.Statement.1 is a denial of backup:CopyIntoBackupVault": put(
                "policy.Statement.1", {**_DENIED, "Action": "backup:CopyInto*"}, VAULT_POLICY
            ),
            "example.policy.Statement.1 is a denial of backup:CopyFromBackupVault": put(
                "policy.Statement.1", {**_DENIED, "Action": "backup:*"}, VAULT_POLICY
            ),
        },
        accepted={"": without(VAULT_POLICY)},
    ),
)
def aws_backup_vault_lets_copies(vault: Resource, inventory: Inventory) -> Judgement:
    policies = companions(inventory, vault, "backupVaultName", (read(vault, "name"),), VAULT_POLICY)
    return all_of(judged for policy in policies for judged in _denials(policy, _COPIES))


@family.rule(
    "aws-s3-copies-not-denied",
    Severity.HIGH,
    "Policies of replicated buckets deny neither copies nor restores, and keep a replica's versions",
    types=(S3_POLICY,),
    rationale="A denial for everyone stops S3's own role too; without one of deletion, versions of a replica go.",
    remedy="Deny everyone s3:DeleteObjectVersion in the replica, and nobody to read, list or replicate.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(
            S3_POLICY,
            {
                "bucket": "kept-replica",
                "policy": document(
                    {**_DENIED, "Action": "s3:DeleteObjectVersion", "Resource": "arn:aws:s3:::kept-replica/*"}
                ),
            },
            "kept-replica",
        ),
        given(S3_BUCKET, {"bucket": "kept-replica"}, "kept-replica", away=True),
        given(S3_REPLICATION, {"bucket": "x", "rules.0.destination.bucket": "arn:aws:s3:::kept-replica"}, "kept"),
        broken={
            "policy is without a denial of s3:DeleteObjectVersion": (
                put("policy.Statement.0.Condition", {"StringEquals": {"aws:PrincipalTag/x": "y"}}),
                put("policy.Statement.0.Principal", _ROOT),
                put("policy.Statement.0.Resource", "arn:aws:s3:::kept-replica/x/*"),
                put("policy.Statement.0.Effect", "Allow"),
            ),
            "kept-replica.policy.Statement.0 is a denial of s3:ReplicateObject": put(
                "policy.Statement.0.Action", ["s3:DeleteObjectVersion", "s3:ReplicateObject"]
            ),
        },
        accepted={_NO_COPY: without(S3_REPLICATION, "kept")},
    ),
)
def aws_s3_copies_not_denied(policy: Resource, inventory: Inventory) -> Judgement:
    bucket = next(
        (b for b in inventory.of_type(S3_BUCKET) if refers_to(inventory, policy, "bucket", b, *s3_names(b))), None
    )
    if bucket is None:
        return passed(_NO_COPY)
    is_replica = _is_replica(inventory, bucket)
    if not is_replica and not s3_companions(inventory, bucket, S3_REPLICATION):
        return passed(_NO_COPY)
    return all_of((*_denials(policy, _OBJECTS), _keeps_versions(policy, bucket) if is_replica else PASS))


def _is_replica(inventory: Inventory, bucket: Resource) -> bool:
    return any(
        refers_to(inventory, config, f"{rule}.destination.bucket", bucket, *s3_names(bucket))
        for config in inventory.of_type(S3_REPLICATION)
        for rule in items(config, "rules")
    )


def _keeps_versions(policy: Resource, bucket: Resource) -> Judgement:
    found = statements(policy, "policy")
    if isinstance(found, Judgement):
        return found
    whole = {"*", *(f"{name}/*" for name in s3_names(bucket)[1:])}
    action = "s3:DeleteObjectVersion"
    for s in found:
        plain = s.effect == "Deny" and s.anyone and not s.conditions and s.acts_on(action)
        if plain and whole.intersection(s.resources):
            return PASS
    return failed("policy", f"without a denial of {action}", "one for everyone and every object, without a condition")


@family.rule(
    "aws-kms-policy-usable",
    Severity.HIGH,
    "The policy of a key leaves it to its account, and denies nobody what copies take",
    types=(KMS_KEY,),
    rationale="A key that nobody may manage or use is lost with all that it encrypts, and no support gives it back.",
    remedy="Allow the account's root kms:* without a condition, and deny no use of the key to everyone.",
    frameworks={Framework.NIST_800_53: ("CP-9", "SC-12")},
    examples=lambda: examples(
        given(KMS_KEY, {"policy": document(allow(Principal=_ROOT, Action="kms:*", Resource="*"))}),
        broken={
            "policy is without the account's root": (
                put("policy.Statement.0.Action", "kms:Describe*"),
                put("policy.Statement.0.Condition", {"StringEquals": {"aws:PrincipalTag/x": "y"}}),
                put("policy.Statement.0.Principal", {"AWS": "arn:aws:iam::111122223333:role/one"}),
            ),
            "example.policy.Statement.1 is a denial of kms:CreateGrant": put(
                "policy.Statement.1", {**_DENIED, "Action": "kms:*"}
            ),
            'keyUsage is "SIGN_VERIFY"': put("keyUsage", "SIGN_VERIFY"),
            'customerMasterKeySpec is "RSA_2048"': put("customerMasterKeySpec", "RSA_2048"),
        },
    ),
)
def aws_kms_policy_usable(key: Resource, inventory: Inventory) -> Judgement:
    usage = (("keyUsage", "ENCRYPT_DECRYPT"), ("customerMasterKeySpec", "SYMMETRIC_DEFAULT"))
    wrong = [
        failed(path, shown(read(key, path)), f"{right}, which encrypts what AWS stores")
        for path, right in usage
        if read(key, path) not in (ABSENT, right)
    ]
    if read(key, "policy") is ABSENT:
        return all_of(wrong)
    return all_of((*wrong, *_denials(key, _KEYS, "kms:viaservice"), _root_manages(key, inventory)))


def _root_manages(key: Resource, inventory: Inventory) -> Judgement:
    found = statements(key, "policy")
    if isinstance(found, Judgement):
        return found
    account = SettingsView.of(inventory.settings).account
    if any(_is_roots(statement, account) for statement in found):
        return PASS
    return failed("policy", "without the account's root", "a statement that allows the account's root kms:*")


def _is_roots(statement: Statement, account: str) -> bool:
    named = {account, f"arn:aws:iam::{account}:root"}.intersection(statement.principals)
    whole = all(statement.acts_on(action) for action in (*_KEYS, "kms:PutKeyPolicy", "kms:EnableKey"))
    return statement.allows and bool(named) and whole and not statement.conditions
