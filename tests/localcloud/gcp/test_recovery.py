"""What recovery rests on, with real servers: transfers, exports, imports, lost keys, and state that survives."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from common.errors import UserError
from common.gcp_api import GcpError
from localcloud.gcp.server import OBJECTS

pytestmark = pytest.mark.engine

PROJECT = "acme"
REGION = "europe-west1"
FAR = "europe-north1"
INSTANCE = f"projects/{PROJECT}/locations/{REGION}/instances/features"


class Cache:
    """The instance `features` as a program of the stack sees it."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud

    def client(self) -> redis.Redis:
        api = self._cloud.api
        instance = api.get("redis", f"v1/{INSTANCE}")
        where = self._cloud.emulator.target().resolve(instance["host"], instance["port"])
        password = api.get("redis", f"v1/{INSTANCE}/authString")["authString"]
        return redis.Redis(
            host=where.host,
            port=where.port,
            password=password,
            ssl=True,
            ssl_ca_certs=where.ca_file,
            decode_responses=True,
        )

    def set(self, **entries: str) -> None:
        with self.client() as client:
            client.mset(entries)

    def keys(self) -> list[str]:
        with self.client() as client:
            return sorted(str(k) for k in client.scan_iter())

    def call(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._cloud.api.wait("redis", self._cloud.api.post("redis", f"v1/{INSTANCE}:{verb}", body))

    def export(self, uri: str) -> dict[str, Any]:
        return self.call("export", {"outputConfig": {"gcsDestination": {"uri": uri}}})

    def import_(self, uri: str) -> dict[str, Any]:
        return self.call("import", {"inputConfig": {"gcsSource": {"uri": uri}}})


@pytest.fixture
def key(cloud: Any) -> str:
    return cloud.make_key(REGION)


@pytest.fixture
def cache(cloud: Any, key: str) -> Cache:
    body = {
        "tier": "STANDARD_HA",
        "memorySizeGb": 1,
        "authEnabled": True,
        "transitEncryptionMode": "SERVER_AUTHENTICATION",
        "customerManagedKey": key,
        "redisConfigs": {"maxmemory-policy": "volatile-ttl"},
    }
    parent = INSTANCE.rsplit("/instances/", 1)[0]
    cloud.api.wait("redis", cloud.api.post("redis", f"v1/{parent}/instances", body, {"instanceId": "features"}))
    return Cache(cloud)


@pytest.fixture
def exports(cloud: Any, cache: Cache) -> Any:
    """A bucket far away that the instance may write to."""
    cloud.make_bucket("exports", FAR, cloud.make_key(FAR))
    identity = cloud.api.get("redis", f"v1/{INSTANCE}")["persistenceIamIdentity"]
    cloud.grant("exports", identity, "roles/storage.objectUser", "roles/storage.legacyBucketReader")
    return cloud.api.storage_client().bucket("exports")


@pytest.fixture
def buckets(cloud: Any, key: str) -> tuple[Any, Any]:
    """A bucket, and one far away."""
    cloud.make_bucket("models-near", REGION, key)
    cloud.make_bucket("models-far", FAR, cloud.make_key(FAR))
    client = cloud.api.storage_client()
    return client.bucket("models-near"), client.bucket("models-far")


def deploy_job(cloud: Any, **changes: Any) -> None:
    spec = {
        "gcsDataSource": {"bucketName": "models-near"},
        "gcsDataSink": {"bucketName": "models-far"},
        "transferOptions": {"overwriteWhen": "DIFFERENT"},
    }
    job = {"name": "transferJobs/copy", "projectId": PROJECT, "transferSpec": spec, "description": "copy", **changes}
    cloud.api.post("storagetransfer", "v1/transferJobs", job)


def run_job(cloud: Any) -> dict[str, Any]:
    begun = cloud.api.post("storagetransfer", "v1/transferJobs/copy:run", {"projectId": PROJECT})
    return cloud.api.wait("storagetransfer", begun)["metadata"]


def names(bucket: Any) -> list[str]:
    return [b.name for b in bucket.list_blobs()]


def test_a_transfer_copies_what_is_new_and_says_how_much(cloud: Any, buckets: tuple[Any, Any]) -> None:
    near, far = buckets
    cloud.grant_transfer("models-near", "models-far")
    near.blob("a").upload_from_string(b"12345")
    far.blob("only-far").upload_from_string(b"x")
    deploy_job(cloud)
    counters = run_job(cloud)["counters"]
    assert (names(far), counters["bytesCopiedToSink"]) == (["a", "only-far"], "5")


def test_a_second_transfer_copies_nothing(cloud: Any, buckets: tuple[Any, Any]) -> None:
    cloud.grant_transfer("models-near", "models-far")
    buckets[0].blob("a").upload_from_string(b"1")
    deploy_job(cloud)
    run_job(cloud)
    assert run_job(cloud)["counters"]["objectsCopiedToSink"] == "0"


def test_a_disabled_job_does_not_run(cloud: Any, buckets: tuple[Any, Any]) -> None:
    cloud.grant_transfer("models-near", "models-far")
    buckets[0].blob("a").upload_from_string(b"1")
    deploy_job(cloud, status="DISABLED")
    with pytest.raises(GcpError, match="DISABLED"):
        run_job(cloud)
    assert names(buckets[1]) == []


def test_a_job_without_rights_is_refused(cloud: Any, buckets: tuple[Any, Any]) -> None:
    with pytest.raises(GcpError, match="service agent lacks rights"):
        deploy_job(cloud)


def test_a_transfer_from_under_a_disabled_key_fails(cloud: Any, buckets: tuple[Any, Any], key: str) -> None:
    cloud.grant_transfer("models-near", "models-far")
    buckets[0].blob("a").upload_from_string(b"1")
    deploy_job(cloud)
    cloud.set_state(key, "DISABLED")
    with pytest.raises(GcpError, match="KMS key is disabled"):
        run_job(cloud)


def test_an_export_can_be_imported_again(cache: Cache, exports: Any) -> None:
    cache.set(early="1")
    cache.export("gs://exports/features.rdb")
    cache.set(late="2")
    cache.import_("gs://exports/features.rdb")
    assert cache.keys() == ["early"]


def test_a_broken_export_fails_the_import_and_harms_nothing(cache: Cache, exports: Any) -> None:
    cache.set(early="1")
    cache.export("gs://exports/features.rdb")
    data = bytearray(exports.blob("features.rdb").download_as_bytes())
    data[-3] ^= 0xFF
    exports.blob("broken.rdb").upload_from_string(bytes(data))
    with pytest.raises(GcpError, match="cannot be imported"):
        cache.import_("gs://exports/broken.rdb")
    assert cache.keys() == ["early"]


def test_an_export_to_a_bucket_without_rights_fails(cloud: Any, cache: Cache) -> None:
    cloud.make_bucket("foreign", FAR)
    with pytest.raises(GcpError, match="lacks access"):
        cache.export("gs://foreign/features.rdb")


def test_without_the_password_nobody_is_let_in(cloud: Any, cache: Cache) -> None:
    instance = cloud.api.get("redis", f"v1/{INSTANCE}")
    where = cloud.emulator.target().resolve(instance["host"], instance["port"])
    with (
        redis.Redis(host=where.host, port=where.port, ssl=True, ssl_ca_certs=where.ca_file) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


@pytest.mark.parametrize("command", ["CONFIG GET maxmemory", "SAVE", "SHUTDOWN NOSAVE"])
def test_commands_that_memorystore_blocks_are_blocked(cache: Cache, command: str) -> None:
    with cache.client() as client, pytest.raises(redis.ResponseError, match=r"permissions|NOPERM"):
        client.execute_command(*command.split())


def test_an_instance_whose_key_is_disabled_is_suspended(cloud: Any, cache: Cache, key: str) -> None:
    cloud.set_state(key, "DISABLED")
    instance = cloud.api.get("redis", f"v1/{INSTANCE}")
    with pytest.raises(redis.ConnectionError):
        cache.keys()
    assert instance["suspensionReasons"] == ["CUSTOMER_MANAGED_KEY_ISSUE"]


def test_an_instance_comes_back_with_its_key(cloud: Any, cache: Cache, key: str) -> None:
    cache.set(kept="1")
    cloud.set_state(key, "DISABLED")
    cloud.set_state(key, "ENABLED")
    assert cache.keys() == ["kept"]


def test_everything_survives_a_stop_and_a_start(cloud: Any, cache: Cache, buckets: tuple[Any, Any]) -> None:
    blob = buckets[0].blob("a")
    blob.upload_from_string(b"old")
    old = blob.generation
    buckets[0].blob("a").upload_from_string(b"new")
    cache.set(kept="1")
    cloud.restart()
    near = cloud.api.storage_client().bucket("models-near")
    found = near.get_blob("a")
    assert (found.download_as_bytes(), found.kms_key_name, near.blob("a", generation=old).download_as_bytes()) == (
        b"new",
        f"projects/{PROJECT}/locations/{REGION}/keyRings/ring/cryptoKeys/data/cryptoKeyVersions/1",
        b"old",
    )
    assert cache.keys() == ["kept"]


def test_a_suspended_instance_survives_a_stop_and_a_start(cloud: Any, cache: Cache, key: str) -> None:
    cache.set(kept="1")
    cloud.set_state(key, "DISABLED")
    cloud.restart()
    cloud.set_state(key, "ENABLED")
    assert cache.keys() == ["kept"]


def test_a_snapshot_is_not_changed_by_what_comes_after(cloud: Any, buckets: tuple[Any, Any], tmp_path: Path) -> None:
    buckets[0].blob("a").upload_from_string(b"then")
    cloud.restart()
    cloud.api.storage_client().bucket("models-near").blob("a").upload_from_string(b"now")
    assert (tmp_path / "snapshot-1" / OBJECTS / "models-near" / "a").read_bytes() == b"then"


def test_a_killed_server_is_named(cloud: Any, cache: Cache) -> None:
    with cache.client() as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(UserError, match="redis-server of features was killed by SIGKILL"):
        for _ in range(100):
            cloud.emulator.check()
            time.sleep(0.05)
