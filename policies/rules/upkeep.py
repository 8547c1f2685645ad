"""Upkeep: machines can always be emptied."""

from __future__ import annotations

from policies.checks import all_of, equals, expect
from policies.examples import Hidden, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import BUDGET
from policies.workloads import lets_some_go

family = Family("Upkeep")


@family.rule(
    "k8s-budget-lets-pods-go",
    Severity.HIGH,
    "Disruption budgets let a pod go",
    types=(BUDGET,),
    rationale="A budget that lets no pod go, or none beside a sick one, holds each drain for ever: no machine is "
    "upgraded. A fewest number does so as soon as there are no more replicas than that.",
    remedy="Set maxUnavailable to 1 or more, no minAvailable, and unhealthyPodEvictionPolicy to AlwaysAllow.",
    examples=lambda: examples(
        given(BUDGET, {"spec": {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}}),
        given(BUDGET, {"spec": {"maxUnavailable": "25%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}}, "by-part"),
        broken={
            "spec.maxUnavailable is 0": put("spec.maxUnavailable", 0),
            'spec.maxUnavailable is "0%"': put("spec.maxUnavailable", "0%"),
            "spec.maxUnavailable is absent": put("spec", {"unhealthyPodEvictionPolicy": "AlwaysAllow"}),
            'spec.unhealthyPodEvictionPolicy is "IfHealthyBudget"': put(
                "spec.unhealthyPodEvictionPolicy", "IfHealthyBudget"
            ),
        },
        undecided={"spec.maxUnavailable is known only to the provider": put("spec.maxUnavailable", Hidden())},
    ),
)
def budget_lets_pods_go(budget: Resource, _: Inventory) -> Judgement:
    return all_of(
        [
            expect(budget, "spec.maxUnavailable", "1 or more, or a part of the replicas", lets_some_go),
            equals(budget, "spec.unhealthyPodEvictionPolicy", "AlwaysAllow"),
        ]
    )
