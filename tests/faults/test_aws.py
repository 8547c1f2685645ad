"""A fault in a deployed AWS stack that would make a real restore fail makes the drill fail, and is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from botocore.exceptions import ClientError

from tests.faults import aws_plants as aws
from tests.faults.harness import Fault, LooksOnly, found, stand

pytestmark = pytest.mark.engine
STACK: Final = "dev-aws"

UNHURRIED_S: Final = 60.0
COPIED: Final = "has not all objects"
POINT: Final = "recovery point"
RESTORE: Final = "restore job failed"
FETCH: Final = "release was not fetched"

REPLICATION: Final = (
    Fault("replication is off", aws.no_replication, COPIED),
    Fault("its rule is disabled", aws.replication_rule(lambda r: r.update(Status="Disabled")), COPIED),
    Fault("its rule copies one folder", aws.replication_rule(lambda r: r.update(Filter={"Prefix": "logs/"})), COPIED),
    Fault(
        "its rule wants a tag",
        aws.replication_rule(lambda r: r.update(Filter={"Tag": {"Key": "copy", "Value": "yes"}})),
        COPIED,
    ),
    Fault(
        "its rule leaves out what KMS encrypts",
        aws.replication_rule(
            lambda r: r["SourceSelectionCriteria"].update(SseKmsEncryptedObjects={"Status": "Disabled"})
        ),
        COPIED,
    ),
    Fault("its rule copies to another bucket", aws.replicate_to_another_bucket, COPIED),
    Fault(
        "its rule names no key for replicas",
        aws.replication_rule(lambda r: r["Destination"].pop("EncryptionConfiguration")),
        COPIED,
    ),
    Fault(
        "its rule names a key of no region",
        aws.replication_rule(
            lambda r: r["Destination"]["EncryptionConfiguration"].update(
                ReplicaKmsKeyID="arn:aws:kms:eu-west-3:111122223333:key/00000000-0000-0000-0000-000000000000"
            )
        ),
        COPIED,
    ),
    Fault("its role trusts AWS Backup", aws.trust("models-replication", "backup.amazonaws.com"), COPIED),
    Fault("its role is nobody", aws.replication(lambda c: c.update(Role=c["Role"] + "-gone")), COPIED),
    Fault(
        "its role is the one that restores",
        aws.replication(lambda c: c.update(Role=c["Role"].replace("models-replication", "restore"))),
        COPIED,
    ),
    *(
        Fault(f"its role may not {action}", aws.without_action("models-replication", action), COPIED)
        for action in (
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionAcl",
            "s3:ReplicateObject",
            "kms:Decrypt",
            "kms:Encrypt",
        )
    ),
    Fault("its role is denied replicas", aws.role_denied("models-replication", "s3:ReplicateObject"), COPIED),
    Fault("the replica's policy denies replicas", aws.bucket_denies("s3:ReplicateObject", far=True), COPIED),
    Fault(
        "the source's policy denies its role",
        aws.bucket_denies("s3:GetObjectVersionForReplication", far=False, service="models-replication"),
        COPIED,
    ),
    Fault("the replica's versions are suspended", aws.versioning("Suspended", far=True), COPIED),
)

KEYS: Final = (
    Fault("the data key is disabled", aws.key_disabled(far=False), "KMS"),
    Fault("the data key is going to be deleted", aws.key_deleted(far=False), "KMS"),
    Fault("the recovery key is disabled", aws.key_disabled(far=True), ""),
    Fault("the recovery key is going to be deleted", aws.key_deleted(far=True), ""),
    Fault("the recovery key is not granted to the account", aws.key_policy_without_account(far=True), COPIED),
    Fault("the data key is not granted to the account", aws.key_policy_without_account(far=False), ""),
)

BACKUP: Final = (
    Fault("there is no plan", aws.no_plan, POINT),
    Fault("the plan selects nothing", aws.no_selection, POINT),
    Fault(
        "the selection leaves the table out",
        aws.selection(lambda s: s.update(Resources=["*"], NotResources=["arn:aws:dynamodb:*:*:table/*"])),
        POINT,
    ),
    Fault(
        "the selection names another table",
        aws.selection(lambda s: s.update(Resources=[s["Resources"][0] + "-old"])),
        POINT,
    ),
    Fault(
        "the selection wants a tag that the table has not",
        aws.selection(
            lambda s: s.update(
                Conditions={"StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "yes"}]}
            )
        ),
        POINT,
    ),
    Fault(
        "the selection's role is nobody", aws.selection(lambda s: s.update(IamRoleArn=s["IamRoleArn"] + "-x")), POINT
    ),
    Fault("the plan copies nothing", aws.plan(lambda r: r.pop("CopyActions")), POINT),
    Fault("the plan copies within the region", aws.copies_to(far=False), POINT),
    Fault("the plan copies to another vault", aws.copies_to(far=True), POINT),
    Fault("the plan copies to no vault", aws.copies_to(far=True, vault="nowhere"), POINT),
    Fault("the plan backs up into no vault", aws.plan(lambda r: r.update(TargetBackupVaultName="nowhere")), POINT),
    Fault("the plan runs once a year", aws.plan(lambda r: r.update(ScheduleExpression="cron(0 5 1 1 ? *)")), POINT),
    Fault("the plan's year is over", aws.plan(lambda r: r.update(ScheduleExpression="cron(0 5 ? * * 2020)")), POINT),
    Fault(
        "copies would go before the vault lets them",
        aws.plan(lambda r: r["CopyActions"][0].update(Lifecycle={"DeleteAfterDays": 1})),
        POINT,
    ),
    Fault(
        "points would go before the near vault lets them",
        aws.plan(lambda r: r.update(Lifecycle={"DeleteAfterDays": 1})),
        POINT,
    ),
    Fault("the vault keeps for longer than copies live", aws.vault_lock(MinRetentionDays=3650), POINT),
    Fault("the vault's policy denies copies", aws.vault_policy(aws.deny("backup:CopyIntoBackupVault")), POINT),
    Fault("the backup role trusts S3", aws.trust("backup", "s3.amazonaws.com"), POINT),
    Fault("the backup role has no rights", aws.detached("backup"), POINT),
    *(
        Fault(f"the backup role is denied {action}", aws.role_denied("backup", action), POINT)
        for action in ("dynamodb:StartAwsBackupJob", "backup:CopyIntoBackupVault", "kms:Decrypt", "kms:CreateGrant")
    ),
    Fault("the restore role trusts S3", aws.trust("restore", "s3.amazonaws.com"), RESTORE),
    Fault("the restore role has no rights", aws.detached("restore"), RESTORE),
    *(
        Fault(f"the restore role is denied {action}", aws.role_denied("restore", action), RESTORE)
        for action in ("dynamodb:RestoreTableFromAwsBackup", "kms:Decrypt", "kms:CreateGrant")
    ),
)

DEPLOYED: Final = (
    Fault(
        "deletions are not replicated",
        aws.replication_rule(lambda r: r.update(DeleteMarkerReplication={"Status": "Disabled"})),
        "replication of deletions",
    ),
    Fault(
        "replication promises no time",
        aws.replication_rule(
            lambda r: [r["Destination"].pop("ReplicationTime"), r["Destination"].pop("Metrics", None)]
        ),
        "replication promises no time",
    ),
    Fault(
        "old versions of copies go after a day",
        aws.lifecycle({"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}, far=True),
        "days that old versions are kept",
    ),
    Fault(
        "the models expire",
        aws.lifecycle({"Expiration": {"Days": 1}}, far=False),
        "rules that remove current objects",
    ),
    Fault(
        "the copies expire", aws.lifecycle({"Expiration": {"Days": 1}}, far=True), "rules that remove current objects"
    ),
    Fault("the models may be public", aws.open_to_the_public(far=False), "public access blocked"),
    Fault("the copies may be public", aws.open_to_the_public(far=True), "public access blocked"),
    Fault("copies are encrypted by S3 itself", aws.encrypted_by_s3_itself(far=True), "encryption"),
    Fault("models are encrypted by S3 itself", aws.encrypted_by_s3_itself(far=False), "encryption"),
    Fault("versions of copies may be deleted", aws.no_bucket_policy(far=True), "what its policy denies everybody"),
    Fault("the vault is not locked", aws.vault_lock(), "locked"),
    Fault("the vault keeps for one day", aws.vault_lock(MinRetentionDays=1), "days that nothing goes before"),
    Fault("the near vault is not locked", aws.near_vault_unlocked, "locked"),
    Fault(
        "points may be deleted",
        aws.vault_policy(aws.deny("backup:UpdateRecoveryPointLifecycle")),
        "what its policy denies everybody",
    ),
    Fault(
        "the plan runs each Sunday", aws.plan(lambda r: r.update(ScheduleExpression="cron(0 5 ? * SUN *)")), "rpo."
    ),
    Fault("the plan runs once a day", aws.plan(lambda r: r.update(ScheduleExpression="cron(0 5 ? * * *)")), "rpo."),
    Fault(
        "a backup may start a day late",
        aws.plan(lambda r: r.update(StartWindowMinutes=1440, CompletionWindowMinutes=2880)),
        "rpo.bound",
    ),
    Fault("a backup may take a week", aws.plan(lambda r: r.pop("CompletionWindowMinutes")), "rpo.bound"),
    Fault("the plan has lost rules", aws.fewer_rules, "days that copies are kept"),
    Fault(
        "copies are kept for another time",
        aws.plan(lambda r: r["CopyActions"][0].update(Lifecycle={"DeleteAfterDays": 8})),
        "days that copies are kept",
    ),
    Fault(
        "copies go before the objective",
        aws.lock_then_plan({}, lambda r: r["CopyActions"][0].update(Lifecycle={"DeleteAfterDays": 1})),
        "days that copies are kept",
    ),
    Fault("point-in-time recovery is off", aws.point_in_time_recovery_off, "point-in-time recovery"),
    Fault("rows never expire", aws.time_to_live("expires_at", enabled=False), "TTL"),
    Fault("the table may be deleted", aws.no_deletion_protection, "deletion protection"),
    Fault("the table was made anew", aws.table_made_anew(), "rows.before"),
    Fault("the table is under another key", aws.table_under_another_key, "key"),
    Fault("half of the rows are gone", aws.rows_gone, "rows.before"),
    Fault("a row has no end", aws.row(lambda i: i.pop("expires_at")), "rows.before"),
    Fault("a row is unreadable", aws.row(lambda i: i.update(features={"S": "broken"})), "rows.before"),
)

RELEASES: Final = (
    Fault("a file of the release is damaged", aws.damaged("config.pbtxt"), "release.intact"),
    Fault("a file of the release is missing", aws.deleted("config.pbtxt"), "release.intact"),
    Fault(
        "the release has a file too many",
        aws.put("releases/{release}/repository/extra/1/model.onnx", b"weights"),
        "release.intact",
    ),
    Fault("the manifest is forged", aws.damaged("manifest.json"), "release.pinned"),
    Fault("the manifest is missing", aws.deleted("manifest.json"), "release.pinned"),
    Fault("the signature is missing", aws.deleted("attestation.json"), "release.signed"),
    Fault("the signature is unreadable", aws.put("releases/{release}/attestation.json", b"{}"), "release.signed"),
    Fault("the pointer is damaged", aws.put("current.json", b"{}"), "release.pointer"),
    Fault("the pointer is missing", aws.deleted("current.json"), "release.pointer"),
)

SERVING: Final = (
    Fault("the fleet's pods are nobody", aws.no_association, FETCH),
    Fault("the fleet's role may not decrypt", aws.without_action("fleet", "kms:Decrypt"), FETCH),
    Fault("the fleet's role trusts machines", aws.trust("fleet", "ec2.amazonaws.com"), FETCH),
    Fault("the fleet's sessions may not be tagged", aws.trust("fleet", "pods.eks.amazonaws.com"), FETCH),
    Fault("the fleet's role is denied keys", aws.role_denied("fleet", "kms:*"), FETCH),
    Fault("a boundary cuts the fleet's role", aws.bounded("fleet", "sns:Publish"), FETCH),
    Fault("the fleet's rights hang on a key that nobody knows", aws.conditioned("fleet", "aws:NoSuchKey"), FETCH),
)

LOOKED: Final = tuple(replace(fault, scenario=LooksOnly()) for fault in (*DEPLOYED, *RELEASES))
"""These are found by what a drill reads before it loses anything."""
FAULTS: Final = (*REPLICATION, *KEYS, *BACKUP, *SERVING, *LOOKED)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_named(fault: Fault, kept: Callable[[str], Path]) -> None:
    told = found(fault, STACK, kept(STACK))
    # A drill that ends early leaves checks out, and says so of each: that names no fault.
    named = [finding for finding in told["findings"] if "was left out" not in finding]
    assert told["verdict"] == "not proven"
    assert any(fault.finding in finding for finding in named), named


def test_each_fault_has_a_name_of_its_own_and_there_are_enough() -> None:
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS) >= 40


@pytest.mark.parametrize("attempt", range(10))
def test_the_unharmed_stack_is_proven(attempt: int, kept: Callable[[str], Path]) -> None:
    del attempt
    with stand(STACK, kept(STACK)) as standing:
        told = standing.drilled(patience_s=UNHURRIED_S)
    assert (told["findings"], told["verdict"]) == ([], "proven")


@pytest.mark.parametrize(
    ("plant", "refusal"),
    [
        (aws.versioning("Suspended", far=False), "InvalidBucketState"),
        (aws.plan(lambda r: r.update(StartWindowMinutes=30)), "start window"),
        (aws.plan(lambda r: r.update(CompletionWindowMinutes=30)), "completion window"),
        (aws.plan(lambda r: r.update(ScheduleExpression="hourly")), "schedule"),
        (
            aws.replication_rule(lambda r: r["Destination"].update(Bucket="arn:aws:s3:::seawall-nowhere")),
            "must exist",
        ),
    ],
    ids=["versions-off", "short-start-window", "short-completion-window", "no-schedule", "no-destination"],
)
def test_what_aws_refuses_cannot_be_planted(plant: aws.Plant, refusal: str, kept: Callable[[str], Path]) -> None:
    with stand(STACK, kept(STACK)) as standing, pytest.raises(ClientError, match=refusal):
        plant(standing)
