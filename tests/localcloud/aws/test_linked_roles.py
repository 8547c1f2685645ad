"""Key policies that name service-linked roles: KMS refuses those that do not exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import StackPlace

REGION = "eu-west-1"
SPOT = "arn:aws:iam::111122223333:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
ROOT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}
NAMES_THE_ROLE = {"Effect": "Allow", "Principal": {"AWS": [SPOT]}, "Action": "kms:Encrypt", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [ROOT, NAMES_THE_ROLE]})


@pytest.fixture(scope="module")
def unprepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEmulator]:
    """An account that no bootstrap stack has prepared."""
    place = StackPlace("bootstrap-aws", REGION, REGION, "111122223333", bootstrapped=False)
    folder: Path = tmp_path_factory.mktemp("aws")
    emulator = AwsEmulator(place, folder)
    emulator.start(None)
    yield emulator
    emulator.stop()


@pytest.fixture
def call(unprepared: AwsEmulator, clients: Callable[[AwsEmulator], Any]) -> Any:
    """Makes clients of the account."""
    return clients(unprepared)


def test_a_key_whose_policy_names_a_role_that_does_not_exist_is_refused(call: Any) -> None:
    with pytest.raises(ClientError, match="invalid principals"):
        call("kms", REGION).create_key(Policy=POLICY)


def test_a_key_is_made_once_the_role_is_there(call: Any) -> None:
    call("iam", REGION).create_service_linked_role(AWSServiceName="spot.amazonaws.com")
    assert call("kms", REGION).create_key(Policy=POLICY)["KeyMetadata"]["KeyId"]


def test_a_bootstrapped_account_has_the_roles(client: Any) -> None:
    assert client("kms", REGION).create_key(Policy=POLICY)["KeyMetadata"]["KeyId"]
