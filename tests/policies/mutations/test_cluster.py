"""Harmful changes of objects in the production plans are found by the rule that should, harmless ones by none."""

from __future__ import annotations

from collections import Counter

import pytest

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from tests.policies.mutations import (
    cluster_api,
    cluster_harmful,
    cluster_told_bounds,
    cluster_told_charts,
    cluster_told_door,
    cluster_told_harmless,
    cluster_told_pods,
    cluster_told_traffic,
    cluster_upkeep,
)
from tests.policies.mutations.changes import Mutation
from tests.policies.mutations.cluster_harmless import HARMLESS as BASE

TOLD = (cluster_told_bounds, cluster_told_charts, cluster_told_door, cluster_told_pods, cluster_told_traffic)
HARMFUL = (
    *cluster_harmful.HARMFUL,
    *cluster_upkeep.HARMFUL,
    *cluster_api.HARMFUL,
    *(each for module in TOLD for each in module.HARMFUL),
)
HARMLESS = (*BASE, *cluster_api.HARMLESS, *cluster_told_harmless.HARMLESS)
FINDS = (Verdict.FAIL, Verdict.UNKNOWN)
BY_ID = {rule.id: rule for rule in RULES}
ON_CLUSTERS = [rule for rule in RULES if any(token.startswith("kubernetes:") for token in rule.types)]


def _params(mutations: tuple[Mutation, ...]) -> list[object]:
    return [pytest.param(each, cloud, id=f"{cloud}-{each.name}") for each in mutations for cloud in each.clouds]


def test_the_table_is_large_and_names_nothing_twice() -> None:
    assert len(HARMFUL) >= 150 and len(HARMLESS) >= 50
    names = Counter(each.name for each in (*HARMFUL, *HARMLESS))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_the_production_plan_itself_is_clean(plans: dict[str, Inventory], cloud: str) -> None:
    found = evaluate(plans[f"prod-{cloud}"], ON_CLUSTERS)
    assert [(each.rule.id, each.urn, each.reason) for each in found if each.verdict in FINDS] == []


@pytest.mark.parametrize(("mutation", "cloud"), _params(HARMFUL))
def test_a_harmful_change_is_found_by_the_rule_that_should(
    plans: dict[str, Inventory], mutation: Mutation, cloud: str
) -> None:
    found = evaluate(mutation.change(plans[f"prod-{cloud}"]), [BY_ID[mutation.rule]])
    assert any(each.verdict in FINDS for each in found)


@pytest.mark.parametrize(("mutation", "cloud"), _params(HARMLESS))
def test_a_harmless_change_is_found_by_no_rule(plans: dict[str, Inventory], mutation: Mutation, cloud: str) -> None:
    found = evaluate(mutation.change(plans[f"prod-{cloud}"]), ON_CLUSTERS)
    assert [(each.rule.id, each.reason) for each in found if each.verdict in FINDS] == []
