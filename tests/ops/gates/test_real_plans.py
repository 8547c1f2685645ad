"""Harm that is done to the real production plans is asked about, and harmless changes of development are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from common.paths import repo_root
from ops.diff.run import compare_all
from ops.gates.decide import required
from ops.gates.reading import Change, items_of
from ops.gates.settings import FILE, parse
from policies.inventory import Inventory, Resource

Mutate = Callable[[Resource], Resource | None]


def asked(before: Inventory, after: Inventory) -> set[str]:
    """The committed gates that ask about a change."""
    gates = parse((repo_root() / FILE).read_text(encoding="utf-8"))
    (diff,) = compare_all({before.stack: before}, {after.stack: after})
    return {each.gate for each in required(diff.stack, items_of(Change(diff)), gates)}


def mutated(plan: Inventory, token: str, mutate: Mutate) -> Inventory:
    """The plan with its first resource of a type changed, or without it."""
    victim = next(r for r in plan.resources if r.type == token)
    changed = mutate(victim)
    kept = (changed if r.urn == victim.urn else r for r in plan.resources)
    return replace(plan, resources=tuple(r for r in kept if r is not None))


def put(path: str, value: Any) -> Mutate:
    """A resource with another value."""

    def change(resource: Resource) -> Resource:
        inputs = json.loads(json.dumps(resource.inputs))
        node = inputs
        *above, last = path.split(".")
        for part in above:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        node[last] = value
        return replace(resource, inputs=inputs)

    return change


def gone(_: Resource) -> None:
    return None


HARM: list[tuple[str, str, Mutate, str]] = [
    ("prod-aws", "aws:s3/bucket:Bucket", gone, "state"),
    ("prod-aws", "aws:s3/bucket:Bucket", gone, "prod-state"),
    ("prod-aws", "aws:dynamodb/table:Table", gone, "state"),
    ("prod-aws", "aws:dynamodb/table:Table", put("hashKey", "other"), "prod-state"),
    ("prod-aws", "aws:dynamodb/table:Table", lambda r: replace(r, protect=False), "prod"),
    ("prod-aws", "aws:eks/cluster:Cluster", put("vpcConfig.endpointPublicAccess", True), "reach"),
    ("prod-aws", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", put("cidrIpv4", "0.0.0.0/1"), "reach"),
    ("prod-aws", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", put("blockPublicPolicy", False), "reach"),
    (
        "prod-aws",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        put("blockPublicPolicy", False),
        "verdict",
    ),
    ("prod-aws", "aws:kms/key:Key", put("enableKeyRotation", False), "verdict"),
    ("prod-aws", "aws:kms/key:Key", put("description", "other words"), "prod"),
    ("prod-gcp", "gcp:storage/bucket:Bucket", gone, "prod-state"),
    ("prod-gcp", "gcp:container/nodePool:NodePool", put("nodeConfig.machineType", "a2-ultragpu-8g"), "prod"),
    ("prod-gcp", "gcp:storage/bucket:Bucket", put("publicAccessPrevention", "inherited"), "reach"),
    ("staging-gcp", "gcp:storage/bucket:Bucket", gone, "state"),
]


@pytest.mark.parametrize(("stack", "token", "mutate", "gate"), HARM)
def test_harm_is_asked_about(plans: dict[str, Inventory], stack: str, token: str, mutate: Mutate, gate: str) -> None:
    assert gate in asked(plans[stack], mutated(plans[stack], token, mutate))


def test_a_change_of_development_that_harms_nothing_needs_nobody(plans: dict[str, Inventory]) -> None:
    plan = plans["dev-aws"]
    assert not asked(plan, mutated(plan, "aws:kms/key:Key", put("description", "other words")))


@pytest.mark.parametrize("stack", ["dev-aws", "prod-aws", "prod-gcp"])
def test_nothing_is_asked_where_nothing_changes(plans: dict[str, Inventory], stack: str) -> None:
    assert not asked(plans[stack], plans[stack])


def test_order_of_resources_opens_nothing(plans: dict[str, Inventory]) -> None:
    plan = plans["prod-aws"]
    assert not asked(plan, replace(plan, resources=plan.resources[::-1]))
