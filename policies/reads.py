"""Which types of resources rules read: their own `types`, and those that are proven to change what they say.

A rule that lists all resources reads none by that. Proof is an input of another resource, in one of the rule's own
examples, whose change alone changes a verdict. The proofs are worked out by `python -m policies.catalogue`, which
writes them into `reads.json`; a check only reads that file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from policies.evaluation import evaluate
from policies.examples import Change, Examples, Given, Hidden, Output, Scene, Text, drop, put
from policies.model import Rule
from policies.rules import RULES

FILE: Final = Path(__file__).with_name("reads.json")
_OTHERS: Final = (Hidden(), "another value", True, 0)

Said = frozenset[tuple[str, str]]


@cache
def reading(token: str) -> tuple[str, ...]:
    """The ids of the rules that read resources of this type."""
    return _readers().get(token, ())


@cache
def _readers() -> Mapping[str, tuple[str, ...]]:
    proven: Mapping[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    own = [(token, rule.id) for rule in RULES for token in rule.types if not token.endswith("*")]
    known = {rule.id for rule in RULES}
    further = [(token, id) for token, ids in proven.items() for id in ids if id in known]
    found: dict[str, list[str]] = {}
    for token, id in (*own, *further):
        found.setdefault(token, []).append(id)
    return {token: tuple(ids) for token, ids in found.items()}


def render(rules: Iterable[Rule] = RULES) -> str:
    """The file: type → the rules that read it and do not name it among their own."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        for token in further(rule):
            found.setdefault(token, []).append(rule.id)
    return json.dumps({token: sorted(found[token]) for token in sorted(found)}, indent=2) + "\n"


def further(rule: Rule) -> frozenset[str]:
    """The types that a rule reads beyond those that it names, by its examples."""
    found = {token for token in rule.types if not token.endswith("*")}
    named = frozenset(found)
    for each in _scenes(rule.examples()):
        others = [given for given in each.resources if given.type not in found]
        before = _said(rule, each) if others else frozenset[tuple[str, str]]()
        for given in others:
            if any(_said(rule, change(each)) != before for change in _changes(given)):
                found.add(given.type)
    return frozenset(found - named)


def _scenes(examples: Examples) -> Iterator[Scene]:
    base = examples.scene()
    yield base
    for cases in (examples.broken, examples.undecided, examples.accepted):
        for case in cases.values():
            yield from (change(base) for change in (case if isinstance(case, tuple) else (case,)))


def _said(rule: Rule, stack: Scene) -> Said:
    return frozenset((finding.urn, str(finding.verdict)) for finding in evaluate(stack.inventory(), (rule,)))


def _changes(given: Given) -> Iterator[Change]:
    """Each input by itself: unknown, another, and left out."""
    for path in _paths(given.inputs):
        yield drop(path, given.type, given.name)
        for value in _OTHERS:
            yield put(path, value, given.type, given.name)


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping | list) and not isinstance(value, Output | Hidden | Text):
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in entries:
            yield from _paths(item, f"{path}.{key}" if path else str(key))
    elif path:
        yield path
