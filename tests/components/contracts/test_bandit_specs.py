"""What the strategies that learn from rewards may ask for, and what they are refused with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.contracts.bandit_specs import Bandit, Contextual
from components.contracts.services import ServiceSpec
from tests.components.contracts.test_services import RELEASE, SERVICE

BANDIT: dict[str, Any] = {
    "strategy": "bandit",
    "reward": {"successes": 'orders_total{shop="a"}', "trials": "offers_total"},
}
CONTEXTUAL: dict[str, Any] = {
    "strategy": "contextual",
    "arms": {"stable": "tumour_risk", "b": "tumour_risk_b"},
    "default": "stable",
    "features": ["radius", "texture"],
    "latency_budget_ms": 100,
}


def service(traffic: dict[str, Any], *challengers: str) -> ServiceSpec:
    others = {name: {"release": RELEASE, "max_replicas": 1} for name in challengers}
    return ServiceSpec.model_validate_json(json.dumps({**SERVICE, "traffic": traffic, "challengers": others}))


def test_a_bandit_has_safe_defaults() -> None:
    asked = service(BANDIT, "b").traffic
    assert isinstance(asked, Bandit)
    assert (asked.default, asked.floor_percent, asked.ceiling_percent) == ("stable", 5, 95)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"default": "c"}, "traffic.default names 'c'"),
        ({"floor_percent": 34}, "at most 33"),
        ({"floor_percent": 0}, "greater than or equal to 1"),
        ({"ceiling_percent": 100}, "less than or equal to 99"),
        ({"window_minutes": 5, "half_life_minutes": 5, "interval_seconds": 120}, "three intervals"),
        ({"half_life_minutes": 61}, "half_life_minutes is 61"),
        ({"window_minutes": 240}, "less than or equal to 110"),
        ({"stale_after_seconds": 301}, "less than or equal to 300"),
        ({"reward": {"successes": "a_total", "trials": "a_total"}}, "successes and trials are both"),
        ({"reward": {"successes": "rate(a_total[5m])", "trials": "b_total"}}, "match pattern"),
        ({"reward": {"successes": 'a_total{shop="x}', "trials": "b_total"}}, "match pattern"),
        ({"reward": {"successes": "a_total{,,}", "trials": "b_total"}}, "match pattern"),
        ({"reward": {"successes": "a_total{shop=x}", "trials": "b_total"}}, "match pattern"),
        ({"reward": {"successes": 'a_total{shop="x",variant="b"}', "trials": "b_total"}}, "chooses by variant"),
        ({"reward": {"successes": 'a_total{ variant =~"b"}', "trials": "b_total"}}, "chooses by variant"),
    ],
)
def test_a_bandit_that_could_not_work_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        service({**BANDIT, **changed}, *(["b"] if "default" in changed else ["b", "c"]))
    told = json.loads(refused.value.json())
    assert said in json.dumps(told)


def test_a_bandit_without_challengers_is_refused() -> None:
    with pytest.raises(ValidationError, match="0 challengers"):
        service(BANDIT)


def test_a_contextual_service_has_its_variants_in_one_release() -> None:
    assert isinstance(service(CONTEXTUAL).traffic, Contextual)
    with pytest.raises(ValidationError, match="1 challengers with the strategy contextual"):
        service(CONTEXTUAL, "b")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"default": "c"}, "default names 'c'"),
        ({"router": "tumour_risk_b"}, "one of its own arms"),
        ({"arms": {"stable": "tumour_risk"}}, "at least 2"),
        ({"arms": {"stable": "same", "b": "same"}}, "twice"),
        ({"features": ["radius", "radius"]}, "twice"),
        ({"features": []}, "at least 1"),
        ({"log_values_of": {"age": "a public number, of no person"}}, "log_values_of names 'age'"),
        ({"log_values_of": {"radius": "because"}}, "at least 20"),
        ({"explore_percent": 0}, "greater than or equal to 1"),
        ({"latency_budget_ms": 250}, "latency_budget_ms is 250"),
    ],
)
def test_a_contextual_bandit_that_could_not_work_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        service({**CONTEXTUAL, **changed})
    assert said in refused.value.json()
