"""What means the same is judged the same: no rule fails an example because it is written otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from policies.evaluation import evaluate
from policies.examples import Hidden, Scene, Text
from policies.family import Family
from policies.inventory import SECRET
from policies.model import Rule, Verdict
from policies.rules import FAMILIES
from tests.policies.property.harmless import rewritings
from tests.policies.property.judging import FINDS
from tests.policies.property.mutations import GONE, Path, nodes, put_at, value_at


def _verdicts(rule: Rule, scene: Scene) -> list[Verdict]:
    return sorted(finding.verdict for finding in evaluate(scene.inventory(), (rule,)))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_an_example_that_is_written_otherwise_is_judged_the_same(family: Family) -> None:
    judged, wrong = 0, []
    for rule in family.rules:
        before = rule.examples().scene()
        wanted = _verdicts(rule, before)
        for change in rewritings(before):
            judged += 1
            if _verdicts(rule, change.change(before)) != wanted:
                wrong.append(f"{rule.id}: {change}")
    print(f"{family.title}, {judged} rewritings")
    assert wrong == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_an_input_that_is_null_is_judged_as_one_that_is_not_given(family: Family) -> None:
    wrong = []
    for rule in family.rules:
        before = rule.examples().scene()
        for resource in before.resources:
            for path, _ in nodes(resource.inputs):
                if isinstance(path[-1], str) and "matchLabels" not in path:  # a label of null is one of ""
                    verdicts = [_verdicts(rule, put_at(resource.key, path, new, before)) for new in (None, GONE)]
                    if verdicts[0] != verdicts[1]:
                        wrong.append(f"{rule.id}: {resource.type} {path}")
    assert wrong == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_an_input_that_is_secret_never_passes_where_one_that_only_the_provider_knows_does_not(family: Family) -> None:
    wrong = []
    for rule in family.rules:
        before = rule.examples().scene()
        for resource in before.resources:
            for path, _ in nodes(resource.inputs):
                unknown, secret = (put_at(resource.key, path, new, before) for new in (Hidden(), SECRET))
                if any(isinstance(part, Text) for part in _around(resource.inputs, path)):
                    continue  # a provider hides a text as a whole
                dotted = ".".join(map(str, path))
                marked = replace(secret.find(resource.key), options={**resource.options, "secret_paths": (dotted,)})
                verdicts = [_verdicts(rule, scene) for scene in (unknown, secret.with_resource(marked))]
                if any(verdict in FINDS for verdict in verdicts[0]) and not any(v in FINDS for v in verdicts[1]):
                    wrong.append(f"{rule.id}: {resource.type} {path}")
    assert wrong == []


def _around(value: Any, path: Path) -> Iterator[Any]:
    """What holds the value at a path, from the outside."""
    for depth in range(len(path)):
        yield value_at(value, path[:depth])
