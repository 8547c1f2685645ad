"""What the components make is what the policies speak of: no rule looks at something that no stack can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.contracts.vocabulary import Cloud
from policies.evaluation import evaluate
from policies.model import Verdict
from policies.rules import RULES


def test_every_rule_has_something_to_say_about_some_stack(
    stores: Mapping[str, tuple[Cloud, Mapping[str, Any]]], plan_platform: Callable[..., Any]
) -> None:
    production = [plan_platform(cloud, "prod") for cloud in Cloud]
    of_each_kind = [plan_platform(cloud, **changes) for cloud, changes in stores.values()]
    findings = [f for planned in (*production, *of_each_kind) for f in evaluate(planned.inventory)]
    judged = {f.rule.id for f in findings if f.verdict is not Verdict.NOT_APPLICABLE}
    assert sorted({rule.id for rule in RULES} - judged) == [], "these rules look at nothing that a stack has"
