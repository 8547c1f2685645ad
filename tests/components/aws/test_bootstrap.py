"""Bootstrap on AWS: who may assume which role, what a deployer may do, and what no role that it makes can exceed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest

from common.permissions import needed
from common.permissions.aws import AWS, scope_of
from components.aws.bootstrap.account import SERVICE_LINKED
from components.aws.bootstrap.rights import (
    DOCUMENT_MAX,
    OWNERS_ALONE,
    boundary_arn,
    boundary_document,
    documents,
    write_statements,
)
from components.contracts.bootstrap import Deploys
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.place import Place
from components.contracts.vocabulary import BOOTSTRAP, Cloud
from policies.inventory import Inventory

POLICY, ROLE = "aws:iam/policy:Policy", "aws:iam/role:Role"
WITHIN_THE_BOUNDARY = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"}
READS = ("Get", "List", "Describe")

AwsStatement = Mapping[str, Any]


def listed(value: Any) -> Sequence[str]:
    """A single value of a document as a list."""
    return [value] if isinstance(value, str) else value


def statements_of(plan: Inventory, role: str) -> list[AwsStatement]:
    """The statements of a workflow role's policies, without its boundary."""
    policies = [p for p in plan.of_type(POLICY) if p.name.rpartition("-")[0] == role and p.name[-1].isdigit()]
    assert policies
    return [s for p in policies for s in json.loads(p.get("policy"))["Statement"]]


def actions_of(statements: Sequence[AwsStatement], effect: str = "Allow") -> set[str]:
    return {a for s in statements if s["Effect"] == effect for a in listed(s["Action"])}


def covered(statements: Sequence[AwsStatement], action: str, resource: str) -> bool:
    """Whether some statement allows the action on the resource, whatever it asks besides."""
    return any(
        s["Effect"] == "Allow"
        and any(fnmatchcase(action, a) for a in listed(s["Action"]))
        and any(fnmatchcase(resource, r) for r in listed(s["Resource"]))
        for s in statements
    )


@pytest.fixture
def account(plans: dict[str, Inventory]) -> Inventory:
    return plans["bootstrap-aws"]


@pytest.fixture(params=[FeatureStoreKind.DYNAMODB, FeatureStoreKind.VALKEY], ids=str)
def stack(request: pytest.FixtureRequest, plan_platform: Any, stores: Mapping[FeatureStoreKind, Any]) -> Any:
    """The development stack with each kind of feature store."""
    return plan_platform(Cloud.AWS, **stores[request.param][1])


def deploys_of(stack: Any) -> Deploys:
    settings = stack.settings
    return Deploys(settings.environment, settings.region, settings.backup.region, str(settings.feature_store.kind))


@pytest.fixture
def place(account: Inventory, aws_platform: Any) -> Place:
    """Where the bootstrap stack lives."""
    region = account.settings["region"]
    return Place(Cloud.AWS, BOOTSTRAP, aws_platform.settings.account, region, region, (), "")


def test_a_deployer_may_do_all_that_the_stacks_types_need(stack: Any, place: Place) -> None:
    statements = write_statements(place, deploys_of(stack))
    types = {r.type for r in stack.inventory.resources if r.type.startswith("aws:")}
    assert needed(AWS, types) <= actions_of(statements)


def asked_for(stack: Any) -> Iterator[tuple[str, str]]:
    """Each action that the stack's resources need, with the ARNs that the stack's own names make."""
    resources, settings = stack.inventory.resources, stack.settings
    for action in needed(AWS, {r.type for r in resources if r.type.startswith("aws:")}):
        scope = scope_of(action)
        for resource in resources if scope.type else ():
            name = resource.get(scope.named_by)
            if resource.type == scope.type and isinstance(name, str) and not resource.is_unknown(scope.named_by):
                region = resource.region or settings.region
                for arn in scope.resources(settings.account, [region], [name]):
                    yield action, arn


