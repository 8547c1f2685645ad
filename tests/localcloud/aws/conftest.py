"""An AWS emulator in a process of its own, with clients for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import StackPlace

PLACE = StackPlace("dev-aws", "eu-west-1", "eu-central-1", "111122223333")

Clients = Callable[..., Any]


def clients_of(emulator: AwsEmulator) -> Clients:
    """`client(service, region)` for a started emulator."""

    def client(service: str, region: str = PLACE.region) -> Any:
        make: Any = boto3.client
        return make(
            service,
            region_name=region,
            endpoint_url=emulator.target().aws_endpoint_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 1}),
        )

    return client


RIGHTS = ("s3:*", "kms:*", "dynamodb:*", "backup:*")
"""Of a role that may do all that copies need."""


def make_role(client: Clients, name: str, service: str, actions: Sequence[str] = RIGHTS, **trust: Any) -> str:
    """A role that a service may take on, with the actions that it may do; its ARN."""
    iam = client("iam")
    trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **trust}
    rights = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    made = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    )
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
    return made["Role"]["Arn"]


@pytest.fixture
def clients() -> Callable[[AwsEmulator], Clients]:
    """Makes clients of a started emulator."""
    return clients_of


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    """Started once for a module with the roles `backup` and `replication`; tests use names of their own."""
    emulator = AwsEmulator(PLACE, tmp_path_factory.mktemp("aws"))
    emulator.start(None)
    for name, service in (("backup", "backup.amazonaws.com"), ("replication", "s3.amazonaws.com")):
        make_role(clients_of(emulator), name, service)
    yield emulator
    emulator.stop()


@pytest.fixture
def client(emulator: AwsEmulator) -> Clients:
    return clients_of(emulator)


@pytest.fixture
def another_emulator(tmp_path: Path) -> Iterator[Callable[[Path | None], tuple[AwsEmulator, Clients]]]:
    """Starts further emulators from a snapshot, and stops them."""
    started: list[AwsEmulator] = []

    def start(snapshot: Path | None) -> tuple[AwsEmulator, Clients]:
        folder = tmp_path / f"emulator-{len(started)}"
        folder.mkdir()
        emulator = AwsEmulator(PLACE, folder)
        started.append(emulator)
        emulator.start(snapshot)
        return emulator, clients_of(emulator)

    yield start
    for emulator in started:
        emulator.stop()


@pytest.fixture
def role(client: Clients) -> Callable[..., str]:
    """Makes a role as `make_role` does."""
    return partial(make_role, client)


@pytest.fixture
def key(client: Clients) -> Callable[[str], str]:
    """Makes a key in a region; its ARN."""
    return lambda region: client("kms", region).create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def bucket(client: Clients, key: Callable[[str], str]) -> Callable[[str, str], str]:
    """Makes a versioned bucket with a key of its own; the key's ARN."""

    def make(name: str, region: str) -> str:
        s3, arn = client("s3", region), key(region)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
        s3.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )
        return arn

    return make


@pytest.fixture
def table(client: Clients) -> Callable[..., str]:
    """Makes a table; its ARN."""

    def make(name: str, key_arn: str | None = None, region: str = PLACE.region) -> str:
        encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn} if key_arn else {"Enabled": False}
        made = client("dynamodb", region).create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            SSESpecification=encryption,
        )
        return made["TableDescription"]["TableArn"]

    return make
