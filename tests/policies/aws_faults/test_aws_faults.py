"""Faults in the production plan on AWS are found by the rule that is about them; harmless edits stay green."""

from __future__ import annotations

import pytest

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from policies.unjudged import RULE, planned_types
from tests.policies.aws_faults import data, machines, resource_policies, rights, trust, watch
from tests.policies.reach.planting import Change

FINDS = (Verdict.FAIL, Verdict.UNKNOWN)
BY_ID = {rule.id: rule for rule in RULES}
TABLES = {
    "rights": rights,
    "trust": trust,
    "resource policies": resource_policies,
    "data": data,
    "watch": watch,
    "machines": machines,
}
HARMFUL = {f"{name}: {words}": case for name, table in TABLES.items() for words, case in table.HARMFUL.items()}
HARMLESS = {f"{name}: {words}": case for name, table in TABLES.items() for words, case in table.HARMLESS.items()}
SEEN = {words: case for words, case in HARMFUL.items() if case[0]}
UNSEEN = {words: change for words, (rule, change) in HARMFUL.items() if not rule}
"""Harm that no rule sees yet: who writes a rule for it gives it the rule's id."""


def _found(inventory: Inventory, *ids: str) -> set[tuple[str, str]]:
    rules = [BY_ID[id] for id in ids] if ids else RULES
    judged = [each for each in evaluate(inventory, rules) if each.verdict in FINDS]
    return {each.key for each in (*judged, *planned_types(inventory).findings)}


@pytest.mark.parametrize(("rule", "change"), SEEN.values(), ids=SEEN)
def test_a_fault_is_found_by_its_rule(plans: dict[str, Inventory], rule: str, change: Change) -> None:
    after = change(plans["prod-aws"])
    if rule == RULE.id:
        assert planned_types(after).findings, "the type passed"
    else:
        judged = evaluate(after, [BY_ID[rule]])
        assert [each for each in judged if each.verdict in FINDS], "the fault passed"


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_edit_stays_green(plans: dict[str, Inventory], change: Change) -> None:
    assert _found(change(plans["prod-aws"])) == set(), "a false alarm"


def test_most_of_the_harm_is_seen() -> None:
    assert len(SEEN) >= 430 and len(HARMLESS) >= 50
    assert all(rule in BY_ID or rule == RULE.id for rule, _ in SEEN.values())
