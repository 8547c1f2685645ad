"""Which rules find a resource that is planted in a plan, or changed there."""

from __future__ import annotations

from dataclasses import replace

from policies.inventory import Inventory, Resource
from policies.model import Verdict
from policies.rules import RULES


def found(inventory: Inventory, changed: Resource) -> list[str]:
    """The rules that find something in `changed`, be it new or in the place of the one that it was."""
    resources = tuple(changed if r.urn == changed.urn else r for r in inventory.resources)
    if changed.urn not in inventory.by_urn:
        resources += (changed,)
    after = replace(inventory, resources=resources)
    judged = ((rule, rule.check(changed, after)) for rule in RULES if changed.type in rule.types)
    return [rule.id for rule, judgement in judged if judgement.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]
