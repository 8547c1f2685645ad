"""The AWS emulator keeps its data over a restart, serves one user, and says why it died."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from common.errors import UserError
from localcloud.aws.emulator import AwsEmulator

Clients = Callable[..., Any]


def test_a_snapshot_brings_back_objects_items_keys_and_recovery_points(
    emulator: AwsEmulator,
    client: Clients,
    bucket: Callable[[str, str], str],
    table: Callable[..., str],
    tmp_path: Path,
    another_emulator: Callable[[Path | None], tuple[AwsEmulator, Clients]],
) -> None:
    key = bucket("kept", "eu-west-1")
    client("s3").put_object(Bucket="kept", Key="k", Body=b"weights")
    client("dynamodb").put_item(TableName=table("kept") and "kept", Item={"entity_id": {"S": "1"}})
    backup = client("backup")
    backup.create_backup_vault(BackupVaultName="kept")
    arn = client("dynamodb").describe_table(TableName="kept")["Table"]["TableArn"]
    role = "arn:aws:iam::111122223333:role/backup"
    backup.start_backup_job(BackupVaultName="kept", ResourceArn=arn, IamRoleArn=role)
    secret = client("kms").encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    (tmp_path / "snapshot").mkdir()
    emulator.save(tmp_path / "snapshot")
    _, again = another_emulator(tmp_path / "snapshot")
    assert again("s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"weights"
    assert again("dynamodb").scan(TableName="kept")["Count"] == 1
    assert len(again("backup").list_recovery_points_by_backup_vault(BackupVaultName="kept")["RecoveryPoints"]) == 1
    assert again("kms").decrypt(CiphertextBlob=secret)["Plaintext"] == b"p"


def test_a_broken_snapshot_is_refused_with_its_name(
    tmp_path: Path, another_emulator: Callable[[Path | None], tuple[AwsEmulator, Clients]]
) -> None:
    (tmp_path / "aws.pickle").write_bytes(b"half a snaps")
    with pytest.raises(UserError, match=r"aws\.pickle cannot be read"):
        another_emulator(tmp_path)


def test_a_killed_emulator_is_told_of_with_a_remedy(
    another_emulator: Callable[[Path | None], tuple[AwsEmulator, Clients]],
) -> None:
    emulator, _ = another_emulator(None)
    assert emulator.pid is not None
    os.kill(emulator.pid, signal.SIGKILL)
    with pytest.raises(UserError, match="was killed by SIGKILL") as told:
        wait_for(emulator.check)
    assert "seawall local down dev-aws --force" in told.value.remedy


def test_only_the_command_that_started_it_may_save_it(emulator: AwsEmulator, tmp_path: Path) -> None:
    url = f"{emulator.target().aws_endpoint_url}/_seawall/save"
    answer = requests.post(url, params={"into": str(tmp_path / "stolen")}, timeout=10)
    assert (answer.status_code, (tmp_path / "stolen").exists()) == (403, False)


def test_it_listens_on_loopback_alone(emulator: AwsEmulator) -> None:
    assert str(emulator.target().aws_endpoint_url).startswith("http://127.0.0.1:")


def test_stopping_twice_is_no_error(
    another_emulator: Callable[[Path | None], tuple[AwsEmulator, Clients]],
) -> None:
    emulator, _ = another_emulator(None)
    emulator.stop()
    emulator.stop()


def test_a_disabled_key_neither_encrypts_nor_decrypts(client: Clients, key: Callable[[str], str]) -> None:
    arn = key("eu-west-1")
    blob = client("kms").encrypt(KeyId=arn, Plaintext=b"p")["CiphertextBlob"]
    client("kms").disable_key(KeyId=arn)
    for call, arguments in (
        ("encrypt", {"KeyId": arn, "Plaintext": b"p"}),
        ("decrypt", {"CiphertextBlob": blob}),
        ("generate_data_key", {"KeyId": arn, "KeySpec": "AES_256"}),
    ):
        with pytest.raises(ClientError, match="DisabledException"):
            getattr(client("kms"), call)(**arguments)


def wait_for(check: Callable[[], None]) -> None:
    """Call `check` until it raises, for at most five seconds."""
    for _ in range(100):
        check()
        time.sleep(0.05)


def test_a_condition_key_that_the_judge_does_not_know_is_told(
    another_emulator: Callable[[Path | None], tuple[AwsEmulator, Clients]],
) -> None:
    emulator, clients = another_emulator(None)
    assert emulator.unknown_condition_keys() == []
    s3 = clients("s3")
    s3.create_bucket(Bucket="asks-much", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    condition = {"StringEquals": {"aws:PhaseOfTheMoon": "full"}}
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::asks-much/*",
        "Condition": condition,
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="asks-much", Policy=policy)
    s3.put_object(Bucket="asks-much", Key="k", Body=b"x")
    with pytest.raises(ClientError):
        s3.get_object(Bucket="asks-much", Key="k")
    assert emulator.unknown_condition_keys() == ["aws:PhaseOfTheMoon"]
