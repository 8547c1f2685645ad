"""What all services depend on never shares a machine where the pool keeps two; the policy finds what may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from components.contracts.apart import Apart
from components.contracts.vocabulary import Cloud
from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from stacks.files import platform_names
from tests.components.strategies import FLAGGER, ROOM, SERVICE, STRATEGIES

(RULE,) = (rule for rule in RULES if rule.id == "k8s-essential-apart")
HARD: Final = "DoNotSchedule"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
ESSENTIAL: Final = {"door", "envoy-gateway", "cert-manager", "prometheus", "prometheus-adapter"}


def verdicts(inventory: Inventory) -> dict[str, Verdict]:
    return {finding.urn: finding.verdict for finding in evaluate(inventory, [RULE])}


def judged(inventory: Inventory) -> set[str]:
    """The names of what must stand apart."""
    return {f.name for f in evaluate(inventory, [RULE]) if f.verdict is not Verdict.NOT_APPLICABLE}


def softened(inventory: Inventory, urn: str, old: str, new: str, times: int = -1) -> Inventory:
    """The plan with a word of one resource changed."""

    def change(inputs: Mapping[str, Any]) -> Any:
        text = json.dumps(inputs)
        assert old in text
        return json.loads(text.replace(old, new, times))

    changed = (replace(r, inputs=change(r.inputs)) if r.urn == urn else r for r in inventory.resources)
    return replace(inventory, resources=tuple(changed))


@pytest.fixture
def canary(plan_platform: Any) -> Inventory:
    """A plan with everything that any stack has, Flagger too."""
    fleet = {"images": FLAGGER, "services": {SERVICE: STRATEGIES["canary"][0]}}
    return plan_platform(Cloud.AWS, "staging", fleet=fleet, **ROOM).inventory


@pytest.mark.parametrize("stack", platform_names())
def test_all_of_it_does_on_stacks_that_keep_two_machines(plans: Mapping[str, Inventory], stack: str) -> None:
    scaler = {"cluster-autoscaler"} if stack.endswith("-aws") else set[str]()
    wanted = set[str]() if stack.startswith("dev-") else ESSENTIAL | scaler
    found = {name.removeprefix("envoyproxy-") for name in judged(plans[stack])}
    assert found == wanted
    assert Verdict.FAIL not in verdicts(plans[stack]).values()


def test_one_soft_word_in_any_of_it_is_found(canary: Inventory) -> None:
    parts = [urn for urn, verdict in verdicts(canary).items() if verdict is Verdict.PASS]
    assert {urn.rsplit("::", 1)[1].removeprefix("envoyproxy-") for urn in parts} == {
        *ESSENTIAL,
        "cluster-autoscaler",
        "flagger",
    }
    for urn in parts:
        inputs = json.dumps(next(r.inputs for r in canary.resources if r.urn == urn))
        word, soft = (HARD, "ScheduleAnyway") if HARD in inputs else (REQUIRED, "preferred" + REQUIRED[8:])
        # Of cert-manager's three programs the first alone is enough.
        found = {each for each, v in verdicts(softened(canary, urn, word, soft, 1)).items() if v is Verdict.FAIL}
        assert found == {urn}


def test_a_part_whose_chart_nobody_read_is_found(canary: Inventory) -> None:
    (urn,) = (urn for urn in verdicts(canary) if urn.endswith("::flagger"))
    assert verdicts(softened(canary, urn, "/flagger@", "/argo-rollouts@"))[urn] is Verdict.FAIL


def test_a_pool_of_one_asks_for_no_more_than_it_has() -> None:
    constraints = Apart(1).manifests({"app": "a"})
    assert {each["whenUnsatisfiable"] for each in constraints} == {"ScheduleAnyway"}
    # The API server refuses it beside ScheduleAnyway.
    assert not any("minDomains" in each for each in constraints)


def test_zones_are_never_waited_for() -> None:
    _, zones = Apart(3).manifests({"app": "a"})
    assert (zones["topologyKey"], zones["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "ScheduleAnyway")
