"""Applies rules to an inventory: one finding for each rule and resource, and one for a rule without resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from policies.checks import all_of
from policies.cluster_objects import Objects, expanded
from policies.inventory import Inventory, Resource
from policies.model import Finding, Judgement, Problem, Rule, Verdict
from policies.rules import RULES


def evaluate(inventory: Inventory, rules: Iterable[Rule] = RULES) -> tuple[Finding, ...]:
    """All findings, in the order of the rules and of registration. Pure: it reads no clock and no network.

    Rules see every input in the type that its provider declares, and each object of a cluster under its own type,
    whatever carries it; of files it reads the SDKs' own tables.
    """
    objects = inventory.typed.derived(expanded)
    return tuple(finding for rule in rules for finding in _findings(objects, rule))


def _findings(objects: Objects, rule: Rule) -> Iterator[Finding]:
    judged: dict[str, tuple[Resource, list[Judgement]]] = {}
    seen: set[str] = set()
    for each in objects.inventory.of_type(*rule.types):
        if each.urn in seen:
            continue  # named by its type, and by a pattern as well
        seen.add(each.urn)
        judgement = rule.check(each, objects.inventory)
        if judgement.verdict is Verdict.NOT_APPLICABLE and each.type not in rule.types:
            continue  # found by a pattern, and not meant
        host, path = objects.hosts[each.urn]
        judged.setdefault(host.urn, (host, []))[1].append(_within(judgement, path))
    for host, found in judged.values():
        judgement = _together(found)
        yield Finding(rule, host.urn, host.type, host.name, judgement.verdict, judgement.problems, judgement.note)
    if not judged:
        note = "the stack has no resource of this kind"
        yield Finding(rule, "", "", "", Verdict.NOT_APPLICABLE, note=note)


def _within(judgement: Judgement, path: str) -> Judgement:
    """The judgement on an object, in words of the resource that carries it."""
    if not path:
        return judgement
    problems = (
        replace(problem, path=f"{path}: {problem.path}")
        if problem.path
        else Problem("", f"{path}: {problem.found}", problem.required)
        for problem in judgement.problems
    )
    return replace(judgement, problems=tuple(problems))


def _together(found: list[Judgement]) -> Judgement:
    applying = [each for each in found if each.verdict is not Verdict.NOT_APPLICABLE]
    return found[0] if len(found) == 1 or not applying else all_of(applying)
