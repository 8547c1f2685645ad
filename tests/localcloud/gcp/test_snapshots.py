"""What survives a stop and a start, and what a snapshot keeps; with real servers."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from common.errors import UserError

pytestmark = pytest.mark.engine

PROJECT = "acme"
REGION = "europe-west1"
FAR = "europe-north1"


@pytest.fixture
def buckets(cloud: Any, cloud_key: str) -> tuple[Any, Any]:
    """A bucket, and one far away."""
    cloud.make_bucket("models-near", REGION, cloud_key)
    cloud.make_bucket("models-far", FAR, cloud.make_key(FAR))
    client = cloud.api.storage_client()
    return client.bucket("models-near"), client.bucket("models-far")


def test_everything_survives_a_stop_and_a_start(cloud: Any, cache: Any, buckets: tuple[Any, Any]) -> None:
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


def test_a_suspended_instance_survives_a_stop_and_a_start(cloud: Any, cache: Any, cloud_key: str) -> None:
    cache.set(kept="1")
    cloud.set_state(cloud_key, "DISABLED")
    cloud.restart()
    cloud.set_state(cloud_key, "ENABLED")
    assert cache.keys() == ["kept"]


def test_a_snapshot_is_not_changed_by_what_comes_after(cloud: Any, buckets: tuple[Any, Any]) -> None:
    buckets[0].blob("a").upload_from_string(b"then")
    snapshot = cloud.restart()
    cloud.api.storage_client().bucket("models-near").blob("a").upload_from_string(b"now")
    cloud.restart(snapshot)
    assert cloud.api.storage_client().bucket("models-near").blob("a").download_as_bytes() == b"then"


def test_an_emulator_that_is_killed_goes_back_to_its_snapshot(cloud: Any, buckets: tuple[Any, Any]) -> None:
    buckets[0].blob("a").upload_from_string(b"then")
    snapshot = cloud.restart()
    near = cloud.api.storage_client().bucket("models-near")
    near.blob("a").upload_from_string(b"now")
    near.blob("b").upload_from_string(b"then")  # the same bytes, which the snapshot has too
    os.kill(cloud.emulator.pid, signal.SIGKILL)
    cloud.restart(snapshot)
    near = cloud.api.storage_client().bucket("models-near")
    assert {b.name: b.download_as_bytes() for b in near.list_blobs(versions=True)} == {"a": b"then"}


def test_a_killed_server_is_named(cloud: Any, cache: Any) -> None:
    with cache.client() as client:
        pid = int(client.info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(UserError, match="redis-server of features was killed by SIGKILL"):
        for _ in range(100):
            cloud.emulator.check()
            time.sleep(0.05)
