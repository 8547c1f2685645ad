"""Each rule keeps what its examples promise: alone, and in one stack made of the examples of all rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import NoneType, UnionType
from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.examples import Both, Change, Given, Hidden, Put, Scene, Setting, Text, put
from policies.inventory import Inventory
from policies.model import Finding, Rule, Verdict
from policies.rules import RULES

FINDS = (Verdict.FAIL, Verdict.UNKNOWN)
ACCEPTS = (Verdict.PASS, Verdict.NOT_APPLICABLE)


def _changes(cases: Mapping[str, Change | tuple[Change, ...]]) -> Iterator[tuple[str, Change]]:
    for words, changes in cases.items():
        yield from ((words, change) for change in (changes if isinstance(changes, tuple) else (changes,)))


def _params(group: str, only: type = object, without: type | UnionType = NoneType) -> list[Any]:
    return [
        pytest.param(rule, words, change, id=f"{rule.id}-{index}")
        for rule in RULES
        for index, (words, change) in enumerate(_changes(getattr(rule.examples(), group)))
        if isinstance(change, only) and not isinstance(change, without)
    ]


def _subject(rule: Rule, inventory: Inventory) -> Finding:
    key = rule.examples().compliant[0].urn
    return next(finding for finding in evaluate(inventory, [rule]) if finding.urn == key)


def _words(finding: Finding) -> list[str]:
    return [problem.subject for problem in finding.problems] or [finding.note]


def _judging(whole: Mapping[str, Scene], rule: Rule) -> Scene:
    """The stack of all examples, with the resource that the rule judges first."""
    examples = rule.examples()
    before = whole[examples.scene().cloud]
    first = before.find(examples.compliant[0].key)
    return replace(before, resources=(first, *(r for r in before.resources if r is not first)))


def _outside_text(resource: Given, path: str) -> str:
    """The path, or that of the text which it reaches into: a provider hides a text as a whole."""
    parts = path.split(".")
    heads = [".".join(parts[:index]) for index in range(1, len(parts))]
    return next((head for head in heads if isinstance(resource.at(head), Text)), path)


def _findings(inventory: Inventory) -> set[tuple[str, str]]:
    return {finding.key for finding in evaluate(inventory) if finding.verdict in FINDS}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_passes_its_compliant_example_and_breaks_it_in_some_way(rule: Rule) -> None:
    examples = rule.examples()
    assert _subject(rule, examples.scene().inventory()).verdict is Verdict.PASS
    assert examples.compliant[0].type in rule.types and examples.broken


@pytest.mark.parametrize(("rule", "words", "change"), _params("broken"))
def test_a_broken_example_fails_with_the_words_that_it_names(rule: Rule, words: str, change: Change) -> None:
    finding = _subject(rule, change(rule.examples().scene()).inventory())
    assert finding.verdict is Verdict.FAIL and words in _words(finding)


@pytest.mark.parametrize(("rule", "words", "change"), _params("undecided"))
def test_an_undecided_example_is_unknown_and_says_why(rule: Rule, words: str, change: Change) -> None:
    finding = _subject(rule, change(rule.examples().scene()).inventory())
    assert finding.verdict is Verdict.UNKNOWN and words in _words(finding)


@pytest.mark.parametrize(("rule", "words", "change"), _params("accepted"))
def test_an_accepted_example_passes_or_does_not_apply_and_says_why(rule: Rule, words: str, change: Change) -> None:
    finding = _subject(rule, change(rule.examples().scene()).inventory())
    assert finding.verdict in ACCEPTS and words == finding.note


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_rule_passes_its_example_among_the_examples_of_all_rules(whole: dict[str, Scene], cloud: str) -> None:
    rules = [rule for rule in RULES if rule.examples().scene().cloud == cloud]
    inventory = whole[cloud].inventory()
    assert [rule.id for rule in rules if _subject(rule, inventory).verdict is not Verdict.PASS] == []


@pytest.mark.parametrize(("rule", "words", "change"), _params("broken", without=Setting | Both))
def test_one_broken_input_is_one_finding(whole: dict[str, Scene], rule: Rule, words: str, change: Change) -> None:
    before = _judging(whole, rule)
    subject = before.resources[0].urn
    newly = _findings(change(before).inventory()) - _findings(before.inventory())
    assert [rule_id for rule_id, urn in newly if urn == subject] == [rule.id]


@pytest.mark.parametrize(("rule", "words", "change"), _params("broken", only=Put))
def test_hiding_the_input_that_an_example_breaks_is_never_a_pass(
    whole: dict[str, Scene], rule: Rule, words: str, change: Put
) -> None:
    before = _judging(whole, rule)
    resource = before.find(change.on) if change.on else before.resources[0]
    hidden = put(_outside_text(resource, change.path), Hidden(), *resource.key)(before)
    assert _subject(rule, hidden.inventory()).verdict in FINDS, "an unknown value proves nothing"


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_hiding_any_one_input_turns_no_verdict_into_a_pass(whole: dict[str, Scene], cloud: str) -> None:
    before = {f.key: f.verdict for f in evaluate(whole[cloud].inventory())}
    for resource in whole[cloud].resources:
        for prop in resource.inputs:
            after = evaluate(put(prop, Hidden(), *resource.key)(whole[cloud]).inventory())
            newly = [f.key for f in after if f.verdict is Verdict.PASS and before.get(f.key) is not Verdict.PASS]
            assert newly == [], f"{resource.key} {prop} became unknown, which proves nothing"
