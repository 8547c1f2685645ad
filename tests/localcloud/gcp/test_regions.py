"""A lost region: nothing in it answers, and everything elsewhere does."""

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
EXPORTER = f"projects/{PROJECT}/locations/{REGION}/jobs/export"
IN_REGION = (
    ("GET", "storage", "storage/v1/b/models"),
    ("GET", "storage", "storage/v1/b/models/iam"),
    ("GET", "storage", "storage/v1/b/models/o"),
    ("GET", "storage", "storage/v1/b/models/o/a?alt=media"),
    ("POST", "storage", "storage/v1/b/models/o/a/rewriteTo/b/replica/o/a"),
    ("POST", "storage", f"storage/v1/b?project={PROJECT}"),
    ("GET", "redis", f"v1/{INSTANCE}"),
    ("GET", "redis", f"v1/{INSTANCE}/authString"),
    ("GET", "kms", f"v1/projects/{PROJECT}/locations/{REGION}/keyRings/ring/cryptoKeys/data"),
    ("GET", "cloudscheduler", f"v1/{EXPORTER}"),
    ("POST", "cloudscheduler", f"v1/{EXPORTER}:run"),
)


@pytest.fixture
def lost(cloud: Any, cache: Any, cloud_key: str) -> dict[str, str]:
    """A stack in miniature whose primary region is lost: its names."""
    far_key = cloud.make_key(FAR)
    source, sink = cloud.make_bucket("models", REGION, cloud_key), cloud.make_bucket("replica", FAR, far_key)
    for bucket in (source, sink):
        cloud.api.storage_client().bucket(bucket).blob("a").upload_from_string(b"bytes")
    cloud.grant_transfer(source, sink)
    spec = {"gcsDataSource": {"bucketName": source}, "gcsDataSink": {"bucketName": sink}}
    cloud.api.post(
        "storagetransfer",
        "v1/transferJobs",
        {"name": "transferJobs/copy", "projectId": PROJECT, "transferSpec": spec},
    )
    cloud.api.post(
        "cloudscheduler",
        f"v1/projects/{PROJECT}/locations/{REGION}/jobs",
        {"name": EXPORTER, "schedule": "0 * * * *", "httpTarget": {"uri": "https://redis.googleapis.com/v1/x"}},
    )
    cache.set(row="1")
    cloud.emulator.lose_region(REGION)
    return {"key": cloud_key, "far_key": far_key}


def test_nothing_in_a_lost_region_answers(cloud: Any, lost: dict[str, str]) -> None:
    assert {call: _code(cloud.api, *call) for call in IN_REGION} == dict.fromkeys(IN_REGION, 503)


def _code(api: Any, method: str, service: Any, path: str) -> int:
    try:
        api.call(method, service, path, {"name": "new", "location": REGION} if method == "POST" else None)
    except GcpError as refused:
        return refused.code
    return 200


def test_instances_of_a_lost_region_hang_up(cloud: Any, lost: dict[str, str]) -> None:
    where = next(iter(cloud.target.addresses().values()))
    with pytest.raises(redis.ConnectionError):
        redis.Redis(host=where.host, port=where.port).ping()


def test_what_is_elsewhere_still_answers(cloud: Any, lost: dict[str, str]) -> None:
    assert cloud.api.storage_client().bucket("replica").blob("a").download_as_bytes() == b"bytes"
    assert cloud.api.get("kms", f"v1/{lost['far_key']}")["primary"]["state"] == "ENABLED"
    listed = cloud.api.get("storage", "storage/v1/b", {"project": PROJECT})
    assert [b["name"] for b in listed["items"]] == ["replica"]
    assert listed["unreachable"] == ["projects/_/buckets/models"]


def test_a_transfer_from_a_lost_region_fails(cloud: Any, lost: dict[str, str]) -> None:
    run = cloud.api.post("storagetransfer", "v1/transferJobs/copy:run", {"projectId": PROJECT})
    with pytest.raises(GcpError, match=f"{REGION} does not answer"):
        cloud.api.wait("storagetransfer", run)


def test_a_region_that_is_restored_answers_with_what_it_held(cloud: Any, cache: Any, lost: dict[str, str]) -> None:
    cloud.emulator.restore_region(REGION)
    assert cache.keys() == ["row"]
    assert cloud.api.storage_client().bucket("models").blob("a").download_as_bytes() == b"bytes"


def test_a_loss_is_part_of_a_snapshot(cloud: Any, cache: Any, lost: dict[str, str]) -> None:
    cloud.restart()
    cloud.emulator.check()
    with pytest.raises(GcpError):
        cloud.api.get("redis", f"v1/{INSTANCE}")
    cloud.emulator.restore_region(REGION)
    assert cache.keys() == ["row"]
