"""Edits of the real production plans that hand out rights: each harmful one is found, no harmless one is.

Each edit changes one document or adds one resource; the rules that read that type judge it in the whole plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from policies.inventory import Inventory, Resource
from tests.policies.finding import found

OWN, OTHER = "333344445555", "999988887777"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
MEMBER = "gcp:projects/iAMMember:IAMMember"
MODELS = f"arn:aws:s3:::seawall-prod-models-{OWN}-eu-central-1"


def _allow(
    action: Any, resource: Any = "*", condition: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    made = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {**made, "Condition": condition} if condition else made


def _resource(inventory: Inventory, token: str, name: str) -> Resource:
    return next(r for r in inventory.resources if (r.type, r.name) == (token, name))


def _with(resource: Resource, **inputs: Any) -> Resource:
    return replace(resource, inputs={**resource.inputs, **inputs})


def _stated(resource: Resource, path: str, *statements: Mapping[str, Any], first: bool = False) -> Resource:
    """The resource with more statements in its document."""
    document = json.loads(resource.inputs[path])
    listed = [*statements, *document["Statement"]] if first else [*document["Statement"], *statements]
    return _with(resource, **{path: json.dumps({**document, "Statement": listed})})


ESCALATIONS = (
    "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:AttachUserPolicy", "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy", "iam:AddUserToGroup",
    "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:UpdateAssumeRolePolicy",
    "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:CreateSAMLProvider", "iam:PassRole",
    "iam:CreateRole", "iam:CreateUser", "iam:*", "iam:Create*", "iam:Put*", "IAM:pUT*", "i?m:*", "*:PassRole",
    "sts:AssumeRole", "sts:*", "lambda:UpdateFunctionCode", "lambda:*", "ssm:SendCommand", "ssm:StartSession",
    "ssm:*",
    "glue:UpdateJob", "cloudformation:UpdateStack", "cloudformation:*", "ec2:ModifyInstanceAttribute", "ec2:*",
    "eks:CreateAccessEntry", "eks:AssociateAccessPolicy", "eks:*", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:*",
    "s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:*", "secretsmanager:PutResourcePolicy", "secretsmanager:*",
    "organizations:LeaveOrganization", "sns:SetTopicAttributes", "backup:PutBackupVaultAccessPolicy", "backup:*",
    "ecr:SetRepositoryPolicy", "ecr:*", "dynamodb:PutResourcePolicy", "dynamodb:*", "codebuild:StartBuild",
    "*", "**", "*:*", "?*",
)  # fmt: skip
DATA = (
    "s3:GetObject", "s3:Get*", "s3:PutObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention",
    "dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:DeleteTable", "kms:Decrypt", "kms:GenerateDataKey*",
    "kms:ScheduleKeyDeletion", "secretsmanager:GetSecretValue", "ssm:GetParameter*", "ecr:PutImage",
    "backup:DeleteRecoveryPoint", "logs:DeleteLogGroup", "cloudtrail:StopLogging", "sqs:ReceiveMessage",
)  # fmt: skip
NOTHING = (
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringLike": {"aws:PrincipalArn": "*"}},
    {"StringEqualsIfExists": {"aws:ResourceTag/team": "x"}},
    {"ForAllValues:StringEquals": {"aws:ResourceTag/team": ["x"]}},
    {"StringNotEquals": {"aws:ResourceTag/team": "x"}},
    {"StringLike": {"aws:ResourceTag/team": "*"}},
    {"Null": {"aws:ResourceTag/team": "false"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
    {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
)
HARMFUL_STATEMENTS = {
    **{f"{action} on everything": _allow(action) for action in (*ESCALATIONS, *DATA)},
    **{f"s3:GetObject where {c}": _allow("s3:GetObject", condition=c) for c in NOTHING},
    **{f"iam:CreateAccessKey where {c}": _allow("iam:CreateAccessKey", condition=c) for c in NOTHING},
    **{
        f"s3:GetObject on {pattern}": _allow("s3:GetObject", pattern)
        for pattern in ("arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws:s3:::?*/*", "arn:*", "arn:aws:s3:::s*/*")
    },
    "all actions but some": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
    "all resources but some": {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::a/*"},
    "any role of any account": _allow("sts:AssumeRole", "arn:aws:iam::*:role/deploy"),
    "the models' policy": _allow("s3:PutBucketPolicy", MODELS),
    "the models' replication": _allow("s3:PutReplicationConfiguration", MODELS),
    "its own role": _allow("iam:PutRolePolicy", f"arn:aws:iam::{OWN}:role/seawall-prod-fleet"),
    "the roles' trust": _allow("iam:UpdateAssumeRolePolicy", f"arn:aws:iam::{OWN}:role/seawall-prod-*"),
    "passes the stack's roles": _allow("iam:PassRole", f"arn:aws:iam::{OWN}:role/seawall-prod-*"),
    "passes to any service": _allow("iam:PassRole", f"arn:aws:iam::{OWN}:role/seawall-prod-restore"),
    "the vault's policy": _allow(
        "backup:PutBackupVaultAccessPolicy", f"arn:aws:backup:eu-north-1:{OWN}:backup-vault:seawall-prod-recovery"
    ),
    "the alerts' topic": _allow("sns:SetTopicAttributes", f"arn:aws:sns:*:{OWN}:seawall-prod-alerts"),
    "an alias": _allow("kms:Decrypt", f"arn:aws:kms:eu-central-1:{OWN}:alias/data"),
}
HARMLESS_STATEMENTS = {
    "lists buckets": _allow("s3:ListAllMyBuckets"),
    "describes machines": _allow("ec2:Describe*"),
    "writes metrics": _allow("cloudwatch:PutMetricData"),
    "lists roles": _allow(["iam:GetRole", "iam:List*"]),
    "who am I": _allow("sts:GetCallerIdentity"),
    "reads the models": _allow("s3:GetObject", f"{MODELS}/*"),
    "reads some models": _allow(["s3:Get*"], f"{MODELS}/releases/*"),
    "by tag": _allow("s3:GetObject", condition={"StringEquals": {"s3:ExistingObjectTag/team": "serving"}}),
    "a bucket with a prefix": _allow("s3:GetObject", "arn:aws:s3:::seawall-prod-drill-*/*"),
    "one table": _allow("dynamodb:GetItem", f"arn:aws:dynamodb:*:{OWN}:table/seawall-prod-features"),
    "through a service": _allow("kms:Decrypt", condition={"StringEquals": {"kms:ViaService": "s3.x.amazonaws.com"}}),
    "for a service": _allow("kms:CreateGrant", condition={"Bool": {"kms:GrantIsForAWSResource": True}}),
    "one secret": _allow(
        "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:token-*"
    ),
    "its own key": _allow("iam:CreateAccessKey", f"arn:aws:iam::{OWN}:user/${{aws:username}}"),
    "denies": {"Effect": "Deny", "Action": "*", "Resource": "*"},
    "denies in part": {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"},
    "one role to one service": _allow(
        "iam:PassRole",
        f"arn:aws:iam::{OWN}:role/seawall-prod-restore",
        {"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
    ),
    "one role": _allow("sts:AssumeRole", f"arn:aws:iam::{OWN}:role/reporting"),
    "sends events": _allow("events:PutEvents", f"arn:aws:events:*:{OWN}:event-bus/default"),
    "image names": _allow("ecr:GetAuthorizationToken"),
}


@pytest.mark.parametrize("statement", HARMFUL_STATEMENTS.values(), ids=HARMFUL_STATEMENTS)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
def test_a_harmful_statement_in_a_role_isfound(
    plans: dict[str, Inventory], statement: Mapping[str, Any], first: bool
) -> None:
    before = _resource(plans["prod-aws"], ROLE_POLICY, "fleet-fleet")
    assert found(plans["prod-aws"], _stated(before, "policy", statement, first=first))


@pytest.mark.parametrize("statement", HARMLESS_STATEMENTS.values(), ids=HARMLESS_STATEMENTS)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
def test_a_harmless_statement_in_a_role_is_not(
    plans: dict[str, Inventory], statement: Mapping[str, Any], first: bool
) -> None:
    before = _resource(plans["prod-aws"], ROLE_POLICY, "fleet-fleet")
    assert found(plans["prod-aws"], _stated(before, "policy", statement, first=first)) == []


TRUSTED = {
    "everyone": "*",
    "everyone of AWS": {"AWS": "*"},
    "the account": {"AWS": f"arn:aws:iam::{OWN}:root"},
    "another account": {"AWS": f"arn:aws:iam::{OTHER}:root"},
    "another account's number": {"AWS": OTHER},
    "another account's role": {"AWS": f"arn:aws:iam::{OTHER}:role/vendor"},
    "pods without tags": {"Service": "pods.eks.amazonaws.com"},
    "events of any account": {"Service": "events.amazonaws.com"},
    "any token": {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"},
}


@pytest.mark.parametrize("principal", TRUSTED.values(), ids=TRUSTED)
def test_a_role_that_trusts_too_many_isfound(plans: dict[str, Inventory], principal: Any) -> None:
    role = _resource(plans["prod-aws"], ROLE, "fleet")
    action = ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    assert found(plans["prod-aws"], _stated(role, "assumeRolePolicy", statement))


@pytest.mark.parametrize(
    "name", ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonS3FullAccess", "ReadOnlyAccess",
             "AmazonDynamoDBFullAccess", "AmazonEC2FullAccess", "SecretsManagerReadWrite", "AWSLambda_FullAccess"]
)  # fmt: skip
def test_a_broad_policy_of_aws_is_found_however_it_is_attached(plans: dict[str, Inventory], name: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{name}"
    plan = plans["prod-aws"]
    attachment = _resource(plan, ATTACHMENT, "eks-node-AmazonEKSWorkerNodePolicy")
    assert found(plan, _with(attachment, policyArn=arn))
    assert found(plan, _with(_resource(plan, ROLE, "fleet"), managedPolicyArns=[arn]))


@pytest.mark.parametrize("name", ["AmazonEKS_CNI_Policy", "SecurityAudit", "CloudWatchAgentServerPolicy"])
def test_a_narrow_policy_of_aws_is_not(plans: dict[str, Inventory], name: str) -> None:
    attachment = _resource(plans["prod-aws"], ATTACHMENT, "eks-node-AmazonEKSWorkerNodePolicy")
    assert found(plans["prod-aws"], _with(attachment, policyArn=f"arn:aws:iam::aws:policy/{name}")) == []


RESOURCES = {
    "alerts": ("aws:sns/topicPolicy:TopicPolicy", "sns:Publish"),
    "recovery": ("aws:backup/vaultPolicy:VaultPolicy", "backup:CopyIntoBackupVault"),
    "data": ("aws:kms/key:Key", "kms:Decrypt"),
}


@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize(
    "principal", ["*", {"AWS": f"arn:aws:iam::{OTHER}:root"}, {"Service": "events.amazonaws.com"}]
)
@pytest.mark.parametrize("condition", [None, *NOTHING[:5]], ids=str)
def test_a_resource_that_lets_others_in_isfound(
    plans: dict[str, Inventory], name: str, principal: Any, condition: Any
) -> None:
    token, action = RESOURCES[name]
    before = _resource(plans["prod-aws"], token, name)
    assert found(plans["prod-aws"], _stated(before, "policy", _allow(action, "*", condition, Principal=principal)))


@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize("principal", [{"AWS": f"arn:aws:iam::{OWN}:role/reader"}, {"AWS": OWN}])
def test_a_resource_that_lets_its_own_account_in_is_not(
    plans: dict[str, Inventory], name: str, principal: Any
) -> None:
    token, action = RESOURCES[name]
    before = _resource(plans["prod-aws"], token, name)
    bound = {"StringEquals": {"aws:PrincipalAccount": OWN}}
    for statement in (_allow(action, Principal=principal), _allow(action, condition=bound, Principal="*")):
        assert found(plans["prod-aws"], _stated(before, "policy", statement)) == []


BROAD_ROLES = (
    "owner", "editor", "viewer", "storage.admin", "storage.objectAdmin", "storage.objectViewer", "iam.securityAdmin",
    "iam.serviceAccountUser", "iam.serviceAccountTokenCreator", "iam.serviceAccountKeyAdmin", "iam.roleAdmin",
    "iam.workloadIdentityUser", "resourcemanager.projectIamAdmin", "secretmanager.secretAccessor",
    "cloudkms.cryptoKeyDecrypter", "cloudkms.admin", "container.admin", "container.developer", "compute.admin",
    "cloudbuild.builds.editor", "run.admin", "bigquery.dataViewer", "artifactregistry.writer", "logging.admin",
    "redis.admin", "pubsub.subscriber", "datastore.user", "deploymentmanager.editor", "cloudfunctions.developer",
)  # fmt: skip


NARROW_ROLES = (
    "logging.logWriter", "monitoring.metricWriter", "browser", "artifactregistry.reader", "container.viewer",
    "cloudtrace.agent", "monitoring.viewer",
)  # fmt: skip
PUBLIC = (
    "allUsers",
    "allAuthenticatedUsers",
    "domain:example.com",
    "user:x@gmail.com",
    "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
)


@pytest.mark.parametrize("role", BROAD_ROLES)
def test_a_broad_role_on_the_project_is_found_under_a_condition_that_names_nothing_too(
    plans: dict[str, Inventory], role: str
) -> None:
    before = _resource(plans["prod-gcp"], MEMBER, "nodes-artifactregistry-reader")
    for condition in (None, {"title": "t", "expression": "true"}):
        assert found(plans["prod-gcp"], _with(before, role=f"roles/{role}", condition=condition))


@pytest.mark.parametrize("role", NARROW_ROLES)
def test_a_narrow_role_on_the_project_is_not(plans: dict[str, Inventory], role: str) -> None:
    before = _resource(plans["prod-gcp"], MEMBER, "nodes-artifactregistry-reader")
    assert found(plans["prod-gcp"], _with(before, role=f"roles/{role}")) == []


@pytest.mark.parametrize("member", PUBLIC)
@pytest.mark.parametrize(
    ("token", "name"),
    [
        (MEMBER, "nodes-artifactregistry-reader"),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", "models-objectviewer"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "data-storage"),
        ("gcp:serviceaccount/iAMMember:IAMMember", "drill-platform"),
    ],
)
def test_a_public_member_is_found_at_every_level(
    plans: dict[str, Inventory], token: str, name: str, member: str
) -> None:
    assert found(plans["prod-gcp"], _with(_resource(plans["prod-gcp"], token, name), member=member))


@pytest.mark.parametrize(
    ("token", "name", "role"),
    [
        ("gcp:storage/bucketIAMMember:BucketIAMMember", "models-objectviewer", "roles/storage.admin"),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", "models-objectviewer", "roles/storage.legacyBucketOwner"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "data-storage", "roles/cloudkms.admin"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "data-storage", "roles/owner"),
        ("gcp:serviceaccount/iAMMember:IAMMember", "drill-platform", "roles/iam.serviceAccountAdmin"),
        ("gcp:serviceaccount/iAMMember:IAMMember", "drill-platform", "roles/iam.serviceAccountKeyAdmin"),
    ],
)
def test_a_role_that_decides_who_else_gets_in_isfound(
    plans: dict[str, Inventory], token: str, name: str, role: str
) -> None:
    assert found(plans["prod-gcp"], _with(_resource(plans["prod-gcp"], token, name), role=role))
