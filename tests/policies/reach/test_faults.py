"""Faults in the production plans' networks are found by the rule that is about them; harmless edits stay green."""

from __future__ import annotations

from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import FAMILIES, RULES
from tests.policies.reach import aws_faults, gcp_faults, kubernetes_faults

FINDS = (Verdict.FAIL, Verdict.UNKNOWN)
BY_ID = {rule.id: rule for rule in RULES}
_CONCERNED = {
    *("Security groups", "Ports and default groups", "Connections of networks", "Network ACLs", "Flow logs"),
    *("Connections of networks on Google Cloud", "Public addresses", "Firewalls", "Ways to the internet"),
    *("Authorised networks", "Access to machines", "Clusters", "Ways beside the door", "Ways opened by charts"),
    *("What may reach pods", "What pods may reach", "Network of pods", "How the door runs"),
}
NETWORK = [rule for family in FAMILIES if family.title in _CONCERNED for rule in family.rules]

ON: dict[str, tuple[str, Any]] = {
    "aws": ("prod-aws", aws_faults),
    "gcp": ("prod-gcp", gcp_faults),
    "k8s-aws": ("prod-aws", kubernetes_faults),
    "k8s-gcp": ("prod-gcp", kubernetes_faults),
}
HARMFUL = [
    pytest.param(stack, rule, change, id=f"{name}: {words}")
    for name, (stack, table) in ON.items()
    for words, (rule, change) in table.HARMFUL.items()
]
HARMLESS = [
    pytest.param(stack, change, id=f"{name}: {words}")
    for name, (stack, table) in ON.items()
    for words, change in table.HARMLESS.items()
]


def found(inventory: Inventory, *rules: Any) -> set[tuple[str, str]]:
    return {each.key for each in evaluate(inventory, rules) if each.verdict in FINDS}


@pytest.mark.parametrize("stack", ["prod-aws", "prod-gcp"])
def test_the_plan_as_it_is_passes(plans: dict[str, Inventory], stack: str) -> None:
    assert found(plans[stack], *NETWORK) == set()


@pytest.mark.parametrize(("stack", "rule", "change"), HARMFUL)
def test_a_fault_is_found_by_its_rule(plans: dict[str, Inventory], stack: str, rule: str, change: Any) -> None:
    assert found(change(plans[stack]), BY_ID[rule]), "the fault passed"


@pytest.mark.parametrize(("stack", "change"), HARMLESS)
def test_a_harmless_edit_stays_green(plans: dict[str, Inventory], stack: str, change: Any) -> None:
    assert found(change(plans[stack]), *NETWORK) == set(), "a false alarm"


def test_the_tables_are_as_long_as_they_should_be() -> None:
    assert len(HARMFUL) >= 120 and len(HARMLESS) >= 50
