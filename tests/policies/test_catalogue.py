"""The published catalogue is what the rules say."""

from __future__ import annotations

from policies import catalogue
from policies.rules import RULES


def test_the_catalogue_is_current() -> None:
    assert catalogue.FILE.read_text(encoding="utf-8") == catalogue.render(), "run python -m policies.catalogue"


def test_the_catalogue_lists_every_rule_once() -> None:
    page = catalogue.render()
    assert [rule.id for rule in RULES if page.count(f"### {rule.id}\n") != 1] == []
