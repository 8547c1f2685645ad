"""Of writers that each replace one and the same version, or each make an object, exactly one succeeds."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Clients = Callable[..., Any]


@pytest.fixture
def bucket(client: Clients) -> str:
    name = f"race-{uuid.uuid4().hex}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def winners(s3: Any, bucket: str, **condition: str) -> int:
    def write(number: int) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key="k", Body=str(number).encode(), **condition)
        except ClientError as error:
            assert "PreconditionFailed" in str(error)
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(write, range(24)))


def test_one_of_many_replaces_a_version(client: Clients, bucket: str) -> None:
    s3 = client("s3")
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"start")["ETag"]
    assert winners(s3, bucket, IfMatch=tag) == 1


def test_one_of_many_makes_an_object(client: Clients, bucket: str) -> None:
    assert winners(client("s3"), bucket, IfNoneMatch="*") == 1


def test_a_version_that_is_gone_cannot_be_replaced(client: Clients, bucket: str) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        client("s3").put_object(Bucket=bucket, Key="k", Body=b"x", IfMatch='"tag"')
