"""A change of meaning is found: by the rule, by another of the pack, or a person wrote down why it harms no one.

`python -m tests.policies.property.judging RULE` prints a rule's changes that are missed and its stale exceptions.
"""

from __future__ import annotations

import pytest

from policies.family import Family
from policies.rules import FAMILIES, RULES
from tests.policies.property.judging import Fate, excuses, tally


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_no_change_of_meaning_in_a_familys_examples_is_missed(family: Family) -> None:
    tallies = [tally(rule, excuses()) for rule in family.rules]
    counts = {fate: sum(made.fates[fate] for made in tallies) for fate in Fate}
    print(family.title, *(f"{count} {fate}" for fate, count in counts.items()), sep=", ")
    assert [f"{made.rule.id}: {change}" for made in tallies for change in made.missed] == []
    assert [stale for made in tallies for stale in made.stale] == []


def test_every_exception_names_a_rule_and_says_why() -> None:
    known = {rule.id for rule in RULES}
    assert [str(excuse) for excuse in excuses() if excuse.rule not in known] == []
    assert [str(excuse) for excuse in excuses() if len(excuse.reason) < 30 or not excuse.reason.endswith(".")] == []
