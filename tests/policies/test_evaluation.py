"""Evaluation is pure, and every rule says something about every stack."""

from __future__ import annotations

from dataclasses import replace

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES


def test_the_same_inventory_gives_the_same_findings(aws: Inventory) -> None:
    assert evaluate(aws) == evaluate(Inventory.from_json(aws.to_json()))


def test_a_stack_without_resources_has_one_finding_for_each_rule() -> None:
    findings = evaluate(Inventory("empty", {}, ()))
    assert [(f.rule, f.urn, f.verdict) for f in findings] == [(r, "", Verdict.NOT_APPLICABLE) for r in RULES]


def test_each_failing_finding_says_what_was_found_and_what_is_required(aws: Inventory) -> None:
    empty = replace(aws, resources=tuple(replace(r, inputs={}, unknown_paths=()) for r in aws.resources))
    failing = [f for f in evaluate(empty) if f.verdict is Verdict.FAIL]
    assert failing and all(p.found and p.required for f in failing for p in f.problems)
