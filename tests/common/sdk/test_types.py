"""Checking values against the types that an SDK declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from common.sdk.schema import ResourceSchema
from common.sdk.types import (
    ENGINE_UNKNOWN,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
    InputProblem,
    check_inputs,
    input_properties,
    output_properties,
    schema_of,
)
from policies.inventory import SECRET, UNKNOWN

Fitting = Callable[[ResourceSchema], st.SearchStrategy[dict[str, Any]]]

TOKENS = (
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    "aws:kms/key:Key",
    "aws:dynamodb/table:Table",
    "aws:backup/plan:Plan",
    "aws:eks/nodeGroup:NodeGroup",
    "gcp:storage/bucket:Bucket",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:redis/instance:Instance",
    "gcp:container/cluster:Cluster",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:core/v1:Service",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
)
REQUIRING = tuple(
    t for t in TOKENS if any(needed for _, needed in (schema_of(t) or ResourceSchema({})).inputs.values())
)
WRONG = {"str": 4, "bool": "yes", "int": "4", "number": "4", "list": "x", "map": "x", "object": ["x"], "asset": "x"}

relaxed = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def table(token: str) -> ResourceSchema:
    schema = schema_of(token)
    assert schema is not None, f"the SDK should have {token}"
    return schema


@relaxed
@given(st.data())
def test_inputs_that_fit_the_table_pass(fitting_inputs: Fitting, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(TOKENS))
    inputs = data.draw(fitting_inputs(table(token)))
    assert check_inputs(token, inputs) == []


@relaxed
@given(st.data())
def test_a_dropped_required_argument_is_reported_by_name(fitting_inputs: Fitting, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(REQUIRING))
    inputs = data.draw(fitting_inputs(table(token)))
    dropped = data.draw(st.sampled_from([n for n, (_, needed) in table(token).inputs.items() if needed]))
    del inputs[dropped]
    assert check_inputs(token, inputs) == [InputProblem(dropped, "required, and not given", "missing")]


@relaxed
@given(st.data())
def test_an_argument_that_the_sdk_lacks_is_reported_by_name(fitting_inputs: Fitting, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(TOKENS))
    inputs = data.draw(fitting_inputs(table(token)))
    extra = data.draw(st.text(st.characters(categories=["Ll"]), min_size=3, max_size=20))
    assume(extra not in table(token).inputs)
    problems = check_inputs(token, inputs | {extra: "x"})
    assert [(p.path, p.kind) for p in problems] == [(extra, "unknown")]


@relaxed
@given(st.data())
def test_a_value_of_another_type_is_reported_by_name(fitting_inputs: Fitting, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(TOKENS))
    inputs = data.draw(fitting_inputs(table(token)))
    kinds = {n: k if isinstance(k, str) else k[0] for n, (k, _) in table(token).inputs.items()}
    name = data.draw(st.sampled_from(sorted(n for n, k in kinds.items() if k in WRONG)))
    problems = check_inputs(token, inputs | {name: WRONG[kinds[name]]})
    assert [(p.path, p.kind) for p in problems] == [(name, "type")]


@relaxed
@given(st.data())
@pytest.mark.parametrize("mark", [UNKNOWN, SECRET, ENGINE_UNKNOWN])
def test_a_mark_fits_any_argument(fitting_inputs: Fitting, mark: str, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(TOKENS))
    inputs = data.draw(fitting_inputs(table(token)))
    name = data.draw(st.sampled_from(sorted(table(token).inputs)))
    assert check_inputs(token, inputs | {name: mark}) == []


@pytest.mark.parametrize("token", TOKENS)
def test_a_table_is_the_same_from_the_cache_as_from_the_sdk(
    token: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common.sdk.store import load_schema

    monkeypatch.setenv("SEAWALL_CACHE", str(tmp_path))
    fresh, kept = load_schema(token), load_schema(token)
    assert fresh is not None
    assert kept is not None
    assert kept.outputs == fresh.outputs
    assert {n: tuple(f) for n, f in kept.inputs.items()} == fresh.inputs
    assert kept.objects.keys() == fresh.objects.keys()


def test_a_damaged_cache_entry_is_read_from_the_sdk_again(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from common.sdk.store import load_schema

    monkeypatch.setenv("SEAWALL_CACHE", str(tmp_path))
    token = "aws:kms/key:Key"
    first = load_schema(token)
    (entry,) = tmp_path.rglob("*.json")
    entry.write_text('{"inputs": {')
    again = load_schema(token)
    assert first is not None
    assert again is not None
    assert again.outputs == first.outputs


def test_an_unwritable_cache_costs_nothing_but_time(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from common.sdk.store import load_schema

    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SEAWALL_CACHE", str(blocked))
    assert load_schema("aws:kms/key:Key") is not None


def test_a_misspelt_argument_gets_its_right_name() -> None:
    (problem,) = check_inputs("aws:s3/bucket:Bucket", {"bukcet": "models"})
    assert problem.reason == "no such argument; did you mean bucket?"


def test_a_python_name_deep_in_a_list_gets_its_wire_name() -> None:
    pod = {"containers": [{"name": "triton", "image_pull_policy": "Always"}]}
    inputs = {"spec": {"selector": {}, "template": {"spec": pod}}}
    (problem,) = check_inputs("kubernetes:apps/v1:Deployment", inputs)
    assert problem.path == "spec.template.spec.containers.0.image_pull_policy"
    assert problem.reason.endswith("did you mean imagePullPolicy?")


def test_keys_of_tags_are_not_arguments() -> None:
    assert check_inputs("aws:s3/bucket:Bucket", {"tags": {"cost_centre": "42", "seawall/stack": "dev-aws"}}) == []


def test_a_tag_that_is_not_text_is_refused() -> None:
    (problem,) = check_inputs("aws:s3/bucket:Bucket", {"tags": {"cost": 42}})
    assert (problem.path, problem.kind) == ("tags.cost", "type")


def test_a_wrapped_secret_of_the_wrong_type_is_refused_without_its_value() -> None:
    secret = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": "correct-horse-battery"}
    (problem,) = check_inputs("aws:s3/bucket:Bucket", {"forceDestroy": secret})
    assert problem.reason == "expected true or false, got a string"


def test_a_provider_takes_its_arguments_as_json_text() -> None:
    assert (
        check_inputs("pulumi:providers:aws", {"allowedAccountIds": '["111122223333"]', "region": "eu-west-1"}) == []
    )


def test_a_provider_argument_that_is_another_json_type_is_refused() -> None:
    (problem,) = check_inputs("pulumi:providers:aws", {"allowedAccountIds": '"111122223333"'})
    assert (problem.path, problem.kind) == ("allowedAccountIds", "type")


def test_a_value_outside_an_enumeration_is_refused_with_the_allowed_ones() -> None:
    inputs = {"apiVersion": "apps/v2", "spec": {"selector": {}, "template": {}}}
    (problem,) = check_inputs("kubernetes:apps/v1:Deployment", inputs)
    assert problem.reason == 'expected one of apps/v1, got the string "apps/v2"'


def test_a_type_that_the_sdk_lacks_is_a_problem_of_its_own() -> None:
    (problem,) = check_inputs("aws:s3/buckets:Bucket", {})
    assert problem.path == ""
    assert schema_of("aws:s3/buckets:Bucket") is None


def test_a_custom_kubernetes_resource_is_checked_at_its_head_only() -> None:
    token = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
    assert check_inputs(token, {"kind": "PodMonitor", "spec": {"anything": [1]}}) == []
    assert [p.path for p in check_inputs(token, {"kind": 1})] == ["kind"]


def test_a_misspelt_version_of_a_built_in_group_is_no_custom_resource() -> None:
    (problem,) = check_inputs("kubernetes:networking.k8s.io/v11:NetworkPolicy", {})
    assert problem.kind == "unknown"


def test_outputs_hold_the_inputs_and_what_the_provider_computes() -> None:
    token = "aws:s3/bucket:Bucket"
    assert output_properties(token) >= {"arn", "bucketDomainName"}
    assert "arn" not in input_properties(token)


def test_checking_needs_no_sdk_once_the_tables_are_kept(tmp_path: Any) -> None:
    import os
    import subprocess
    import sys

    code = (
        "import sys; from common.sdk.types import check_inputs; check_inputs('aws:kms/key:Key', {});"
        "print('pulumi_aws' in sys.modules)"
    )
    environment = os.environ | {"SEAWALL_CACHE": str(tmp_path)}
    seen = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert [s.strip() for s in seen] == ["True", "False"]