def test_what_a_deployer_may_name_holds_the_stacks_own_names(stack: Any, place: Place) -> None:
    statements = write_statements(place, deploys_of(stack))
    asked = list(asked_for(stack))
    assert len({action for action, _ in asked}) > 30
    assert [pair for pair in asked if not covered(statements, *pair)] == []


def test_a_stack_has_no_type_that_is_its_owners_alone(stack: Any) -> None:
    assert OWNERS_ALONE.isdisjoint(r.type for r in stack.inventory.resources)


def test_rights_on_other_feature_stores_are_left_out(stack: Any, place: Place) -> None:
    services = {a.partition(":")[0] for a in actions_of(write_statements(place, deploys_of(stack)))}
    kind = stack.settings.feature_store.kind
    assert ("dynamodb" in services, "elasticache" in services) == (
        kind is FeatureStoreKind.DYNAMODB,
        kind is FeatureStoreKind.VALKEY,
    )


def test_every_policy_fits_iams_limit(account: Inventory) -> None:
    sizes = {p.name: len("".join(p.get("policy").split())) for p in account.of_type(POLICY)}
    assert {name: size for name, size in sizes.items() if size > DOCUMENT_MAX} == {}


def test_a_statement_that_no_policy_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        documents([{"Effect": "Allow", "Sid": "S", "Action": ["a:B"], "Resource": "x" * DOCUMENT_MAX}])


def test_roles_are_made_within_the_boundary_alone(account: Inventory, place: Place, aws_platform: Any) -> None:
    statements = statements_of(account, "deploy-dev")
    boundary = boundary_arn(place, deploys_of(aws_platform))
    for statement in statements:
        if WITHIN_THE_BOUNDARY & set(listed(statement["Action"])):
            assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    assert actions_of(statements) >= WITHIN_THE_BOUNDARY


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreatePolicyVersion",
        "iam:DeletePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:SetDefaultPolicyVersion",
        "iam:CreateUser",
        "iam:CreateOpenIDConnectProvider",
    ],
)
def test_neither_a_deployer_nor_what_it_makes_changes_the_boundary(
    action: str, account: Inventory, place: Place, aws_platform: Any
) -> None:
    boundary = json.loads(boundary_document(place, deploys_of(aws_platform)))["Statement"]
    for statements in (statements_of(account, "deploy-dev"), boundary):
        assert not [a for a in actions_of(statements) if fnmatchcase(action, a)]


def test_every_role_of_the_stack_has_the_boundary(stack: Any, place: Place) -> None:
    wanted = boundary_arn(place, deploys_of(stack))
    assert {r.name: r.get("permissionsBoundary") for r in stack.inventory.of_type(ROLE)} == {
        r.name: wanted for r in stack.inventory.of_type(ROLE)
    }


def test_the_boundary_covers_what_the_stacks_roles_may_do(stack: Any, place: Place) -> None:
    boundary = json.loads(boundary_document(place, deploys_of(stack)))["Statement"]
    beyond = [
        (policy.name, action, resource)
        for policy in stack.inventory.of_type("aws:iam/rolePolicy:RolePolicy")
        for statement in json.loads(policy.get("policy"))["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if statement["Effect"] == "Allow" and not covered(boundary, action, resource)
    ]
    assert beyond == []


def test_keys_are_told_by_the_tag_that_the_boundary_names(stack: Any) -> None:
    stacks = {key.name: key.get("tags.stack") for key in stack.inventory.of_type("aws:kms/key:Key")}
    assert set(stacks.values()) == {"dev-aws"}


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:iam::111122223333:role/seawall-bootstrap-deploy-dev",
        "arn:aws:s3:::seawall-bootstrap-state-111122223333-eu-north-1",
        "arn:aws:cloudtrail:eu-north-1:111122223333:trail/seawall-bootstrap-data-events",
        "arn:aws:events:eu-north-1:111122223333:rule/seawall-bootstrap-key-at-risk",
        "arn:aws:sns:eu-north-1:111122223333:seawall-bootstrap-alerts",
        "arn:aws:cloudwatch:eu-north-1:111122223333:alarm:seawall-bootstrap-key-at-risk",
    ],
)
def test_a_deployer_cannot_touch_what_bootstrap_made(resource: str, account: Inventory) -> None:
    service = resource.split(":")[2]
    state = ("s3:GetBucketLocation", "s3:ListBucket")
    allowed = [
        action
        for action in actions_of(statements_of(account, "deploy-dev"))
        if action.startswith(f"{service}:")
        and action not in state
        and not action.partition(":")[2].startswith(READS)
        and covered(statements_of(account, "deploy-dev"), action, resource)
    ]
    # A subscription is told by an id that is not known before; unsubscribing is not limited by name.
    assert set(allowed) <= {"sns:SetSubscriptionAttributes", "sns:Unsubscribe"}


