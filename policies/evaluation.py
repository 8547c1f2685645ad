"""Applies rules to an inventory: one finding for each rule and resource, and one for a rule without resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.inventory import Inventory
from policies.model import Finding, Rule, Verdict
from policies.rules import RULES


def evaluate(inventory: Inventory, rules: Iterable[Rule] = RULES) -> tuple[Finding, ...]:
    """All findings, in the order of the rules and of registration. Pure: it reads no clock and no network.

    Rules see every input in the type that its provider declares; of files it reads the SDKs' own tables.
    """
    typed = inventory.typed
    return tuple(finding for rule in rules for finding in _findings(typed, rule))


def _findings(inventory: Inventory, rule: Rule) -> Iterator[Finding]:
    empty = True
    for resource in inventory.of_type(*rule.types):
        empty = False
        judgement = rule.check(resource, inventory)
        yield Finding(
            rule, resource.urn, resource.type, resource.name, judgement.verdict, judgement.problems, judgement.note
        )
    if empty:
        note = "the stack has no resource of this kind"
        yield Finding(rule, "", "", "", Verdict.NOT_APPLICABLE, note=note)
