"""Point-in-time recovery of the emulated DynamoDB: rows as they were at the second that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

Clients = Callable[..., Any]


@pytest.fixture
def table(client: Clients, key: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """A table with point-in-time recovery under a key of its own, by its name."""
    name = request.node.name.replace("[", "-").replace("]", "")[-100:]
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key("eu-west-1")},
    )
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return name


def write(dynamodb: Any, table: str, value: str) -> None:
    dynamodb.put_item(TableName=table, Item={"entity_id": {"S": "a"}, "features": {"S": value}})


def rows(dynamodb: Any, table: str) -> list[str]:
    return [item["features"]["S"] for item in dynamodb.scan(TableName=table)["Items"]]


def next_second() -> datetime:
    """Wait for the next second; the moment before it."""
    last = datetime.now(UTC).replace(microsecond=0)
    time.sleep((last + timedelta(seconds=1) - datetime.now(UTC)).total_seconds() + 0.01)
    return last


def test_a_table_comes_back_as_it_was_at_that_second(client: Clients, table: str) -> None:
    dynamodb = client("dynamodb")
    write(dynamodb, table, "good")
    good = next_second()
    write(dynamodb, table, "harm")
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=f"{table}-old", RestoreDateTime=good
    )
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=f"{table}-new", UseLatestRestorableTime=True
    )
    assert (rows(dynamodb, f"{table}-old"), rows(dynamodb, f"{table}-new")) == (["good"], ["harm"])


def test_a_restored_table_has_the_originals_key_and_no_recovery_of_its_own(client: Clients, table: str) -> None:
    dynamodb = client("dynamodb")
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=f"{table}-new", UseLatestRestorableTime=True
    )
    keys = [
        dynamodb.describe_table(TableName=name)["Table"]["SSEDescription"]["KMSMasterKeyArn"]
        for name in (table, f"{table}-new")
    ]
    backups = dynamodb.describe_continuous_backups(TableName=f"{table}-new")["ContinuousBackupsDescription"]
    assert keys[0] == keys[1]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"


@pytest.mark.parametrize("asked", [timedelta(days=-1), timedelta(days=1)], ids=["before it was on", "to come"])
def test_a_time_that_is_not_kept_is_refused(client: Clients, table: str, asked: timedelta) -> None:
    with pytest.raises(ClientError, match="InvalidRestoreTime"):
        client("dynamodb").restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=f"{table}-new", RestoreDateTime=datetime.now(UTC) + asked
        )


def test_a_table_without_recovery_is_not_restored(client: Clients, table: str) -> None:
    dynamodb = client("dynamodb")
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    with pytest.raises(ClientError, match="PointInTimeRecoveryUnavailable"):
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=f"{table}-new", UseLatestRestorableTime=True
        )


def test_a_table_whose_key_is_off_is_not_restored(client: Clients, table: str) -> None:
    dynamodb = client("dynamodb")
    key = dynamodb.describe_table(TableName=table)["Table"]["SSEDescription"]["KMSMasterKeyArn"]
    client("kms").disable_key(KeyId=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=f"{table}-new", UseLatestRestorableTime=True
        )


def test_what_a_table_held_outlives_the_emulator(
    client: Clients, table: str, emulator: Any, another_emulator: Callable[..., Any], tmp_path: Path
) -> None:
    dynamodb = client("dynamodb")
    write(dynamodb, table, "good")
    good = next_second()
    write(dynamodb, table, "harm")
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    emulator.save(snapshot)
    _, clients = another_emulator(snapshot)
    clients("dynamodb").restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=f"{table}-old", RestoreDateTime=good
    )
    assert rows(clients("dynamodb"), f"{table}-old") == ["good"]
