"""A stack passes when nothing fails and its waivers are in order; production cannot pass on what is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies.inventory import UNKNOWN, Inventory
from policies.model import Severity, Verdict
from policies.verdicts import StackVerdict, judge
from policies.waivers import Waiver

TODAY = date(2026, 6, 1)


def _hidden(inventory: Inventory, environment: str) -> Inventory:
    """The stack with a setting of its table that only the provider knows."""
    resources = tuple(
        replace(r, inputs={**r.inputs, "billingMode": UNKNOWN}, unknown_paths=(*r.unknown_paths, "billingMode"))
        if r.type == "aws:dynamodb/table:Table"
        else r
        for r in inventory.resources
    )
    return replace(inventory, resources=resources, settings={**inventory.settings, "environment": environment})


def _broken(inventory: Inventory) -> Inventory:
    """The stack with everything open."""
    return replace(inventory, resources=tuple(replace(r, inputs={}, unknown_paths=()) for r in inventory.resources))


def _verdict(inventory: Inventory, *waivers: Waiver) -> StackVerdict:
    return judge(inventory, waivers, TODAY)


def test_a_compliant_stack_passes(aws: Inventory) -> None:
    assert _verdict(aws).passed


@pytest.mark.parametrize(("environment", "passes"), [("dev", True), ("staging", True), ("prod", False)])
def test_only_production_fails_on_what_is_unknown(aws: Inventory, environment: str, passes: bool) -> None:
    verdict = _verdict(_hidden(aws, environment))
    assert verdict.passed is passes and verdict.counts[Verdict.UNKNOWN] == 1


def test_a_stack_without_an_environment_is_judged_as_production(aws: Inventory) -> None:
    hidden = _hidden(aws, "dev")
    settings = {k: v for k, v in hidden.settings.items() if k != "environment"}
    assert not _verdict(replace(hidden, settings=settings)).passed


def test_each_finding_is_counted_once(aws: Inventory) -> None:
    verdict = _verdict(aws)
    assert sum(verdict.counts.values()) == len(verdict.findings)


def test_violations_come_worst_first(aws: Inventory) -> None:
    order = list(Severity)
    ranks = [order.index(f.rule.severity) for f in _verdict(_broken(aws)).violations]
    assert ranks == sorted(ranks) and len(set(ranks)) == len(order)


def test_a_waived_violation_no_longer_fails_the_stack(aws: Inventory) -> None:
    hidden = _hidden(aws, "prod")
    violation = _verdict(hidden).violations[0]
    waiver = Waiver(
        violation.rule.id, "example", TODAY, violation.urn, reason="unknown until it is deployed", owner="ml-platform"
    )
    verdict = _verdict(hidden, waiver)
    assert verdict.passed and verdict.counts[Verdict.WAIVED] == 1


def test_an_invalid_waiver_fails_a_stack_without_violations(aws: Inventory) -> None:
    waiver = Waiver(
        "aws-s3-versioned", "example", TODAY, "urn:none", reason="left over from before", owner="platform"
    )
    assert not _verdict(aws, waiver).passed


def test_opting_out_of_a_safe_default_is_reported_with_its_reason(aws: Inventory) -> None:
    opt_outs = {"deletion_protection": "the stack is made and destroyed each night"}
    verdict = _verdict(replace(aws, settings={**aws.settings, "opt_outs": opt_outs}))
    assert verdict.to_json()["opt_outs"] == [
        {"opt_out": "deletion_protection", "reason": "the stack is made and destroyed each night"}
    ]


def test_a_rule_that_an_opt_out_concerns_does_not_apply_and_says_why(aws: Inventory) -> None:
    opt_outs = {"deletion_protection": "the stack is made and destroyed each night"}
    verdict = _verdict(replace(aws, settings={**aws.settings, "opt_outs": opt_outs}))
    finding = next(f for f in verdict.findings if f.rule.id == "aws-dynamodb-deletion-protection")
    assert finding.verdict is Verdict.NOT_APPLICABLE and "each night" in finding.reason


@pytest.mark.parametrize("settings", [{}, {"backup": None, "opt_outs": None, "cloud": 3}, {"backup": {"region": 1}}])
def test_malformed_settings_are_judged_and_do_not_crash(aws: Inventory, settings: dict[str, Any]) -> None:
    assert not _verdict(replace(aws, settings=settings)).passed


def test_the_json_form_is_plain_json(aws: Inventory) -> None:
    document = _verdict(_broken(aws)).to_json()
    assert json.loads(json.dumps(document)) == document
