"""Inputs in other types than the declared ones become those, and inputs that fit stay the very same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.marks import SECRET, UNKNOWN
from common.sdk.coercion import coerced
from common.sdk.schema import ResourceSchema
from common.sdk.types import schema_of

BUCKET_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
POD = "kubernetes:core/v1:Pod"
TOKENS = (GROUP, "aws:backup/plan:Plan", "gcp:container/cluster:Cluster", "kubernetes:apps/v1:Deployment")

Fitting = Callable[[ResourceSchema], st.SearchStrategy[dict[str, Any]]]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_inputs_that_fit_are_the_very_same(fitting_inputs: Fitting, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(TOKENS))
    schema = schema_of(token)
    assert schema is not None
    inputs = data.draw(fitting_inputs(schema))
    made = coerced(token, inputs)
    assert made.inputs is inputs and not made.moved


@pytest.mark.parametrize(
    ("token", "written", "declared"),
    [
        (GROUP, {"revokeRulesOnDelete": "true"}, {"revokeRulesOnDelete": True}),
        (GROUP, {"revokeRulesOnDelete": " False "}, {"revokeRulesOnDelete": False}),
        (GROUP, {"ingress": {"fromPort": "443"}}, {"ingress": [{"fromPort": 443}]}),
        (GROUP, {"ingress": [{"cidrBlocks": "0.0.0.0/0"}]}, {"ingress": [{"cidrBlocks": ["0.0.0.0/0"]}]}),
        (GROUP, {"tags": {"cost": 42, "on": True}}, {"tags": {"cost": "42", "on": "true"}}),
        (GROUP, {"description": None, "name": "a"}, {"name": "a"}),
        (
            BUCKET_VERSIONING,
            {"versioningConfiguration": [{"status": "Enabled"}]},
            {"versioningConfiguration": {"status": "Enabled"}},
        ),
        ("gcp:redis/instance:Instance", {"memorySizeGb": "5"}, {"memorySizeGb": 5}),
        ("gcp:redis/instance:Instance", {"port": 1234567.0}, {"port": 1234567.0}),
        ("aws:ec2/networkAclRule:NetworkAclRule", {"protocol": 1234567}, {"protocol": "1234567"}),
        (POD, {"spec": {"hostNetwork": "true"}}, {"spec": {"hostNetwork": True}}),
        (POD, {"spec": {"securityContext": {"runAsUser": "0"}}}, {"spec": {"securityContext": {"runAsUser": 0}}}),
    ],
)
def test_what_means_a_value_of_the_declared_type_becomes_it(
    token: str, written: dict[str, Any], declared: dict[str, Any]
) -> None:
    assert coerced(token, written).inputs == declared


@pytest.mark.parametrize(
    ("token", "written"),
    [
        (GROUP, {"revokeRulesOnDelete": "yes"}),
        (GROUP, {"revokeRulesOnDelete": 1}),
        (GROUP, {"ingress": [{"fromPort": "https"}]}),
        (GROUP, {"ingress": UNKNOWN, "egress": SECRET}),
        (BUCKET_VERSIONING, {"versioningConfiguration": [{"status": "Enabled"}, {"status": "Suspended"}]}),
        ("aws:iam/policy:Policy", {"policy": {"Statement": []}}),
        (POD, {"spec": {"containers": [{"ports": [], "livenessProbe": {"httpGet": {"port": "http"}}}]}}),
        ("flagger.app/v1beta1:Canary", {"spec": "x"}),
        ("pulumi:providers:aws", {"allowedAccountIds": '["111122223333"]'}),
    ],
)
def test_what_cannot_be_read_so_stays(token: str, written: dict[str, Any]) -> None:
    made = coerced(token, written)
    assert made.inputs is written and not made.moved


def test_a_path_follows_its_value_into_and_out_of_a_list() -> None:
    into = coerced(GROUP, {"ingress": {"cidrBlocks": UNKNOWN}})
    assert into.path("ingress.cidrBlocks") == "ingress.0.cidrBlocks"
    out = coerced(BUCKET_VERSIONING, {"versioningConfiguration": [{"status": UNKNOWN}], "bucket": "b"})
    assert out.path("versioningConfiguration.0.status") == "versioningConfiguration.status"
    assert out.path("bucket") == "bucket"


def test_a_list_in_an_object_in_a_list_of_one_is_followed_to_the_end() -> None:
    written = {"ingress": {"cidrBlocks": ["10.0.0.0/8"], "prefixListIds": "x"}}
    assert coerced(GROUP, written).path("ingress.prefixListIds") == "ingress.0.prefixListIds.0"
