"""Harmful changes of the production plan on Google Cloud are found by the rule that is about them, and no others."""

from __future__ import annotations

import pytest

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Rule, Verdict
from policies.rules import RULES
from policies.unjudged import RULE as TYPE_RULE
from policies.unjudged import planned_types
from tests.policies.mutations.gcp.harmless import HARMLESS
from tests.policies.mutations.gcp.tables import ALL, FOUND_BY, UNSEEN
from tests.policies.reach.planting import Change

FINDS = (Verdict.FAIL, Verdict.UNKNOWN)
BY_ID = {rule.id: rule for rule in RULES}


def found(inventory: Inventory, *rules: Rule) -> set[tuple[str, str]]:
    """(rule, URN) of what these rules, and the table of types, find fault with."""
    judged = {each.key for each in evaluate(inventory, rules) if each.verdict in FINDS}
    return judged | {each.key for each in planned_types(inventory).findings}


def test_the_plan_as_it_is_passes(plans: dict[str, Inventory]) -> None:
    assert found(plans["prod-gcp"], *RULES) == set()


def test_each_change_is_listed_once_with_its_rule_or_with_why_none_finds_it() -> None:
    planted = {(group, name) for group, table in ALL.items() for name in table}
    assert planted == {*FOUND_BY, *UNSEEN} and not {*FOUND_BY} & {*UNSEEN}
    assert len(FOUND_BY) >= 380


@pytest.mark.parametrize(
    ("rule", "change"),
    [pytest.param(rule, ALL[group][name], id=f"{group}: {name}") for (group, name), rule in FOUND_BY.items()],
)
def test_a_harmful_change_is_found_by_its_rule(plans: dict[str, Inventory], rule: str, change: Change) -> None:
    rules = () if rule == TYPE_RULE.id else (BY_ID[rule],)
    assert rule in {id for id, _ in found(change(plans["prod-gcp"]), *rules)}, "the change passed"


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_change_stays_green(plans: dict[str, Inventory], change: Change) -> None:
    assert found(change(plans["prod-gcp"]), *RULES) == set(), "a false alarm"


@pytest.mark.parametrize("change", [pytest.param(ALL[group][name], id=f"{group}: {name}") for group, name in UNSEEN])
def test_what_is_listed_as_unseen_is_unseen(plans: dict[str, Inventory], change: Change) -> None:
    assert found(change(plans["prod-gcp"]), *RULES) == set(), "a rule finds it: list it with its rule"
