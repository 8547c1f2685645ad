"""ElastiCache for Valkey: what its group, its users and its copy far away are made as."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.aws.feature_store.valkey import NODE_TYPES, node_type
from components.contracts.feature_store import ValkeySpec
from components.contracts.vocabulary import Cloud
from policies.evaluation import evaluate
from policies.inventory import Inventory

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
GLOBAL = "aws:elasticache/globalReplicationGroup:GlobalReplicationGroup"
CONFLICTS_IN_A_SECONDARY = (
    "atRestEncryptionEnabled",
    "engine",
    "engineVersion",
    "nodeType",
    "numNodeGroups",
    "parameterGroupName",
    "securityGroupNames",
    "snapshotArns",
    "snapshotName",
    "transitEncryptionEnabled",
    "transitEncryptionMode",
)
"""What the provider refuses beside `globalReplicationGroupId` (its schema's ConflictsWith, read 2026-11-21)."""


@pytest.fixture
def stack(plan_platform: Any, stores: Any) -> Any:
    """A development stack with Valkey."""
    cloud, changes = stores["valkey"]
    return plan_platform(cloud, **changes)


@pytest.mark.parametrize(
    ("memory_gib", "node"), [(1, "cache.m7g.large"), (5, "cache.r7g.large"), (300, "cache.r7g.16xlarge")]
)
def test_the_smallest_node_with_room_is_taken(memory_gib: int, node: str) -> None:
    assert node_type(memory_gib) == node


def test_every_memory_that_settings_allow_has_a_node() -> None:
    (most,) = (m.le for m in ValkeySpec.model_fields["memory_gib"].metadata if hasattr(m, "le"))
    assert {node_type(gib) for gib in range(1, most + 1)} <= set(NODE_TYPES)
    with pytest.raises(ValueError, match="memory_gib"):
        node_type(10_000)


def test_a_secondary_is_given_nothing_that_the_provider_refuses(stack: Any) -> None:
    secondary = stack.one("features", "features-recovery", GROUP)
    assert not [name for name in CONFLICTS_IN_A_SECONDARY if secondary.get(name) is not None]


def test_the_fleet_may_connect_as_the_reader_and_as_nobody_else(stack: Any) -> None:
    policies = stack.inventory.of_type("aws:iam/rolePolicy:RolePolicy")
    (policy,) = (
        json.loads(p.get("policy"))
        for p in policies
        if "elasticache:Connect" in p.get("policy") and "fleet" in p.name
    )
    (connect,) = (s for s in policy["Statement"] if s["Action"] == ["elasticache:Connect"])
    kinds = sorted(arn.split(":", 5)[5] for arn in connect["Resource"])
    assert kinds == ["replicationgroup:seawall-dev-features", "user:seawall-dev-features-reader"]
    reader = stack.one("features", "features-reader")
    assert "+set" not in reader.get("accessString").split() and "~features:*" in reader.get("accessString")


def test_only_the_private_network_reaches_the_store_and_nobody_its_copy(stack: Any) -> None:
    rules = [
        (rule.region, rule.get("cidrIpv4"), rule.get("fromPort"), rule.get("toPort"))
        for rule in stack.inventory.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if rule.get("fromPort") != 443
    ]
    assert rules == [(stack.settings.region, stack.settings.network.cidr, 6379, 6379)]


def test_the_copy_has_no_way_out_of_its_network(stack: Any) -> None:
    away = stack.settings.backup.region
    ways = ("gateway", "route:route", "peering", "endpoint")
    found = [r for r in stack.inventory.resources if r.region == away and any(w in r.type.lower() for w in ways)]
    assert {r.get("vpcEndpointType") for r in found} == {"Gateway"}, "nothing leads anywhere but to S3 and DynamoDB"


def test_a_stack_with_dynamodb_has_nothing_of_elasticache(plan_platform: Any) -> None:
    assert not [r for r in plan_platform(Cloud.AWS).inventory.resources if "elasticache" in r.type]


@pytest.mark.parametrize("lost", [GLOBAL, "secondary"])
def test_a_store_without_its_copy_far_away_is_found_out(stack: Any, lost: str) -> None:
    inventory = stack.inventory
    left = tuple(
        r for r in inventory.resources if r.type != lost and (lost, r.name) != ("secondary", "features-recovery")
    )
    findings = evaluate(Inventory(inventory.stack, inventory.settings, left))
    broken = {f.rule.id for f in findings if f.verdict == "fail"}
    assert broken & {"aws-elasticache-in-global-datastore", "aws-elasticache-replicated-far"}


def test_the_two_regions_share_no_physical_name(stack: Any) -> None:
    names = [
        (r.type, r.get(name))
        for r in stack.inventory.resources
        for name in ("replicationGroupId", "userId", "userGroupId", "name")
        if r.type.startswith("aws:elasticache/") and isinstance(r.get(name), str)
    ]
    assert len(names) == len(set(names)) == 10, "who restores must see which region a name belongs to"
