"""Transfers that are run: what arrives, and what stops them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from common.gcp_api import GcpError

PROJECT = "acme"
REGION = "europe-west1"
FAR = "europe-north1"


@dataclass(frozen=True)
class Copying:
    """A bucket, one far away, and a job from one to the other."""

    cloud: Any
    key: str
    near: Any
    far: Any

    def grant(self) -> None:
        self.cloud.grant_transfer(self.near.name, self.far.name)

    @property
    def _job(self) -> str:
        return f"transferJobs/{self.near.name}"

    def deploy(self, **changes: Any) -> None:
        spec = {
            "gcsDataSource": {"bucketName": self.near.name},
            "gcsDataSink": {"bucketName": self.far.name},
            "transferOptions": {"overwriteWhen": "DIFFERENT"},
        }
        job = {"name": self._job, "projectId": PROJECT, "transferSpec": spec, "description": "copy", **changes}
        self.cloud.api.post("storagetransfer", "v1/transferJobs", job)

    def begin(self) -> dict[str, Any]:
        return self.cloud.api.post("storagetransfer", f"v1/{self._job}:run", {"projectId": PROJECT})

    def run(self) -> dict[str, Any]:
        return self.cloud.api.wait("storagetransfer", self.begin())["metadata"]


@pytest.fixture
def copying(light_cloud: Any) -> Copying:
    client, key = light_cloud.api.storage_client(), light_cloud.make_key(REGION)
    near = client.bucket(light_cloud.make_bucket("near", REGION, key))
    return Copying(
        light_cloud, key, near, client.bucket(light_cloud.make_bucket("far", FAR, light_cloud.make_key(FAR)))
    )


def names(bucket: Any) -> list[str]:
    return [b.name for b in bucket.list_blobs()]


def test_a_transfer_copies_what_is_new_and_says_how_much(copying: Copying) -> None:
    copying.grant()
    copying.near.blob("a").upload_from_string(b"12345")
    copying.far.blob("only-far").upload_from_string(b"x")
    copying.deploy()
    counters = copying.run()["counters"]
    assert (names(copying.far), counters["bytesCopiedToSink"]) == (["a", "only-far"], "5")


def test_a_second_transfer_copies_nothing(copying: Copying) -> None:
    copying.grant()
    copying.near.blob("a").upload_from_string(b"1")
    copying.deploy()
    copying.run()
    assert copying.run()["counters"]["objectsCopiedToSink"] == "0"


def test_a_disabled_job_does_not_run(copying: Copying) -> None:
    copying.grant()
    copying.near.blob("a").upload_from_string(b"1")
    copying.deploy(status="DISABLED")
    with pytest.raises(GcpError, match="DISABLED"):
        copying.run()
    assert names(copying.far) == []


def test_a_job_without_rights_is_refused(copying: Copying) -> None:
    with pytest.raises(GcpError, match=r"lacks storage\.buckets\.get"):
        copying.deploy()


def test_a_transfer_from_under_a_disabled_key_fails(copying: Copying) -> None:
    copying.grant()
    copying.near.blob("a").upload_from_string(b"1")
    copying.deploy()
    copying.cloud.set_state(copying.key, "DISABLED")
    with pytest.raises(GcpError, match="KMS key is disabled"):
        copying.run()


def test_a_run_goes_on_after_its_answer_and_in_no_order(copying: Copying) -> None:
    copying.grant()
    wanted = [f"{i:02d}" for i in range(12)]
    for name in wanted:
        copying.near.blob(name).upload_from_string(name)
    copying.deploy()
    begun = copying.begin()
    with pytest.raises(GcpError, match="is running"):
        copying.begin()
    copying.cloud.api.wait("storagetransfer", begun)
    copied = sorted(copying.far.list_blobs(), key=lambda blob: blob.generation)
    assert names(copying.far) == wanted
    assert [b.name for b in copied] != wanted
