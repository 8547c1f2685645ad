"""An update in place that keeps less, or that the cloud refuses half-way, is at risk; any other is not."""

from __future__ import annotations

from typing import Any

import pytest

from ops.diff.compare import Providers, compare
from policies.inventory import Inventory, Resource

PROVIDERS = Providers(replace_on=lambda _: [], takes_list=lambda _, __: False, deletes_first=lambda *_: False)
LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
BUCKET = "gcp:storage/bucket:Bucket"
RULES = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
CLUSTER = "aws:eks/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
PROXY = "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy"
REDIS = "gcp:redis/instance:Instance"


def risk(token: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """What the change of one resource is said to put at risk; empty for nothing."""
    sides = [
        Inventory("dev-gcp", {}, (Resource(f"urn:pulumi:s::p::{token}::r", token, "r", True, None, inputs),), {})
        for inputs in (before, after)
    ]
    [change] = compare("dev-gcp", *sides, providers=PROVIDERS, evaluate=lambda _: ()).changes
    return change.risk.what if change.risk else ""


def noncurrent(days: int) -> dict[str, Any]:
    return {"rules": [{"noncurrentVersionExpiration": {"noncurrentDays": days}}]}


def retained(seconds: int, *, locked: bool) -> dict[str, Any]:
    return {"retentionPolicy": {"retentionPeriod": str(seconds), "isLocked": locked}}


def proxy(**annotations: str) -> dict[str, Any]:
    return {"spec": {"provider": {"kubernetes": {"envoyService": {"annotations": annotations}}}}}


INTERNAL_AWS = proxy(**{"service.beta.kubernetes.io/aws-load-balancer-internal": "true", "a": "1"})
INTERNAL_GCP = proxy(**{"networking.gke.io/load-balancer-type": "Internal", "a": "1"})


@pytest.mark.parametrize(
    ("token", "before", "after", "says"),
    [
        (LOGS, {"locked": True, "retentionDays": 90}, {"locked": True, "retentionDays": 365}, "is locked"),
        (LOGS, {"locked": False, "retentionDays": 90}, {"locked": False, "retentionDays": 30}, "keeps less"),
        (BUCKET, retained(900, locked=True), retained(800, locked=True), "is locked"),
        (BUCKET, retained(900, locked=True), {}, "is locked"),
        (RULES, noncurrent(90), noncurrent(30), "keeps less"),
        (REDIS, {"memorySizeGb": 16}, {"memorySizeGb": 8}, "keeps less"),
        (CLUSTER, {"version": "1.34"}, {"version": "1.36"}, "one minor version at a time"),
        (CLUSTER, {"version": "1.36"}, {"version": "1.35"}, "7 days"),
        (POOL, {"nodeLocations": ["a", "b"]}, {"nodeLocations": ["b"]}, "leaves a"),
        (PROXY, INTERNAL_AWS, proxy(a="1"), "keeps its load balancer"),
        (PROXY, proxy(a="1"), INTERNAL_AWS, "keeps its load balancer"),
        (PROXY, INTERNAL_GCP, proxy(a="1"), "keeps its load balancer"),
        (PROXY, INTERNAL_GCP, proxy(a="1", **{"cloud.google.com/l4-rbs": "enabled"}), "keeps its load balancer"),
    ],
)
def test_an_update_that_takes_something_away_is_at_risk(
    token: str, before: dict[str, Any], after: dict[str, Any], says: str
) -> None:
    assert says in risk(token, before, after)


@pytest.mark.parametrize(
    ("token", "before", "after"),
    [
        (LOGS, {"locked": False, "retentionDays": 30}, {"locked": True, "retentionDays": 90}),
        (BUCKET, retained(800, locked=True), retained(900, locked=True)),
        (RULES, noncurrent(30), noncurrent(90)),
        (REDIS, {"memorySizeGb": 8}, {"memorySizeGb": 16}),
        (CLUSTER, {"version": "1.35"}, {"version": "1.36"}),
        (POOL, {"nodeLocations": ["a", "b"]}, {"nodeLocations": ["b", "a", "c"]}),
        (PROXY, proxy(a="1"), proxy(a="2")),
    ],
)
def test_an_update_that_keeps_all_is_not(token: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert risk(token, before, after) == ""
