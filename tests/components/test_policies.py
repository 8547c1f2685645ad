"""What the components make is what the policies speak of: no rule looks at something that no stack can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.contracts.vocabulary import Cloud
from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from stacks.files import is_bootstrap
from tests.components.strategies import STRATEGIES, plan_of


def test_every_rule_has_something_to_say_about_some_stack(
    stores: Mapping[str, tuple[Cloud, Mapping[str, Any]]],
    plan_platform: Callable[..., Any],
    plans: Mapping[str, Inventory],
) -> None:
    bootstrap = [plan for stack, plan in plans.items() if is_bootstrap(stack)]
    production = [plan_platform(cloud, "prod") for cloud in Cloud]
    of_each_kind = [plan_platform(cloud, **changes) for cloud, changes in stores.values()]
    canary = plan_of(plan_platform, STRATEGIES["canary"][0])
    platforms = [planned.inventory for planned in (*production, *of_each_kind, canary)]
    findings = [f for inventory in (*platforms, *bootstrap) for f in evaluate(inventory)]
    judged = {f.rule.id for f in findings if f.verdict is not Verdict.NOT_APPLICABLE}
    assert sorted({rule.id for rule in RULES} - judged) == [], "these rules look at nothing that a stack has"