def test_bootstraps_keys_are_denied_to_a_deployer(account: Inventory) -> None:
    (denied,) = [s for s in statements_of(account, "deploy-dev") if s["Effect"] == "Deny"]
    assert denied["Condition"] == {"StringEquals": {"aws:ResourceTag/stack": "bootstrap-aws"}}
    assert {"kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"} <= set(denied["Action"])


def test_the_plan_role_only_reads(account: Inventory) -> None:
    changing = {
        action
        for action in actions_of(statements_of(account, "plan"))
        if not action.partition(":")[2].startswith(READS)
    }
    assert changing == {"kms:Decrypt"}, "of the state, and of the secrets in it"


def test_the_plan_role_reads_no_data_but_the_state(account: Inventory) -> None:
    for statement in statements_of(account, "plan"):
        if {"s3:GetObject", "dynamodb:GetItem", "secretsmanager:GetSecretValue"} & set(statement["Action"]):
            assert all(":seawall-bootstrap-state-" in r for r in listed(statement["Resource"]))


@pytest.mark.parametrize(
    ("role", "subjects"),
    [
        ("plan", ["repo:acme/seawall:pull_request", "repo:acme/seawall:ref:refs/heads/main"]),
        ("deploy-dev", ["repo:acme/seawall:environment:dev"]),
    ],
)
def test_a_role_serves_exactly_its_subjects(role: str, subjects: list[str], account: Inventory) -> None:
    (made,) = [r for r in account.of_type(ROLE) if r.name == role]
    (statement,) = json.loads(made.get("assumeRolePolicy"))["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert list(statement["Condition"]) == ["StringEquals"]
    assert statement["Condition"]["StringEquals"][f"{issuer}:aud"] == "sts.amazonaws.com"
    assert listed(statement["Condition"]["StringEquals"][f"{issuer}:sub"]) == subjects
    assert not [s for s in subjects if "*" in s or "?" in s]


def test_service_linked_roles_come_before_the_keys(account: Inventory) -> None:
    linked = {r.urn for r in account.of_type("aws:iam/serviceLinkedRole:ServiceLinkedRole")}
    assert len(linked) == len(SERVICE_LINKED)
    for key in account.of_type("aws:kms/key:Key"):
        assert linked <= set(key.dependencies)


def test_all_that_touches_the_state_is_recorded_and_locked(account: Inventory) -> None:
    (trail,) = account.of_type("aws:cloudtrail/trail:Trail")
    states = [b for b in account.of_type("aws:s3/bucket:Bucket") if b.name in ("state", "state-copy")]
    (lock,) = account.of_type("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert set(trail.get("advancedEventSelectors.0.fieldSelectors.2.startsWiths")) == {
        f"arn:aws:s3:::{state.get('bucket')}/" for state in states
    }
    assert (lock.get("bucket"), lock.get("rule.defaultRetention.mode")) == (trail.get("s3BucketName"), "COMPLIANCE")


def test_changes_of_keys_reach_what_watches_them(account: Inventory) -> None:
    (trail,) = account.of_type("aws:cloudtrail/trail:Trail")
    fields = {f["field"]: f["equals"] for f in trail.get("advancedEventSelectors.1.fieldSelectors")}
    assert fields == {"eventCategory": ["Management"], "readOnly": ["false"]}
