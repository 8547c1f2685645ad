"""What a service may do with a role that was handed to it: trust, rights, boundary and the resource count."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from moto.backends import get_backend

from localcloud.aws.iam.judge import Judge, key_context
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/replication"
SOURCE = "arn:aws:s3:::models"
OBJECT = f"{SOURCE}/a"
READ = "s3:GetObjectVersionForReplication"
S3 = "s3.amazonaws.com"


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def trust(service: str = S3, **condition: Any) -> str:
    more = {"Condition": condition} if condition else {}
    return document({"Principal": {"Service": service}, "Action": "sts:AssumeRole", **more})


class World:
    """The models of an emulator, with one role and one key."""

    def __init__(self) -> None:
        self.state = AwsState(ACCOUNT)
        self.judge = Judge(self.state)
        self.iam: Any = self.state.backend("iam", "aws")
        self.kms: Any = self.state.backend("kms", REGION)
        self.key = self.kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [], False)
        self.key.policy = document(
            {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
        )

    def role(self, *statements: Mapping[str, Any], trust: str = trust(), boundary: str | None = None) -> None:
        self.iam.create_role("replication", trust, "/", boundary, "", [], "3600")
        if statements:
            self.iam.put_role_policy("replication", "own", document(*statements))

    def ask(self, action: str = READ, resource: str = OBJECT, **more: Any) -> Decision:
        return self.judge.on_behalf(S3, ROLE, action, resource, more.get("context"), source_arn=SOURCE)

    def decrypt(self, via: str = "s3") -> Decision:
        context = key_context(via, REGION, {"aws:s3:arn": SOURCE})
        return self.ask("kms:Decrypt", self.key.arn, context=context)


@pytest.fixture
def world() -> Iterator[World]:
    for service in ("iam", "kms", "s3"):
        backends: Any = get_backend(service)  # type: ignore[call-overload]
        backends.reset()
    yield World()


MAY = {"Action": READ, "Resource": f"{SOURCE}/*"}
MAY_DECRYPT = {
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {
        "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [SOURCE]},
    },
}


def test_a_role_that_trusts_the_service_and_may_lets_it(world: World) -> None:
    world.role(MAY, MAY_DECRYPT)
    assert world.ask()
    assert world.decrypt()


@pytest.mark.parametrize(
    ("statements", "trusting", "told"),
    [
        ([MAY], trust("backup.amazonaws.com"), "sts:AssumeRole"),
        ([MAY], trust(StringEquals={"aws:SourceAccount": "444455556666"}), "sts:AssumeRole"),
        ([MAY], trust(ArnLike={"aws:SourceArn": "arn:aws:s3:::other"}), "sts:AssumeRole"),
        ([MAY], trust(StringEquals={"aws:PrincipalOrgID": "o-1"}), "aws:PrincipalOrgID"),
        ([MAY], trust(StringEquals={"sts:ExternalId": "42"}), "sts:AssumeRole"),
        ([], trust(), "none of its policies"),
        ([{**MAY, "Action": "s3:Get*", "Resource": SOURCE}], trust(), "none of its policies"),
        ([{**MAY, "Resource": "arn:aws:s3:::models-2/*"}], trust(), "none of its policies"),
        ([{"NotAction": "s3:*", "Resource": "*"}], trust(), "none of its policies"),
        ([{"Action": "s3:*", "NotResource": f"{SOURCE}/*"}], trust(), "none of its policies"),
        ([MAY, {"Effect": "Deny", "NotAction": "s3:List*", "Resource": "*"}], trust(), "denies it"),
        ([{**MAY, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], trust(), "none of its policies"),
        ([{**MAY, "Condition": {"StringEquals": {"aws:NoSuchKey": "x"}}}], trust(), "aws:NoSuchKey"),
        ([MAY, {**MAY, "Effect": "Deny", "Condition": {"Bool": {"aws:NoSuchKey": "true"}}}], trust(), "may deny"),
    ],
)
def test_a_fault_in_the_role_stops_the_service(
    world: World, statements: list[Mapping[str, Any]], trusting: str, told: str
) -> None:
    world.role(*statements, trust=trusting)
    decision = world.ask()
    assert not decision
    assert told in decision.reason


def test_a_role_of_another_account_or_none_stops_the_service(world: World) -> None:
    assert "does not exist" in world.ask().reason


def test_a_boundary_stops_the_service(world: World) -> None:
    policy = world.iam.create_policy("", "/", document({"Action": "sns:*", "Resource": "*"}), "boundary", [])
    world.role(MAY, boundary=policy.arn)
    assert "boundary" in world.ask().reason


def test_a_boundary_that_is_gone_leaves_nothing(world: World) -> None:
    world.role(MAY, boundary=f"arn:aws:iam::{ACCOUNT}:policy/gone")
    assert "does not exist" in world.ask().reason


def test_a_key_that_hands_nothing_to_the_account_stops_the_service(world: World) -> None:
    world.role(MAY, MAY_DECRYPT)
    world.key.policy = document({"Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:*", "Resource": "*"})
    assert "the policy of" in world.decrypt().reason


def test_a_key_is_not_used_through_another_service(world: World) -> None:
    world.role(MAY, MAY_DECRYPT)
    assert not world.decrypt(via="dynamodb")


def test_the_tags_of_a_key_are_told_to_conditions(world: World) -> None:
    tagged = {"Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/stack": "dev"}}}
    world.role(tagged)
    assert not world.decrypt()
    world.kms.tag_resource(world.key.arn, {"stack": "dev"})
    assert world.decrypt()


def test_a_deny_of_the_bucket_stops_the_service(world: World) -> None:
    world.role(MAY)
    bucket = world.state.backend("s3", "aws").create_bucket("models", REGION)
    bucket.policy = document({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": OBJECT}).encode()
    assert "denies it" in world.ask().reason


def test_a_condition_key_that_nobody_knows_is_remembered(world: World) -> None:
    world.role({**MAY, "Condition": {"StringEquals": {"aws:NoSuchKey": "x"}}})
    assert not world.ask()
    assert world.state.overlay.unknown_keys == {"aws:NoSuchKey"}


def test_a_service_in_its_own_name_needs_the_resource_to_let_it(world: World) -> None:
    bucket = world.state.backend("s3", "aws").create_bucket("logs", REGION)
    put = ("logging.s3.amazonaws.com", "s3:PutObject", "arn:aws:s3:::logs/a")
    assert not world.judge.as_service(*put, source_arn=SOURCE)
    only = {"ArnEquals": {"aws:SourceArn": [SOURCE]}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    bucket.policy = document(
        {
            "Principal": {"Service": put[0]},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs/*",
            "Condition": only,
        }
    ).encode()
    assert world.judge.as_service(*put, source_arn=SOURCE)
    assert not world.judge.as_service(*put, source_arn="arn:aws:s3:::other")
