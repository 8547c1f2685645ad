"""AWS policy documents: readable in a plan, closed to strangers, and no wider than their task."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from components.aws.documents import allow, bucket_key_access, document, pod_trust, table_key_access
from components.contracts.place import Place
from policies.inventory import Inventory, Resource

DOCUMENT_INPUTS: Final = ("policy", "assumeRolePolicy")
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"

EVERY_RESOURCE: Final = {
    "FindOwnBuckets": "s3:ListAllMyBuckets names no bucket",
    "FindOwnTables": "dynamodb:ListTables names no table",
    "FindPlans": "backup:ListBackupPlans names no plan",
    "FollowRestores": "a restore job is no resource that a policy can name",
    "SeeGroupsAndMachineTypes": "Describe calls of EC2 and Auto Scaling have no resource to name",
}
"""Ids of statements of IAM policies that allow something on every resource → why they must."""


@pytest.fixture
def place(aws_platform: Any) -> Place:
    """The development stack's."""
    return aws_platform.place


def statements(inventory: Inventory) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """Every statement of every policy document in a plan."""
    for resource in inventory.resources:
        for name in DOCUMENT_INPUTS:
            text = resource.get(name)
            if isinstance(text, str) and text.startswith("{") and "Statement" in text:
                yield from ((resource, statement) for statement in json.loads(text)["Statement"])


def listed(value: Any) -> list[Any]:
    """A value that may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def test_the_same_statements_give_the_same_text() -> None:
    one = allow("Read", ["s3:GetObject"], "arn:aws:s3:::a/*")
    other = dict(reversed(list(one.items())))
    assert document(one) == document(other), "a document that changes by itself is a change in every diff"


def test_a_buckets_key_is_used_through_s3_of_its_region_and_for_that_bucket_alone(place: Place) -> None:
    statement = bucket_key_access("D", place, "models", ["kms:Decrypt"], region="eu-central-1")
    assert statement["Resource"] == "arn:aws:kms:eu-central-1:111122223333:key/*"
    assert statement["Condition"] == {
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::models", "arn:aws:s3:::models/*"]},
        "StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"},
    }


def test_a_tables_key_is_used_through_dynamodb_and_for_that_table_alone(place: Place) -> None:
    statement = table_key_access("D", place, "features", ["kms:Decrypt"])
    assert statement["Condition"] == {
        "StringEquals": {
            "kms:EncryptionContext:aws:dynamodb:tableName": "features",
            "kms:EncryptionContext:aws:dynamodb:subscriberId": "111122223333",
            "kms:ViaService": f"dynamodb.{place.region}.amazonaws.com",
        }
    }


def test_a_pods_role_trusts_one_service_account_of_one_cluster(place: Place) -> None:
    (statement,) = json.loads(pod_trust(place, "c", "serving", "triton"))["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:{place.region}:111122223333:cluster/c",
            "aws:RequestTag/kubernetes-namespace": "serving",
            "aws:RequestTag/kubernetes-service-account": "triton",
        }
    }


def test_every_document_is_known_before_anything_exists(aws_platform: Any) -> None:
    hidden = {
        (r.urn, name) for r in aws_platform.inventory.resources for name in DOCUMENT_INPUTS if r.is_unknown(name)
    }
    assert not hidden, "a reviewer cannot judge a document that only AWS knows"


def test_nobody_may_do_everything(aws_platform: Any) -> None:
    everything = {
        r.urn
        for r, s in statements(aws_platform.inventory)
        if s["Effect"] == "Allow" and ("*" in listed(s.get("Action", [])) or "NotAction" in s)
    }
    assert not everything


def test_no_document_speaks_to_everyone_without_a_condition(aws_platform: Any) -> None:
    # ECR signs the links to layers itself, so the endpoint cannot say who asks; it says what is asked for.
    open_doors = {
        (r.urn, s.get("Sid"))
        for r, s in statements(aws_platform.inventory)
        if s["Effect"] == "Allow" and s.get("Principal") == "*" and "Condition" not in s
    }
    assert {sid for _, sid in open_doors} == {"ImageLayers"}
    assert {urn.rpartition("$")[2].partition("::")[0] for urn, _ in open_doors} == {ENDPOINT}


def test_identity_policies_name_their_resources(aws_platform: Any) -> None:
    wide = {
        s["Sid"]
        for r, s in statements(aws_platform.inventory)
        if r.type == "aws:iam/rolePolicy:RolePolicy" and "*" in listed(s["Resource"])
    }
    assert wide == EVERY_RESOURCE.keys(), "say why, or name the resource"


def test_no_managed_policy_for_administrators_is_attached(aws_platform: Any) -> None:
    attached = {
        r.get("policyArn").rpartition("/")[2]
        for r in aws_platform.inventory.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    assert attached == {
        "AWSBackupServiceRolePolicyForBackup",
        "AWSBackupServiceRolePolicyForRestores",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKSClusterPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
    }


TRUSTED_AS_THEY_ARE: Final = {
    "backup.amazonaws.com": "AWS Backup takes on the role that a caller of this account passes to it",
    "ec2.amazonaws.com": "machines take their role on through an instance profile of the account",
    "eks.amazonaws.com": "EKS takes on the role that a caller of this account passes to it",
    "s3.amazonaws.com": "S3 takes on the role that a caller of this account passes to it with a bucket's replication",
    "pods.eks.amazonaws.com": "the policy aws-iam-trust-scoped and associations of the account's clusters bound it",
}
"""Services that take on a role without naming whom for → why that is bounded."""


def services(statement: Mapping[str, Any]) -> list[str]:
    """The services that a statement lets in."""
    principal = statement.get("Principal", {})
    return listed(principal.get("Service", [])) if isinstance(principal, Mapping) else []


def test_a_service_uses_a_key_or_a_role_for_this_account_alone(aws_platform: Any) -> None:
    account, found = aws_platform.place.account, []
    for resource, statement in statements(aws_platform.inventory):
        if resource.type not in ("aws:kms/key:Key", "aws:iam/role:Role") or statement["Effect"] != "Allow":
            continue
        bounded = account in json.dumps(statement.get("Condition", {}))
        found += [
            (resource.name, statement.get("Sid"), service)
            for service in services(statement)
            if not bounded and service not in TRUSTED_AS_THEY_ARE
        ]
    assert not found, "another account could have the service act for it"


def test_a_grant_on_a_key_is_made_for_a_service_alone(aws_platform: Any) -> None:
    for resource, statement in statements(aws_platform.inventory):
        if "kms:CreateGrant" in listed(statement["Action"]) and statement["Effect"] == "Allow":
            bound = json.dumps(statement.get("Condition", {}))
            assert '"kms:GrantIsForAWSResource": "true"' in bound, f"{resource.name}: {statement.get('Sid')}"
