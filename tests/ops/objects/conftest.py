"""Object stores to hold against the contract: S3 on moto, Cloud Storage on the local cloud."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from common.target import Target
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def s3_target() -> Iterator[Target]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield Target("local", "emulated", aws_endpoint_url=f"http://127.0.0.1:{server.get_host_and_port()[1]}")
    server.stop()


@pytest.fixture(scope="session")
def gcs_target(cloud_storage: str) -> Target:
    return Target("local", "emulated", gcp_endpoint_url=cloud_storage)


@pytest.fixture(params=["s3", "gs"])
def make_store(request: pytest.FixtureRequest) -> Callable[..., ObjectStore]:
    """Makes buckets on each cloud in turn."""
    scheme: str = request.param
    target: Target = request.getfixturevalue("s3_target" if scheme == "s3" else "gcs_target")

    def make(versioned: bool = False, exists: bool = True) -> ObjectStore:
        bucket = f"bucket-{uuid.uuid4().hex}"
        if exists and scheme == "s3":
            client = boto3.client(
                "s3",
                region_name=REGION,
                endpoint_url=target.aws_endpoint_url,
                aws_access_key_id="x",
                aws_secret_access_key="y",
            )
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            if versioned:
                client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            client.close()
        elif exists:
            body = {"name": bucket, "versioning": {"enabled": versioned}}
            url = f"{target.gcp_endpoint_url}/storage/v1/b?project=acme"
            requests.post(url, json=body, timeout=5).raise_for_status()
        return open_store(f"{scheme}://{bucket}", target, REGION)

    return make


@pytest.fixture
def store(make_store: Callable[..., ObjectStore]) -> ObjectStore:
    return make_store()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few files, one of them empty, one in a folder with a space in its name."""
    for name, content in {"a.bin": b"\x00\x01" * 500, "deep/er name/b.txt": b"text", "empty": b""}.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "source"
