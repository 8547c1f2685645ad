"""Planning: what an inventory holds of a program."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import settings as runtime
from pydantic import BaseModel, SecretStr

from common.errors import UserError
from ops.plan.planner import plan_program, plan_stack
from ops.plan.recorder import in_order
from policies.inventory import SECRET, UNKNOWN, Inventory, Resource
from policies.registration import Registration

Program = Callable[[], None]


@pytest.fixture(scope="module")
def inventory(program: Program) -> Inventory:
    return plan_program(program, "dev-aws")


def named(inventory: Inventory, name: str) -> Resource:
    (resource,) = [r for r in inventory.resources if r.name == name]
    return resource


def test_a_urn_holds_the_types_of_all_parents(inventory: Inventory) -> None:
    chain = "seawall:test:Store$seawall:test:Access$aws:iam/role:Role"
    assert named(inventory, "reader").urn == f"urn:pulumi:dev-aws::seawall::{chain}::reader"


def test_a_top_level_resource_has_no_parent(inventory: Inventory) -> None:
    assert named(inventory, "storage").parent is None
    assert named(inventory, "access").parent == named(inventory, "storage").urn


def test_inputs_carry_wire_names_and_leave_free_keys_alone(inventory: Inventory) -> None:
    assert named(inventory, "models").inputs == {"bucket": "seawall-models", "forceDestroy": False}
    settings = named(inventory, "settings")
    assert settings.get("metadata.labels") == {"app_name": "x"}
    assert settings.get("data") == {"some_key": "v"}


def test_what_only_the_provider_can_compute_is_unknown(inventory: Inventory) -> None:
    encryption = named(inventory, "encryption")
    path = "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId"
    assert encryption.unknown_paths == ("bucket", path)
    assert encryption.inputs["bucket"] == UNKNOWN
    assert inventory.outputs["bucket"] == {"name": "seawall-models", "arn": UNKNOWN}


def test_a_property_is_linked_to_the_resources_that_feed_it(inventory: Inventory) -> None:
    encryption = named(inventory, "encryption")
    assert inventory.linked(encryption, "rules") == (named(inventory, "key"),)
    assert encryption.dependencies == (named(inventory, "key").urn, named(inventory, "models").urn)


def test_depends_on_is_a_dependency_of_no_property(inventory: Inventory) -> None:
    reader = named(inventory, "reader")
    assert reader.dependencies == (named(inventory, "models").urn,)
    assert set(reader.property_dependencies) == {"assumeRolePolicy"}


def test_protection_is_inherited_from_the_parent(inventory: Inventory) -> None:
    assert named(inventory, "reader").protect
    assert not named(inventory, "password").protect


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("models", "eu-west-1"),  # the provider's
        ("replica", "eu-north-1"),  # its own
        ("reader", None),  # a global service
        ("storage", None),  # a component
        ("settings", None),  # inside the cluster
        ("ring", "europe-north1"),
        ("far", "europe-north1"),  # its key ring's
        ("disk", "europe-west4"),  # its zone's
        ("aws", "eu-west-1"),
    ],
)
def test_a_resource_tells_its_region(inventory: Inventory, name: str, region: str | None) -> None:
    assert named(inventory, name).region == region


def test_no_secret_is_anywhere_in_the_inventory(inventory: Inventory, canary: str) -> None:
    assert canary not in json.dumps(inventory.to_json())


def test_a_secret_is_masked_and_its_path_told(inventory: Inventory) -> None:
    password = named(inventory, "password")
    assert password.inputs["value"] == SECRET
    assert password.secret_paths == ("value",)
    assert named(inventory, "cluster").secret_paths == ("kubeconfig",)


def test_json_that_holds_a_secret_is_a_secret_whole(inventory: Inventory) -> None:
    assert inventory.outputs["password"] == SECRET


def test_a_secret_that_is_repeated_in_plain_text_is_masked_there_too(canary: str) -> None:
    def leaky() -> None:
        aws.ssm.Parameter("declared", type="SecureString", value=pulumi.Output.secret(canary))
        aws.ssm.Parameter("leaked", type="String", value=f"password={canary}", tags={canary: "x"})
        pulumi.export("leaked", [canary])

    inventory = plan_program(leaky, "dev-aws")
    assert canary not in json.dumps(inventory.to_json())
    assert named(inventory, "leaked").secret_paths == ("tags", "value")


def test_a_secret_of_the_settings_is_masked_wherever_it_ends_up(canary: str) -> None:
    class Inner(BaseModel):
        token: SecretStr
        size: int

    class Whole(BaseModel):
        inner: Inner

    settings = Whole(inner=Inner(token=SecretStr(canary), size=3))

    def leaky() -> None:
        aws.ssm.Parameter("leaked", type="String", value=canary)

    inventory = plan_program(leaky, "dev-aws", settings)
    assert inventory.settings == {"inner": {"token": SECRET, "size": 3}}
    assert canary not in json.dumps(inventory.to_json())


def test_an_additional_secret_output_stays_a_secret(canary: str) -> None:
    def program() -> None:
        options = pulumi.ResourceOptions(additional_secret_outputs=["arn", "bucket"])
        bucket = aws.s3.Bucket("b", bucket="plain-name", opts=options)
        pulumi.export("arn", bucket.arn)
        pulumi.export("name", bucket.bucket)

    assert plan_program(program, "dev-aws").outputs == {"arn": SECRET, "name": SECRET}


def test_a_resource_passed_as_a_value_stands_for_its_id() -> None:
    def program() -> None:
        bucket = aws.s3.Bucket("b")
        aws.s3.BucketPolicy("p", bucket=bucket, policy="{}")  # type: ignore[arg-type]

    policy = named(plan_program(program, "dev-aws"), "p")
    assert policy.unknown_paths == ("bucket",)


def test_an_inventory_survives_json(inventory: Inventory) -> None:
    assert Inventory.from_json(json.loads(json.dumps(inventory.to_json()))) == inventory


def test_two_plans_of_one_program_are_the_same_text(program: Program, inventory: Inventory) -> None:
    assert json.dumps(plan_program(program, "dev-aws").to_json()) == json.dumps(inventory.to_json())


@given(st.permutations(range(6)))
def test_resources_that_arrive_in_another_order_are_planned_in_the_same(arrival: list[int]) -> None:
    def made(
        urn: str, *, parent: str | None = None, needs: tuple[str, ...] = (), custom: bool = True
    ) -> Registration:
        return Registration(urn, "t", urn, custom, parent, {}, provider=None, dependencies=needs)

    door, walls = made("door", custom=False), made("walls", custom=False)
    others = [
        made("a", parent="door", needs=("z",)),
        made("b", parent="door"),
        made("z", parent="door"),
        made("c", parent="walls", needs=("a",)),
        made("d", parent="walls"),
        made("alone"),
    ]
    registered = {r.urn: r for r in (door, walls, *(others[place] for place in arrival))}
    assert list(in_order(registered)) == ["alone", "door", "b", "z", "a", "walls", "c", "d"]


def test_a_plan_leaves_nothing_to_the_next(program: Program) -> None:
    def other() -> None:
        aws.s3.Bucket("only")

    plan_program(program, "dev-aws")
    following = plan_program(other, "prod-gcp")
    assert [r.urn for r in following.resources] == ["urn:pulumi:prod-gcp::seawall::aws:s3/bucket:Bucket::only"]
    assert following.outputs == {}


def test_a_plan_leaves_the_process_as_it_was(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    before = (runtime.get_monitor(), runtime.get_root_resource(), runtime.get_stack(), dict(os.environ))
    plan_program(program, "dev-aws")
    assert (runtime.get_monitor(), runtime.get_root_resource(), runtime.get_stack(), dict(os.environ)) == before
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_a_failed_plan_leaves_nothing_to_the_next(program: Program, inventory: Inventory) -> None:
    def broken() -> None:
        bucket = aws.s3.Bucket("b")
        aws.s3.Bucket("c", bucket=pulumi.Output.from_input("x").apply(lambda _: 1 / 0), tags={"a": bucket.arn})  # type: ignore[arg-type]

    with pytest.raises(ZeroDivisionError):
        plan_program(broken, "dev-aws")
    assert plan_program(program, "dev-aws") == inventory


def test_a_plan_does_not_depend_on_the_callers_cloud_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> None:
        aws.Provider("aws")

    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert "region" not in named(plan_program(program, "dev-aws"), "aws").inputs


def test_refused_settings_are_the_users_error_and_name_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "Pulumi.dev-aws.yaml"
    broken.write_text("config:\n  seawall:settings:\n    cloud: azure\n")
    monkeypatch.setattr("ops.plan.planner.stack_file", lambda _: broken)
    with pytest.raises(UserError) as refused:
        plan_stack("dev-aws")
    assert "cloud" in refused.value.what
    assert refused.value.where == "stack dev-aws"


def test_the_committed_stacks_leave_nothing_to_each_other() -> None:
    alone = plan_stack("dev-aws")
    for stack in ("prod-gcp", "staging-aws"):
        planned = plan_stack(stack)
        assert all(r.urn.startswith(f"urn:pulumi:{stack}::") for r in planned.resources)
    assert plan_stack("dev-aws") == alone


def test_every_input_of_the_committed_stacks_links_to_resources_of_the_same_stack() -> None:
    inventory = plan_stack("prod-aws")
    linked = {urn for r in inventory.resources for urn in (*r.dependencies, *([r.parent] if r.parent else []))}
    assert linked <= set(inventory.by_urn)


def line_of(text: str) -> int:
    """Where the small program holds `text`."""
    lines = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8").splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("key", 'aws.kms.Key("key"'),
        ("models", 'aws.s3.Bucket("models"'),
        ("encryption", "aws.s3.BucketServerSideEncryptionConfiguration("),
        ("reader", "aws.iam.Role("),
        ("access", 'Access("access"'),
    ],
)
def test_a_resource_tells_the_line_of_the_call_that_made_it(inventory: Inventory, name: str, text: str) -> None:
    assert named(inventory, name).made_at == f"tests/ops/plan/conftest.py:{line_of(text)}"


def test_every_resource_of_a_stack_tells_where_it_was_made(plans: dict[str, Inventory]) -> None:
    root = Path(__file__).resolve().parents[3]
    for resource in (r for plan in plans.values() for r in plan.resources):
        file, _, line = resource.made_at.rpartition(":")
        assert file.startswith(("components/", "stacks/")), resource.urn
        assert 0 < int(line) <= len((root / file).read_text(encoding="utf-8").splitlines()), resource.urn


def test_a_call_that_moves_does_not_make_another_resource(inventory: Inventory) -> None:
    bucket = named(inventory, "models")
    assert replace(bucket, made_at="components/aws/elsewhere.py:1") == bucket


def test_where_a_resource_was_made_outlives_the_file(inventory: Inventory) -> None:
    bucket = named(inventory, "models")
    assert Resource.from_json(bucket.to_json()).made_at == bucket.made_at
