"""What means the same is judged the same: no rule fails an example because it is written otherwise."""

from __future__ import annotations

import pytest

from policies.evaluation import evaluate
from policies.examples import Scene
from policies.family import Family
from policies.model import Rule, Verdict
from policies.rules import FAMILIES
from tests.policies.property.harmless import rewritings
from tests.policies.property.mutations import GONE, nodes, put_at


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
