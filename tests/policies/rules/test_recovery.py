"""Copies count only if they are far enough away, in a place that the plan can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Finding, Verdict

Stack = Callable[[Mapping[str, Any], Sequence[Resource]], Inventory]

COPIES = [
    ("aws", "aws-s3-replicated-far", "models"),
    ("aws", "aws-backup-copied-far", "features"),
    ("gcp", "gcp-gcs-copied-far", "models"),
    ("gcp", "gcp-redis-exported-far", "features"),
]


def _finding(inventory: Inventory, rule: str, name: str) -> Finding:
    return next(f for f in evaluate(inventory) if f.rule.id == rule and f.name == name)


def _asking(inventory: Inventory, min_distance_km: int) -> Inventory:
    backup = {**inventory.settings["backup"], "min_distance_km": min_distance_km}
    return replace(inventory, settings={**inventory.settings, "backup": backup})


@pytest.mark.parametrize(("cloud", "rule", "name"), COPIES)
def test_a_copy_nearer_than_the_settings_ask_fails_and_says_how_far_it_is(
    baselines: dict[str, Inventory], cloud: str, rule: str, name: str
) -> None:
    finding = _finding(_asking(baselines[cloud], 9000), rule, name)
    assert finding.verdict is Verdict.FAIL
    assert "km away; required: a region at least 9000 km from" in finding.reason


@pytest.mark.parametrize(("cloud", "rule", "name"), COPIES)
def test_a_copy_as_far_as_the_settings_ask_passes(
    baselines: dict[str, Inventory], cloud: str, rule: str, name: str
) -> None:
    assert _finding(_asking(baselines[cloud], 1000), rule, name).verdict is Verdict.PASS


def test_settings_without_a_distance_ask_for_the_specs_default(aws: Inventory) -> None:
    backup = {"region": "eu-central-1"}
    finding = _finding(replace(aws, settings={**aws.settings, "backup": backup}), "aws-s3-replicated-far", "models")
    assert finding.verdict is Verdict.PASS


def test_a_replica_in_the_same_region_fails(aws: Inventory, make: Callable[..., Resource]) -> None:
    moved = tuple(
        replace(r, region="eu-west-1") if r.type == "aws:s3/bucket:Bucket" and r.name == "replica" else r
        for r in aws.resources
    )
    finding = _finding(replace(aws, resources=moved), "aws-s3-replicated-far", "models")
    assert "the same region" in finding.reason


def test_a_replica_that_keeps_no_versions_fails(aws: Inventory) -> None:
    kept = tuple(r for r in aws.resources if not (r.name == "replica" and "Versioning" in r.type))
    assert _finding(replace(aws, resources=kept), "aws-s3-replicated-far", "models").verdict is Verdict.FAIL


def test_a_replica_outside_the_stack_is_unknown_and_not_a_pass(aws: Inventory) -> None:
    kept = tuple(r for r in aws.resources if r.name != "replica")
    assert _finding(replace(aws, resources=kept), "aws-s3-replicated-far", "models").verdict is Verdict.UNKNOWN


def test_a_vault_known_by_its_link_alone_is_judged_by_its_region(
    aws: Inventory, make: Callable[..., Resource]
) -> None:
    vault = next(r for r in aws.resources if r.type == "aws:backup/vault:Vault" and r.name == "away")
    plan = make(
        "aws:backup/plan:Plan",
        "features",
        {"rules": [{"copyActions": [{"destinationVaultArn": UNKNOWN}]}]},
        region="eu-west-1",
        links={"rules": [vault]},
        unknown=["rules.0.copyActions.0.destinationVaultArn"],
    )
    resources = tuple(plan if r.type == "aws:backup/plan:Plan" else r for r in aws.resources)
    finding = _finding(replace(aws, resources=resources), "aws-backup-copied-far", "features")
    assert finding.verdict is Verdict.PASS


def test_a_key_known_by_its_arn_after_deployment_is_still_found_by_its_link(aws: Inventory) -> None:
    def deployed(resource: Resource) -> Resource:
        if resource.type != "aws:s3/bucketReplicationConfig:BucketReplicationConfig":
            return resource
        arn = "arn:aws:kms:eu-central-1:111122223333:key/5f3c"
        rule = dict(resource.inputs["rules"][0])
        rule["destination"] = {**rule["destination"], "encryptionConfiguration": {"replicaKmsKeyId": arn}}
        return replace(resource, inputs={**resource.inputs, "rules": [rule]}, unknown_paths=())

    inventory = replace(aws, resources=tuple(map(deployed, aws.resources)))
    assert _finding(inventory, "aws-s3-replica-own-key", "models").verdict is Verdict.PASS
