"""A stack's feature store, as operators' code sees it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from common.errors import UserError
from common.target import REAL_CLOUD, Address, Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from ops.features import memorystore, rows
from ops.features.store import EMULATED, FeatureStore, serving_variables, write_rows

INSTANCE = "projects/p/locations/europe-west3/instances/features"
SECRET = "canary-auth-string"
REDIS = FeatureStore(FeatureStoreKind.REDIS, "features", "europe-west3", INSTANCE, {})


def table(name: str) -> FeatureStore:
    variables = {serving.FEATURES_TABLE: name, serving.FEATURES_REGION: "eu-central-1"}
    return FeatureStore(FeatureStoreKind.DYNAMODB, name, "eu-central-1", name, variables)


@pytest.fixture
def gcp(serve_memorystore: Callable[..., AbstractContextManager[Target]]) -> Iterator[Target]:
    with serve_memorystore(INSTANCE, "10.0.0.5", 6378, "CERTIFICATE", SECRET) as target:
        yield replace(target, addresses=lambda: {"10.0.0.5:6378": Address("127.0.0.1", 6378)})


def test_a_table_needs_no_secret() -> None:
    with serving_variables(table("t"), REAL_CLOUD) as variables:
        assert variables == {
            "SEAWALL_FEATURES_KIND": "dynamodb",
            "SEAWALL_FEATURES_TABLE": "t",
            "SEAWALL_FEATURES_REGION": "eu-central-1",
            "SEAWALL_FEATURES_TIMEOUT_MS": "1000",
        }


def test_a_server_on_this_machine_finds_the_emulated_table_and_not_the_networks_endpoint() -> None:
    local = Target("local", "emulated", aws_endpoint_url="http://127.0.0.1:5")
    door = {serving.DYNAMODB_ENDPOINT: "https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com"}
    stored = replace(table("t"), environment={**table("t").environment, **door})
    with serving_variables(stored, local) as variables:
        assert variables[serving.DYNAMODB_ENDPOINT] == "http://127.0.0.1:5"


def test_a_redis_secret_is_a_private_file_that_goes_with_the_block(gcp: Target) -> None:
    with serving_variables(REDIS, gcp) as variables:
        auth = Path(variables["SEAWALL_FEATURES_AUTH_FILE"])
        assert auth.read_text() == SECRET
        assert stat.S_IMODE(auth.stat().st_mode) == 0o600
        assert SECRET not in json.dumps(variables)
    assert not auth.exists()


def test_the_secret_is_not_part_of_a_printed_value(gcp: Target) -> None:
    assert SECRET not in repr(memorystore.ask_access(INSTANCE, gcp))


def test_an_instance_that_does_not_exist_is_a_plain_error_without_secrets(gcp: Target) -> None:
    with pytest.raises(UserError, match="Memorystore refused"):
        memorystore.ask_access("projects/p/locations/l/instances/no", gcp)


def test_an_address_that_the_local_cloud_does_not_have_is_never_looked_for_elsewhere(gcp: Target) -> None:
    with pytest.raises(UserError, match="nothing at this address"):
        memorystore.ask_access(INSTANCE, replace(gcp, addresses=dict))


def test_rows_are_written_as_the_lookup_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        assert write_rows(table("t"), REAL_CLOUD, {"a": (1.5, 2.0)}, ttl_hours=1) == 1
        item = client.get_item(TableName="t", Key={"entity_id": {"S": "a"}}).get("Item", {})
    assert item["features"] == {"S": "[1.5, 2.0]"}
    assert int(item["expires_at"].get("N", 0)) > 1_700_000_000


def test_a_table_that_does_not_exist_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws(), pytest.raises(UserError, match="DynamoDB refused"):
        write_rows(table("no"), REAL_CLOUD, {"a": (1.0,)})


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"entities": {"a": ["x"]}}'])
def test_a_damaged_file_of_rows_is_a_plain_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "rows.json").write_text(content)
    with pytest.raises(UserError):
        rows.load_rows(tmp_path / "rows.json")


@pytest.mark.parametrize("kind", sorted(set(FeatureStoreKind) - set(EMULATED)))
def test_a_local_cloud_that_only_records_a_store_is_never_asked_for_its_rows(kind: FeatureStoreKind) -> None:
    local = Target("local", "emulated", gcp_endpoint_url="http://127.0.0.1:1")
    store = FeatureStore(kind, "features", "europe-west1", "features", {})
    with pytest.raises(UserError, match=f"only records a {kind} feature store"), serving_variables(store, local):
        pass
