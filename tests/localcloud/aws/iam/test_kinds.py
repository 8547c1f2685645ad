"""Roles and policies of a stack live in the emulator's IAM, and what changes there shows as drift."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from localcloud.aws.context import AwsContext
from localcloud.aws.emulator import AwsEmulator
from localcloud.aws.iam.kinds import ManagedPolicy, Role, RolePolicy, RolePolicyAttachment
from localcloud.providers.base import ProviderError, Request
from tests.localcloud.aws.iam.conftest import ACCOUNT, REGION, Account, document

TRUST = document({"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"})
OTHER = document({"Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"})
READ = document({"Action": "s3:GetObject", "Resource": "*"})
WRITE = document({"Action": "s3:PutObject", "Resource": "*"})


@pytest.fixture
def aws(emulator: AwsEmulator, monkeypatch: pytest.MonkeyPatch) -> AwsContext:
    """The provider's view of the account."""
    for name, value in emulator.target().environment.items():
        monkeypatch.setenv(name, value)
    made = AwsContext(ACCOUNT)
    made.region = REGION
    return made


def request(inputs: dict[str, Any], physical_id: str = "", **more: Any) -> Request:
    return Request("urn", "token", "name", inputs, id=physical_id, **more)


@pytest.fixture
def role(aws: AwsContext) -> str:
    """A role's name."""
    name = f"role-{uuid4().hex[:8]}"
    return Role(aws).create(request({"name": name, "assumeRolePolicy": TRUST})).id


def test_a_role_as_deployed_shows_no_drift(aws: AwsContext, role: str) -> None:
    state = Role(aws).read(request({"name": role, "assumeRolePolicy": TRUST}, role))
    assert state is not None
    assert state.inputs is None
    assert state.outputs["arn"] == f"arn:aws:iam::{ACCOUNT}:role/{role}"


def test_a_changed_trust_is_drift(aws: AwsContext, role: str, account: Account) -> None:
    account.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=OTHER)
    state = Role(aws).read(request({"name": role, "assumeRolePolicy": TRUST}, role))
    assert state is not None and state.inputs is not None
    assert json.loads(state.inputs["assumeRolePolicy"]) == json.loads(OTHER)


def test_a_boundary_that_was_taken_off_is_drift(aws: AwsContext, role: str, account: Account) -> None:
    state = Role(aws).read(request({"name": role, "assumeRolePolicy": TRUST, "permissionsBoundary": "arn"}, role))
    assert state is not None and state.inputs is not None
    assert state.inputs["permissionsBoundary"] is None


def test_an_update_changes_trust_and_boundary(aws: AwsContext, role: str, account: Account) -> None:
    boundary = account.client("iam").create_policy(PolicyName=f"b-{role}", PolicyDocument=READ)["Policy"]["Arn"]
    new = {"name": role, "assumeRolePolicy": OTHER, "permissionsBoundary": boundary}
    old = {"name": role, "assumeRolePolicy": TRUST}
    Role(aws).update(request(new, role, old_inputs=old))
    assert (state := Role(aws).read(request(new, role))) is not None and state.inputs is None
    Role(aws).update(request(old, role, old_inputs=new))
    assert (state := Role(aws).read(request(old, role))) is not None and state.inputs is None


def test_policies_inside_a_role_are_refused(aws: AwsContext) -> None:
    with pytest.raises(ProviderError, match="resources of their own"):
        Role(aws).create(request({"name": "x", "assumeRolePolicy": TRUST, "managedPolicyArns": ["arn"]}))


def test_an_inline_policy_comes_shows_its_drift_and_goes(aws: AwsContext, role: str, account: Account) -> None:
    kind, inputs = RolePolicy(aws), {"role": role, "name": "own", "policy": READ}
    made = kind.create(request(inputs))
    assert (state := kind.read(request(inputs, made.id))) is not None and state.inputs is None
    account.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=WRITE)
    drifted = kind.read(request(inputs, made.id))
    assert drifted is not None and drifted.inputs is not None
    assert json.loads(drifted.inputs["policy"]) == json.loads(WRITE)
    kind.delete(request(inputs, made.id))
    assert kind.read(request(inputs, made.id)) is None


def test_a_managed_policy_is_attached_and_detached(aws: AwsContext, role: str, account: Account) -> None:
    policy = ManagedPolicy(aws).create(request({"name": f"p-{role}", "policy": READ})).id
    kind, inputs = RolePolicyAttachment(aws), {"role": role, "policyArn": policy}
    made = kind.create(request(inputs))
    assert kind.read(request(inputs, made.id)) is not None
    account.client("iam").detach_role_policy(RoleName=role, PolicyArn=policy)
    assert kind.read(request(inputs, made.id)) is None
    kind.delete(request(inputs, made.id))
    ManagedPolicy(aws).delete(request({}, policy))


def test_a_managed_policy_changes_more_often_than_iam_keeps_versions(aws: AwsContext, role: str) -> None:
    kind, name = ManagedPolicy(aws), f"p-{role}"
    arn, old = kind.create(request({"name": name, "policy": READ})).id, READ
    for number in range(7):
        new = document({"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::b{number}/*"})
        kind.update(request({"name": name, "policy": new}, arn, old_inputs={"policy": old}))
        old = new
    assert (state := kind.read(request({"name": name, "policy": old}, arn))) is not None and state.inputs is None


def test_a_managed_policy_that_is_too_long_is_refused(aws: AwsContext) -> None:
    long = document({"Action": [f"s3:{'x' * 40}{n}" for n in range(200)], "Resource": "*"})
    with pytest.raises(ProviderError, match="PolicySize"):
        ManagedPolicy(aws).create(request({"name": "long", "policy": long}))


def test_a_policy_of_aws_is_the_real_one(aws: AwsContext, role: str, account: Account) -> None:
    name = "service-role/AWSBackupServiceRolePolicyForBackup"
    arn = f"arn:aws:iam::aws:policy/{name}"
    RolePolicyAttachment(aws).create(request({"role": role, "policyArn": arn}))
    iam = account.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    told = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert any("dynamodb:StartAwsBackupJob" in statement["Action"] for statement in told["Statement"])


def test_a_policy_that_aws_does_not_have_cannot_be_attached(aws: AwsContext, role: str) -> None:
    with pytest.raises(Exception, match="NoSuchEntity"):
        arn = "arn:aws:iam::aws:policy/NoSuchPolicy"
        RolePolicyAttachment(aws).create(request({"role": role, "policyArn": arn}))
