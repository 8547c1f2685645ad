"""Changes of the production plans that harm a recovery are found by the rule that should, harmless ones by none."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from tests.policies.mutations import recovery_aws, recovery_aws_watched, recovery_gcp, recovery_gcp_watched
from tests.policies.mutations.changes import Mutation
from tests.policies.mutations.recovery_harmless import HARMLESS

HARMFUL = (
    *recovery_aws.HARMFUL,
    *recovery_aws_watched.HARMFUL_WATCHED,
    *recovery_gcp.HARMFUL,
    *recovery_gcp_watched.HARMFUL_WATCHED,
)
FINDS = (Verdict.FAIL, Verdict.UNKNOWN)
TABLE = tomllib.loads(Path(__file__).with_name("recovery.toml").read_text(encoding="utf-8"))
RULE_OF = {name: rule for rule, names in TABLE["found"].items() for name in names}
UNSEEN = [name for names in TABLE["unseen"].values() for name in names]
BY_ID = {rule.id: rule for rule in RULES}
BESIDE_CLUSTERS = [rule for rule in RULES if not all(token.startswith("kubernetes:") for token in rule.types)]


def _key(mutation: Mutation) -> str:
    return f"{mutation.clouds[0]}: {mutation.name}"


def test_the_table_is_large_and_names_nothing_twice() -> None:
    assert len(HARMFUL) >= 600 and len(HARMLESS) >= 80
    names = Counter(map(_key, (*HARMFUL, *HARMLESS)))
    assert [name for name, count in names.items() if count > 1] == []
    assert sorted(map(_key, HARMFUL)) == sorted((*RULE_OF, *UNSEEN))


@pytest.mark.parametrize("mutation", [m for m in HARMFUL if _key(m) in RULE_OF], ids=_key)
def test_a_change_that_harms_a_recovery_is_found_by_the_rule_that_should(
    plans: dict[str, Inventory], mutation: Mutation
) -> None:
    changed = mutation.change(plans[f"prod-{mutation.clouds[0]}"])
    found = evaluate(changed, [BY_ID[RULE_OF[_key(mutation)]]])
    assert any(each.verdict in FINDS for each in found)


@pytest.mark.parametrize("mutation", HARMLESS, ids=_key)
def test_a_change_that_harms_no_recovery_is_found_by_no_rule(plans: dict[str, Inventory], mutation: Mutation) -> None:
    found = evaluate(mutation.change(plans[f"prod-{mutation.clouds[0]}"]), BESIDE_CLUSTERS)
    assert [(each.rule.id, each.reason) for each in found if each.verdict in FINDS] == []
