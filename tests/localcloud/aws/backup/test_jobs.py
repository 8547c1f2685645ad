"""The emulated AWS Backup: recovery points as the deployed plan says, restores as the keys allow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.aws.emulator import AwsEmulator

HERE, THERE = "eu-west-1", "eu-central-1"
ROLE = "arn:aws:iam::111122223333:role/backup"
Clients = Callable[..., Any]


class Setup:
    """Two vaults, a table, and a plan that backs it up hourly and copies to the far vault."""

    def __init__(
        self,
        client: Clients,
        key: Callable[[str], str],
        table: Callable[..., str],
        settle: Callable[[], None],
        name: str,
    ) -> None:
        self.client, self.name, self.settle = client, name, settle
        self.here_key, self.there_key = key(HERE), key(THERE)
        self.backup, self.far = client("backup"), client("backup", THERE)
        self.backup.create_backup_vault(BackupVaultName=f"{name}-here", EncryptionKeyArn=self.here_key)
        far_vault = self.far.create_backup_vault(BackupVaultName=f"{name}-there", EncryptionKeyArn=self.there_key)
        self.far_vault_arn = far_vault["BackupVaultArn"]
        self.table_arn = table(name, self.here_key)
        self.write("early")

    def write(self, entity: str) -> None:
        self.client("dynamodb").put_item(TableName=self.name, Item={"entity_id": {"S": entity}})

    def deploy(
        self,
        *,
        resources: list[str] | None = None,
        copies: bool = True,
        conditions: dict[str, Any] | None = None,
        members: dict[str, Any] | None = None,
        role: str = ROLE,
    ) -> None:
        rule: dict[str, Any] = {"RuleName": "hourly", "TargetBackupVaultName": f"{self.name}-here", **(members or {})}
        if copies:
            rule["CopyActions"] = [{"DestinationBackupVaultArn": self.far_vault_arn}]
        plan = self.backup.create_backup_plan(BackupPlan={"BackupPlanName": self.name, "Rules": [rule]})
        selection = {
            "SelectionName": "s",
            "IamRoleArn": role,
            "Resources": [self.table_arn] if resources is None else resources,
            **({"Conditions": conditions} if conditions else {}),
        }
        self.backup.create_backup_selection(BackupPlanId=plan["BackupPlanId"], BackupSelection=selection)

    def points(self, where: str) -> list[dict[str, Any]]:
        backup = self.backup if where == "here" else self.far
        backup.list_recovery_points_by_backup_vault(BackupVaultName=f"{self.name}-{where}")  # what is due, begins
        self.settle()
        return backup.list_recovery_points_by_backup_vault(BackupVaultName=f"{self.name}-{where}")["RecoveryPoints"]

    def restore(self, target: str, role: str = ROLE) -> dict[str, Any]:
        metadata = {"targetTableName": target, "encryptionType": "KMS", "kmsMasterKeyArn": self.there_key}
        point = self.points("there")[0]["RecoveryPointArn"]
        job = self.far.start_restore_job(RecoveryPointArn=point, Metadata=metadata, IamRoleArn=role)
        return self.far.describe_restore_job(RestoreJobId=job["RestoreJobId"])


@pytest.fixture
def setup(
    client: Clients, key: Callable[[str], str], table: Callable[..., str], emulator: AwsEmulator
) -> Callable[[str], Setup]:
    return lambda name: Setup(client, key, table, emulator.settle, name)


def test_a_selected_table_is_backed_up_and_copied(setup: Callable[[str], Setup]) -> None:
    made = setup("selected")
    made.deploy()
    assert [p["ResourceArn"] for p in made.points("there")] == [made.table_arn]


def test_a_table_that_is_not_selected_is_not_backed_up(setup: Callable[[str], Setup]) -> None:
    made = setup("unselected")
    made.deploy(resources=["arn:aws:dynamodb:eu-west-1:111122223333:table/another"])
    assert made.points("here") == []


def test_without_a_copy_action_nothing_lies_in_the_backup_region(setup: Callable[[str], Setup]) -> None:
    made = setup("uncopied")
    made.deploy(copies=False)
    assert (len(made.points("here")), made.points("there")) == (1, [])


@pytest.mark.parametrize(("wanted", "points"), [("yes", 1), ("no", 0)])
def test_a_selection_covers_what_meets_its_conditions(
    setup: Callable[[str], Setup], wanted: str, points: int
) -> None:
    made = setup(f"conditional-{wanted}")
    made.client("dynamodb").tag_resource(ResourceArn=made.table_arn, Tags=[{"Key": "b", "Value": "yes"}])
    condition = {"ConditionKey": "aws:ResourceTag/b", "ConditionValue": wanted}
    made.deploy(conditions={"StringEquals": [condition]})
    assert len(made.points("here")) == points


@pytest.mark.parametrize(
    ("name", "expression", "points"),
    [("weekly", "cron(0 5 ? * SUN *)", 1), ("once", "cron(0 5 1 1 ? 2031)", 0), ("over", "cron(0 5 ? * * 2020)", 0)],
)
def test_a_rule_makes_recovery_points_only_as_its_schedule_comes_due(
    setup: Callable[[str], Setup], name: str, expression: str, points: int
) -> None:
    made = setup(f"scheduled-{name}")
    made.deploy(members={"ScheduleExpression": expression})
    assert len(made.points("there")) == points


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"ScheduleExpression": "every day"}, "schedule"),
        ({"StartWindowMinutes": 30}, "start window"),
        ({"StartWindowMinutes": 60, "CompletionWindowMinutes": 60}, "completion window"),
        ({"Lifecycle": {"MoveToColdStorageAfterDays": 7, "DeleteAfterDays": 30}}, "90 days"),
    ],
)
def test_a_rule_that_aws_refuses_is_refused(
    setup: Callable[[str], Setup], members: dict[str, Any], told: str
) -> None:
    made = setup(f"refused-{told.replace(' ', '-')}")
    with pytest.raises(ClientError, match=told):
        made.deploy(members=members)


@pytest.mark.parametrize(("days", "points"), [(6, 0), (7, 1), (None, 1)])
def test_a_locked_vault_fails_jobs_whose_points_would_go_too_soon(
    setup: Callable[[str], Setup], days: int | None, points: int
) -> None:
    made = setup(f"short-{days}")
    made.far.put_backup_vault_lock_configuration(BackupVaultName=f"short-{days}-there", MinRetentionDays=7)
    made.deploy(members={"Lifecycle": {"DeleteAfterDays": days}} if days else None)
    assert len(made.points("there")) == points


def test_a_copy_arrives_later_than_its_job_begins(setup: Callable[[str], Setup]) -> None:
    made = setup("later")
    made.deploy()
    jobs = made.backup.list_copy_jobs(ByResourceArn=made.table_arn)["CopyJobs"]
    made.settle()
    done = made.backup.describe_copy_job(CopyJobId=jobs[0]["CopyJobId"])["CopyJob"]
    assert (jobs[0]["State"], done["State"]) == ("RUNNING", "COMPLETED")


def test_a_copy_without_a_lifecycle_keeps_its_sources(setup: Callable[[str], Setup]) -> None:
    made = setup("inherits")
    made.deploy(members={"Lifecycle": {"DeleteAfterDays": 9}})
    assert made.points("there")[0]["Lifecycle"]["DeleteAfterDays"] == 9


def test_without_a_plan_nothing_is_backed_up(setup: Callable[[str], Setup]) -> None:
    assert setup("unplanned").points("here") == []


def test_a_copy_is_encrypted_with_the_far_vaults_key(setup: Callable[[str], Setup]) -> None:
    made = setup("far-key")
    made.deploy()
    assert made.points("there")[0]["EncryptionKeyArn"] == made.there_key


def test_the_schedule_runs_again_only_after_a_write(setup: Callable[[str], Setup]) -> None:
    made = setup("again")
    made.deploy()
    counts = [len(made.points("there")), len(made.points("there"))]
    made.write("late")
    assert [*counts, len(made.points("there"))] == [1, 1, 2]


def test_a_restored_table_has_what_the_recovery_point_had(setup: Callable[[str], Setup], client: Clients) -> None:
    made = setup("restored")
    made.deploy()
    made.points("there")
    made.write("late")
    client("dynamodb").delete_table(TableName="restored")
    job = made.restore("restored-there")
    items = client("dynamodb", THERE).scan(TableName="restored-there")["Items"]
    assert (job["Status"], items) == ("COMPLETED", [{"entity_id": {"S": "early"}}])


def test_a_restore_does_not_need_the_lost_regions_key(setup: Callable[[str], Setup], client: Clients) -> None:
    made = setup("lost")
    made.deploy()
    made.points("there")
    client("kms").disable_key(KeyId=made.here_key)
    assert made.restore("lost-there")["Status"] == "COMPLETED"


def test_a_restore_needs_the_far_vaults_key(setup: Callable[[str], Setup], client: Clients) -> None:
    made = setup("locked-out")
    made.deploy()
    made.points("there")
    client("kms", THERE).disable_key(KeyId=made.there_key)
    job = made.restore("locked-out-there")
    assert job["Status"] == "FAILED"
    assert "Disabled" in job["StatusMessage"]


def test_a_restore_never_overwrites_a_table(setup: Callable[[str], Setup], table: Callable[..., str]) -> None:
    made = setup("occupied")
    made.deploy()
    table("occupied-there", region=THERE)
    assert made.restore("occupied-there")["Status"] == "FAILED"


def test_a_disabled_key_stops_the_copies_and_says_why(setup: Callable[[str], Setup], client: Clients) -> None:
    made = setup("no-copy")
    client("kms", THERE).disable_key(KeyId=made.there_key)
    made.deploy()
    assert made.points("there") == []
    [job] = made.backup.list_copy_jobs(ByResourceArn=made.table_arn)["CopyJobs"]
    assert (job["State"], made.there_key in job["StatusMessage"]) == ("FAILED", True)


def test_an_on_demand_backup_copies_nothing(setup: Callable[[str], Setup]) -> None:
    made = setup("on-demand")
    arguments = {"BackupVaultName": "on-demand-here", "ResourceArn": made.table_arn, "IamRoleArn": ROLE}
    job = made.backup.start_backup_job(**arguments)["BackupJobId"]
    assert made.backup.describe_backup_job(BackupJobId=job)["State"] == "COMPLETED"
    assert made.points("there") == []


def test_a_vault_with_recovery_points_cannot_be_deleted(setup: Callable[[str], Setup]) -> None:
    made = setup("full")
    made.deploy()
    made.points("here")
    with pytest.raises(ClientError, match="has recovery points"):
        made.backup.delete_backup_vault(BackupVaultName="full-here")


def test_a_locked_vault_keeps_its_recovery_points(setup: Callable[[str], Setup]) -> None:
    made = setup("locked")
    made.deploy()
    point = made.points("here")[0]["RecoveryPointArn"]
    made.backup.put_backup_vault_lock_configuration(BackupVaultName="locked-here", MinRetentionDays=1)
    with pytest.raises(ClientError, match="locked"):
        made.backup.delete_recovery_point(BackupVaultName="locked-here", RecoveryPointArn=point)


def test_a_table_under_a_disabled_key_can_neither_be_read_nor_written(
    setup: Callable[[str], Setup], client: Clients
) -> None:
    made = setup("closed")
    client("kms").disable_key(KeyId=made.here_key)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client("dynamodb").scan(TableName="closed")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        made.write("late")


def test_a_table_under_a_disabled_key_says_so(setup: Callable[[str], Setup], client: Clients) -> None:
    made = setup("says-so")
    client("kms").disable_key(KeyId=made.here_key)
    status = client("dynamodb").describe_table(TableName="says-so")["Table"]["TableStatus"]
    assert status == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"


NEEDED = (
    "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob", "kms:Decrypt",
    "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant", "backup:DescribeBackupVault",
)  # fmt: skip
COPYING = ("backup:CopyFromBackupVault", "backup:CopyIntoBackupVault")


def test_a_role_with_what_is_documented_backs_up_and_copies(
    setup: Callable[[str], Setup], role: Callable[..., str]
) -> None:
    made = setup("fewest")
    made.deploy(role=role("fewest", "backup.amazonaws.com", [*NEEDED, *COPYING]))
    assert len(made.points("there")) == 1


@pytest.mark.parametrize("missing", NEEDED)
def test_a_role_that_lacks_a_right_backs_nothing_up(
    setup: Callable[[str], Setup], role: Callable[..., str], missing: str
) -> None:
    name = missing.replace(":", "-")
    made = setup(name)
    rights = [right for right in (*NEEDED, *COPYING) if right != missing]
    made.deploy(role=role(name, "backup.amazonaws.com", rights))
    assert made.points("here") == []
    jobs = made.backup.list_backup_jobs(ByResourceArn=made.table_arn)["BackupJobs"]
    assert missing in jobs[0]["StatusMessage"]


@pytest.mark.parametrize("missing", COPYING)
def test_a_role_that_lacks_a_right_copies_nothing(
    setup: Callable[[str], Setup], role: Callable[..., str], missing: str
) -> None:
    name = missing.replace(":", "-")
    made = setup(name)
    made.deploy(role=role(name, "backup.amazonaws.com", [*NEEDED, *(c for c in COPYING if c != missing)]))
    assert (len(made.points("here")), made.points("there")) == (1, [])


def test_a_role_that_trusts_another_service_backs_nothing_up(
    setup: Callable[[str], Setup], role: Callable[..., str]
) -> None:
    made = setup("untrusted")
    made.deploy(role=role("untrusted", "s3.amazonaws.com"))
    assert made.points("here") == []


def test_a_far_vault_whose_policy_denies_copies_gets_none(setup: Callable[[str], Setup]) -> None:
    made = setup("denied")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*"}
    made.far.put_backup_vault_access_policy(
        BackupVaultName="denied-there", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    made.deploy()
    assert (len(made.points("here")), made.points("there")) == (1, [])


@pytest.mark.parametrize(
    "missing", ["dynamodb:RestoreTableFromAwsBackup", "dynamodb:DescribeTable", "kms:Decrypt", "kms:CreateGrant"]
)
def test_a_restore_needs_each_right_of_its_role(
    setup: Callable[[str], Setup], role: Callable[..., str], missing: str
) -> None:
    name = f"restore-{missing.replace(':', '-')}"
    made = setup(name)
    made.deploy()
    needed = {"dynamodb:RestoreTableFromAwsBackup", "dynamodb:DescribeTable", "kms:Decrypt", "kms:GenerateDataKey"}
    rights = {*needed, "kms:DescribeKey", "kms:CreateGrant"}
    assert made.restore(f"{name}-ok", role(f"{name}-whole", "backup.amazonaws.com", sorted(rights)))["Status"] == (
        "COMPLETED"
    )
    job = made.restore(f"{name}-no", role(name, "backup.amazonaws.com", sorted(rights - {missing})))
    assert (job["Status"], missing in job["StatusMessage"]) == ("FAILED", True)
