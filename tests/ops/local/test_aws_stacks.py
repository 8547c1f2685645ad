"""The AWS stacks under the real engine: unchanged, without drift, protected, recoverable, and gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from common.console import Steps
from common.errors import UserError
from components.contracts.backup import tiers
from localcloud.aws.emulator import AwsEmulator
from ops.deployed import read_outputs
from ops.local.session import LocalCloud, open_local
from stacks.outputs import StackOutputs
from stacks.settings import Settings

pytestmark = pytest.mark.engine

STACK = "dev-aws"


@pytest.fixture(scope="module")
def home(deployed: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of local stacks in which the stack is deployed."""
    return deployed(STACK, tmp_path_factory.mktemp("stacks"))


@pytest.fixture
def opened(home: Path) -> Iterator[LocalCloud]:
    """The deployed stack, whose changes are not kept."""
    with open_local(STACK, Steps(), home=home, keep=False) as local:
        yield local


def outputs_of(local: LocalCloud) -> StackOutputs:
    return read_outputs(STACK, local.outputs(), "local")


def client(local: LocalCloud, service: str, *, backup: bool = False) -> Any:
    """A client in the stack's region, or in its backup region."""
    place = local.settings.place
    make: Any = boto3.client  # typed for literal service names alone
    return make(
        service,
        region_name=place.backup_region if backup else place.region,
        endpoint_url=local.target.aws_endpoint_url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def settle(local: LocalCloud) -> None:
    """Wait for replication."""
    emulator = local.emulator
    assert isinstance(emulator, AwsEmulator)
    emulator.settle()


def test_a_second_preview_is_empty(opened: LocalCloud) -> None:
    assert opened.preview(expect_no_changes=True).is_empty


def test_a_refresh_finds_no_drift(opened: LocalCloud) -> None:
    assert opened.refresh().is_empty


def test_a_refresh_finds_every_setting_that_was_changed_by_hand(opened: LocalCloud) -> None:
    outputs = outputs_of(opened)
    bucket, table = outputs.model_bucket.name, outputs.feature_store.name
    s3, dynamodb = client(opened, "s3"), client(opened, "dynamodb")
    rules = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    rules["Rules"][0]["Status"] = "Disabled"
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=rules)
    s3.delete_public_access_block(Bucket=bucket)
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    client(opened, "kms").disable_key(KeyId=outputs.model_bucket.key)
    found = {(c.type.rsplit(":", 1)[-1], c.op) for c in opened.refresh().changes}
    assert found == {
        ("BucketReplicationConfig", "update"),
        ("BucketPublicAccessBlock", "delete"),
        ("Table", "update"),
        ("Key", "update"),
    }


def test_a_destroy_names_what_is_protected(opened: LocalCloud) -> None:
    with pytest.raises(UserError, match="are protected") as refused:
        opened.destroy()
    assert {"models", "replica", "features", "cluster", "primary"} <= set(
        refused.value.what.replace(",", " ").split()
    )


def test_the_cloud_itself_protects_the_table_too(opened: LocalCloud) -> None:
    opened._guarded(lambda: opened._pulumi("state", "unprotect", "--all", "--yes"))
    with pytest.raises(UserError, match="destroy failed"):
        opened.destroy()
    names = client(opened, "dynamodb").list_tables()["TableNames"]
    assert names == [opened.settings.place.name("features")]


def test_an_unprotected_destroy_leaves_nothing(opened: LocalCloud) -> None:
    bucket = outputs_of(opened).model_bucket.name
    client(opened, "s3").put_object(Bucket=bucket, Key="model", Body=b"weights")
    settle(opened)
    opened.destroy(unprotect=True)
    tables = client(opened, "dynamodb").list_tables()["TableNames"]
    buckets = client(opened, "s3").list_buckets()["Buckets"]
    assert (opened.resources(), buckets, tables) == ([], [], [])


def test_the_deployed_rule_fills_the_replica(opened: LocalCloud) -> None:
    outputs = outputs_of(opened)
    client(opened, "s3").put_object(Bucket=outputs.model_bucket.name, Key="releases/v1/model", Body=b"weights")
    settle(opened)
    far = client(opened, "s3", backup=True)
    copy = far.get_object(Bucket=outputs.model_replica.name, Key="releases/v1/model")
    assert (copy["Body"].read(), copy["SSEKMSKeyId"]) == (b"weights", outputs.model_replica.key)


def test_each_rule_of_the_deployed_plan_copies_the_table_to_the_backup_region_for_its_days(
    opened: LocalCloud,
) -> None:
    outputs = outputs_of(opened)
    item = {"entity_id": {"S": "1"}}
    client(opened, "dynamodb").put_item(TableName=outputs.feature_store.name, Item=item)
    far = client(opened, "backup", backup=True)
    far.list_recovery_points_by_backup_vault(BackupVaultName=outputs.backup.vault)  # what is due, begins
    settle(opened)
    points = far.list_recovery_points_by_backup_vault(BackupVaultName=outputs.backup.vault)["RecoveryPoints"]
    assert isinstance(opened.settings, Settings)
    kept = [tier.keep_days for tier in tiers(opened.settings.backup)]
    assert {p["ResourceName"] for p in points} == {outputs.feature_store.name}
    assert sorted(p["Lifecycle"]["DeleteAfterDays"] for p in points) == sorted(kept)
    assert len({p["CreatedBy"]["BackupRuleId"] for p in points}) == len(kept)


@pytest.mark.parametrize("stack", ["staging-aws", "prod-aws"])
def test_the_other_stacks_come_up_stay_unchanged_and_go(stack: str, tmp_path: Path) -> None:
    with open_local(stack, Steps(), home=tmp_path, keep=False) as local:
        local.up()
        assert local.preview(expect_no_changes=True).is_empty
        assert local.refresh().is_empty
        local.destroy(unprotect=True)
        assert local.resources() == []
