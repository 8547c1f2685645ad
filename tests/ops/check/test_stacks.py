"""The committed stacks keep every policy, and every policy has something to say about them."""

from __future__ import annotations

from datetime import date

import pytest

from ops.check.command import check_inventories
from ops.check.report import as_text
from policies import waivers
from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from stacks.settings import stack_names


@pytest.mark.parametrize("stack", stack_names())
def test_a_committed_stack_passes(plans: dict[str, Inventory], stack: str) -> None:
    report = check_inventories([plans[stack]], waivers.load(), date.today())
    assert report.passed, as_text(report, quiet=True)


def test_every_rule_has_something_to_say_about_some_committed_stack(plans: dict[str, Inventory]) -> None:
    findings = [f for stack in ("prod-aws", "prod-gcp") for f in evaluate(plans[stack])]
    judged = {f.rule.id for f in findings if f.verdict is not Verdict.NOT_APPLICABLE}
    assert sorted({rule.id for rule in RULES} - judged) == [], "these rules look at nothing that a stack has"
