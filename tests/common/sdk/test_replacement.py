"""In which order the providers replace, and where they take lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from common.sdk.replacement import deletes_first, replace_on, takes_list
from common.sdk.replacement_kubernetes import UNLESS_MUTABLE
from common.sdk.replacement_kubernetes import replace_on as kubernetes_replace_on
from policies.inventory import Inventory

POOL = "aws:eks/nodeGroup:NodeGroup"
SERVICE = "kubernetes:core/v1:Service"


@pytest.mark.parametrize(
    ("token", "before", "after", "first"),
    [
        (POOL, {"nodeGroupName": "gpu-a"}, {"nodeGroupName": "gpu-b"}, True),
        (POOL, {}, {}, False),
        ("gcp:container/nodePool:NodePool", {"name": "gpu-a"}, {"name": "gpu-b"}, True),
        ("gcp:serviceaccount/account:Account", {"accountId": "a"}, {"accountId": "b"}, True),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", {"bucket": "a"}, {"bucket": "b"}, False),
        (SERVICE, {"metadata": {"name": "a"}}, {"metadata": {"name": "a"}}, True),
        (SERVICE, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, False),
        (SERVICE, {"metadata": {"name": "a"}}, {"metadata": {"name": "a", "namespace": "n"}}, False),
    ],
)
def test_a_replacement_deletes_first_where_the_provider_does(
    token: str, before: Mapping[str, Any], after: Mapping[str, Any], first: bool
) -> None:
    assert deletes_first(token, before, after) is first


@pytest.mark.parametrize(
    ("token", "path", "expected"),
    [
        (POOL, "subnetIds", True),
        (POOL, "subnetIds.0", False),
        (POOL, "launchTemplate.id", False),
        ("aws:eks/cluster:Cluster", "vpcConfig.subnetIds", True),
        ("aws:eks/cluster:Cluster", "vpcConfig.subnetId", False),
        ("aws:eks/nodes:Nodes", "subnetIds", False),
    ],
)
def test_a_list_is_expected_where_the_sdk_says_so(token: str, path: str, expected: bool) -> None:
    assert takes_list(token, path) is expected


@pytest.mark.parametrize("token", sorted(UNLESS_MUTABLE))
def test_contents_replace_only_where_the_provider_is_not_told_that_they_may_change(token: str) -> None:
    setting, contents = UNLESS_MUTABLE[token]
    assert not {*contents} & {*replace_on(token)}
    assert {*contents} <= {*kubernetes_replace_on(token, mutable=())}
    assert not {*contents} & {*kubernetes_replace_on(token, mutable=(setting,))}


def test_every_stacks_cluster_is_told_that_contents_may_change(plans: dict[str, Inventory]) -> None:
    providers = [p for plan in plans.values() for p in plan.of_type("pulumi:providers:kubernetes")]
    for setting, _ in UNLESS_MUTABLE.values():
        assert providers and all(p.get(setting) in (True, "true") for p in providers)
