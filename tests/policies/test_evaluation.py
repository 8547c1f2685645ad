"""Evaluation is pure, and every rule says something about every stack."""

from __future__ import annotations

from dataclasses import replace

from policies.evaluation import evaluate
from policies.examples import EXAMPLE, given
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Verdict
from policies.rules import RULES
from policies.tokens import DYNAMODB_TABLE


def test_the_same_inventory_gives_the_same_findings(aws: Inventory) -> None:
    assert evaluate(aws) == evaluate(Inventory.from_json(aws.to_json()))


def test_a_stack_without_resources_has_one_finding_for_each_rule() -> None:
    findings = evaluate(Inventory("empty", {}, ()))
    assert [(f.rule, f.urn, f.verdict) for f in findings] == [(r, "", Verdict.NOT_APPLICABLE) for r in RULES]


def test_each_failing_finding_says_what_was_found_and_what_is_required(aws: Inventory) -> None:
    empty = replace(aws, resources=tuple(replace(r, inputs={}, unknown_paths=()) for r in aws.resources))
    failing = [f for f in evaluate(empty) if f.verdict is Verdict.FAIL]
    assert failing and all(p.found and p.required for f in failing for p in f.problems)


def test_inputs_are_judged_in_the_types_that_the_provider_declares(aws: Inventory) -> None:
    written = given(DYNAMODB_TABLE, {"name": "t", "deletionProtectionEnabled": "TRUE"}, "t").recorded()
    rules = [rule for rule in RULES if rule.id == "aws-dynamodb-deletion-protection"]
    (finding,) = evaluate(Inventory(EXAMPLE, aws.settings, (written,)), rules)
    assert finding.verdict is Verdict.PASS


def test_an_unknown_stays_unknown_where_its_list_is_taken_away() -> None:
    inputs = {"versioningConfiguration": [{"status": UNKNOWN}]}
    paths = ("versioningConfiguration.0.status",)
    written = Resource("u", "aws:s3/bucketVersioning:BucketVersioning", "v", True, inputs=inputs, unknown_paths=paths)
    assert written.typed.unknown_paths == ("versioningConfiguration.status",)
    assert written.typed.typed is written.typed
