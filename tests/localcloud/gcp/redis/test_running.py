"""Instances that run: their exports, their password, their keys."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from common.gcp_api import GcpError

pytestmark = pytest.mark.engine

PROJECT = "acme"
REGION = "europe-west1"
FAR = "europe-north1"
INSTANCE = f"projects/{PROJECT}/locations/{REGION}/instances/features"


@pytest.fixture
def exports(cloud: Any, cache: Any) -> Any:
    """A bucket far away that the instance may write to."""
    cloud.make_bucket("exports", FAR, cloud.make_key(FAR))
    identity = cloud.api.get("redis", f"v1/{INSTANCE}")["persistenceIamIdentity"]
    cloud.grant("exports", identity, "roles/storage.objectUser", "roles/storage.legacyBucketReader")
    return cloud.api.storage_client().bucket("exports")


def test_an_export_can_be_imported_again(cache: Any, exports: Any) -> None:
    cache.set(early="1")
    cache.export("gs://exports/features.rdb")
    cache.set(late="2")
    cache.import_("gs://exports/features.rdb")
    assert cache.keys() == ["early"]


def test_a_broken_export_fails_the_import_and_harms_nothing(cache: Any, exports: Any) -> None:
    cache.set(early="1")
    cache.export("gs://exports/features.rdb")
    data = bytearray(exports.blob("features.rdb").download_as_bytes())
    data[-3] ^= 0xFF
    exports.blob("broken.rdb").upload_from_string(bytes(data))
    with pytest.raises(GcpError, match="cannot be imported"):
        cache.import_("gs://exports/broken.rdb")
    assert cache.keys() == ["early"]


def test_an_export_to_a_bucket_without_rights_fails(cloud: Any, cache: Any) -> None:
    cloud.make_bucket("foreign", FAR)
    with pytest.raises(GcpError, match=r"lacks storage\.buckets\.get"):
        cache.export("gs://foreign/features.rdb")


def test_without_the_password_nobody_is_let_in(cloud: Any, cache: Any) -> None:
    instance = cloud.api.get("redis", f"v1/{INSTANCE}")
    where = cloud.target.resolve(instance["host"], instance["port"])
    with (
        redis.Redis(host=where.host, port=where.port, ssl=True, ssl_ca_certs=where.ca_file) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


@pytest.mark.parametrize("command", ["CONFIG GET maxmemory", "SAVE", "SHUTDOWN NOSAVE"])
def test_commands_that_memorystore_blocks_are_blocked(cache: Any, command: str) -> None:
    with cache.client() as client, pytest.raises(redis.ResponseError, match=r"permissions|NOPERM"):
        client.execute_command(*command.split())


def test_an_instance_whose_key_is_disabled_is_suspended(cloud: Any, cache: Any, cloud_key: str) -> None:
    cloud.set_state(cloud_key, "DISABLED")
    instance = cloud.api.get("redis", f"v1/{INSTANCE}")
    with pytest.raises(redis.ConnectionError):
        cache.keys()
    assert instance["suspensionReasons"] == ["CUSTOMER_MANAGED_KEY_ISSUE"]


def test_an_instance_comes_back_with_its_key(cloud: Any, cache: Any, cloud_key: str) -> None:
    cache.set(kept="1")
    cloud.set_state(cloud_key, "DISABLED")
    cloud.set_state(cloud_key, "ENABLED")
    assert cache.keys() == ["kept"]
