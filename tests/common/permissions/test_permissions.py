"""The tables of permissions: whole, made of names that exist, and limited to what IAM can limit them to."""

from __future__ import annotations

from collections.abc import Mapping

import botocore.session
import pytest

from common.permissions import VERBS, Needs, Scope, needed
from common.permissions.aws import AWS, scope_of
from common.permissions.gcp import GCP, NOT_IN_PROJECT
from localcloud.limits import known_types

TABLES: Mapping[str, Mapping[str, Needs]] = {"AWS": AWS, "Google Cloud": GCP}

NO_OPERATION = {
    "backup-storage:MountCapsule",
    "budgets:ModifyBudget",
    "budgets:ViewBudget",
    "iam:PassRole",
    "kms:RetireGrant",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
}
"""Actions that IAM knows and that no operation of the service's API is called by."""

S3_OPERATIONS = {
    "GetAccountPublicAccessBlock": "GetPublicAccessBlock",
    "PutAccountPublicAccessBlock": "PutPublicAccessBlock",
    "GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "GetBucketCORS": "GetBucketCors",
    "GetBucketObjectLockConfiguration": "GetObjectLockConfiguration",
    "GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "GetEncryptionConfiguration": "GetBucketEncryption",
    "GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "GetReplicationConfiguration": "GetBucketReplication",
    "ListBucket": "ListObjectsV2",
    "PutBucketObjectLockConfiguration": "PutObjectLockConfiguration",
    "PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "PutEncryptionConfiguration": "PutBucketEncryption",
    "PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
    "PutReplicationConfiguration": "PutBucketReplication",
}
"""S3's actions whose operation is called otherwise (service authorization reference of S3, read 2026-11-21)."""


@pytest.mark.parametrize("cloud", TABLES)
def test_every_type_that_a_stack_can_have_is_in_the_table(cloud: str) -> None:
    known = known_types()[cloud]
    assert not {*known.emulated, *known.recorded} - set(TABLES[cloud]), "add it to common/permissions"


@pytest.mark.parametrize("cloud", TABLES)
def test_every_type_can_at_least_be_created(cloud: str) -> None:
    assert not [token for token, needs in TABLES[cloud].items() if not needs.create]


def test_every_action_is_an_operation_of_its_service() -> None:
    session = botocore.session.get_session()
    models: dict[str, set[str]] = {}

    def operations(service: str) -> set[str]:
        if service not in models:
            api = {"s3": ("s3", "s3control")}.get(service, (service,))
            models[service] = {n for name in api for n in session.get_service_model(name).operation_names}
        return models[service]

    unknown = []
    for action in needed(AWS, AWS) - NO_OPERATION:
        service, _, name = action.partition(":")
        if S3_OPERATIONS.get(name, name) not in operations(service):
            unknown.append(action)
    assert not unknown


def test_permissions_of_google_cloud_have_three_parts() -> None:
    assert not [name for name in needed(GCP, GCP) if name.count(".") != 2]


def test_what_no_role_of_a_project_holds_is_asked_for_by_some_type() -> None:
    assert needed(GCP, GCP) >= NOT_IN_PROJECT


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError, match="nope"):
        needed(AWS, ["nope"])


def test_all_verbs_are_meant_where_none_is_named() -> None:
    needs = Needs(create=("a",), read=("b",), update=("c",), delete=("d",))
    assert needs.of() == needs.of(*VERBS) == {"a", "b", "c", "d"}
    assert needs.of("read", "delete") == {"b", "d"}


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("s3:PutBucketPolicy", "arn:aws:s3:::seawall-dev-*"),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/seawall-dev-*"),
        ("iam:CreateServiceLinkedRole", "arn:aws:iam::111122223333:role/aws-service-role/*"),
        ("eks:CreateNodegroup", "arn:aws:eks:eu-west-1:111122223333:cluster/seawall-dev-*"),
        ("eks:DeleteNodegroup", "arn:aws:eks:eu-west-1:111122223333:nodegroup/seawall-dev-*/*/*"),
        ("eks:CreateCluster", "*"),
        ("ec2:CreateVpc", "*"),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:111122223333:key/*"),
    ],
)
def test_an_action_is_limited_to_what_it_acts_on(action: str, wanted: str) -> None:
    assert scope_of(action).resources("111122223333", ["eu-west-1"], ["seawall-dev-*"]) == {wanted}


def test_a_scope_has_one_resource_for_each_region_and_name() -> None:
    scope = Scope("arn:aws:sns:{region}:{account}:{name}", "aws:sns/topic:Topic", "name")
    assert scope.resources("1", ["a", "b"], ["x", "y"]) == {f"arn:aws:sns:{r}:1:{n}" for r in "ab" for n in "xy"}
