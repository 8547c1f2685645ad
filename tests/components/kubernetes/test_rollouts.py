"""What Flagger and the door are given for a canary: its own figures, the promise, no more rights than it needs."""

from __future__ import annotations

from typing import Any

import pytest

from components.contracts.door import DoorSpec
from components.contracts.rollout_specs import AnalysisSpec, BlueGreen, Canary, QualitySpec
from components.contracts.services import ServiceSpec
from components.kubernetes.custom import Manifest
from components.kubernetes.rollouts import analysis, rights
from components.kubernetes.rollouts.objects import (
    blue_green_routes,
    canary_grpc_routes,
    canary_objects,
    rolling_routes,
)
from components.kubernetes.routes import http_route

DOOR = DoorSpec.model_validate(
    {
        "domain": "models.example.com",
        "certificate": {"kind": "secret", "name": "door"},
        "authentication": {"kind": "none", "because": "a test asks nobody who they are"},
    }
)
READ = {"get", "list", "watch"}
QUALITY = QualitySpec(
    query="sum(rate(x{$canary}[$window])) / sum(rate(x{$primary}[$window]))",
    answers="sum(increase(x{$canary}[$window]))",
    min_answers=400,
    min=0.9,
)


def service(**more: Any) -> ServiceSpec:
    return ServiceSpec.model_validate(
        {
            "release": {"version": "1.0.0", "manifest_sha256": "a" * 64},
            "accelerator": "cpu",
            "max_replicas": 2,
            "objective": {"p99_ms": 250, "availability_percent": 99.9},
            "fallback": {"none_because": "A test has nobody else to ask."},
            **more,
        }
    )


def objects(asked: Canary | None = None) -> dict[str, Manifest]:
    made = canary_objects("risk", service(), asked or Canary(), DOOR, "http://prometheus:9090")
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in made}


def test_each_check_has_a_template_and_bounds() -> None:
    laid = objects(Canary(analysis=AnalysisSpec(quality=QUALITY)))
    metrics = laid["Canary/risk"]["spec"]["analysis"]["metrics"]
    assert [metric["name"] for metric in metrics] == ["error-percent", "p99-ms", "answers", "quality", "requests"]
    for metric in metrics:
        assert f"MetricTemplate/{metric['templateRef']['name']}" in laid
        assert metric["thresholdRange"]


def test_the_promise_is_the_bound_unless_a_stricter_one_is_set() -> None:
    def bound(asked: Canary) -> float:
        metrics = objects(asked)["Canary/risk"]["spec"]["analysis"]["metrics"]
        return next(m["thresholdRange"]["max"] for m in metrics if m["name"] == "p99-ms")

    assert bound(Canary()) == 250
    assert bound(Canary(analysis=AnalysisSpec(p99_ms=100))) == 100


def test_the_answers_are_counted_before_their_figure_is_judged() -> None:
    names = {check.name: check for check in analysis.checks("risk", AnalysisSpec(quality=QUALITY), 250, 60)}
    assert list(names).index("answers") < list(names).index("quality")
    assert names["answers"].bounds == {"min": 400}
    assert 'pod=~"risk-[^-]+-[^-]+"' in names["answers"].query
    assert "[60s]" in names["answers"].query


def test_no_check_can_pass_without_requests() -> None:
    """Each divides by the canary's own, or is over its own alone: without any it has no number, which fails."""
    for check in analysis.checks("risk", AnalysisSpec(quality=QUALITY), 250, 60):
        assert "backend/1" in check.query or "risk-[^-]+" in check.query, check.name
        assert not check.query.rstrip().endswith("or vector(0)"), check.name


def test_a_selector_of_the_new_pods_takes_no_others() -> None:
    import re

    new = re.search('pod=~"([^"]+)"', analysis.pods("risk"))
    old = re.search('pod=~"([^"]+)"', analysis.pods("risk-primary"))
    assert new is not None and old is not None
    assert re.fullmatch(new[1], "risk-5d6f7-abcde")
    assert not re.fullmatch(new[1], "risk-primary-5d6f7-abcde")
    assert re.fullmatch(old[1], "risk-primary-5d6f7-abcde")


def test_allowed_failures_are_survived_and_one_more_is_not() -> None:
    told = objects(Canary(analysis=AnalysisSpec(failed_checks_allowed=2)))["Canary/risk"]["spec"]["analysis"]
    assert told["threshold"] == 3


def test_the_two_releases_have_figures_of_their_own() -> None:
    policy = objects()["BackendTrafficPolicy/risk-releases"]["spec"]
    assert policy["loadBalancer"]["zoneAware"] == {"preferLocal": {"percentageEnabled": 0}}
    assert policy["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "risk"},
    ]


def test_the_policy_keeps_what_the_door_protects_by() -> None:
    policy = objects()["BackendTrafficPolicy/risk-releases"]["spec"]
    assert {"retry", "circuitBreaker", "rateLimit", "timeout", "healthCheck"} <= set(policy)


def test_only_calls_that_pass_the_door_pass_a_canary() -> None:
    ours = http_route(rolling_routes("risk"), DOOR.domain)["spec"]["rules"][0]["matches"]
    flaggers = objects()["Canary/risk"]["spec"]["service"]["match"]
    assert [(m["path"]["value"], m["method"]) for m in ours] == [
        (m["uri"]["regex"], m["method"]["exact"]) for m in flaggers
    ]


def test_flagger_tells_releases_apart_by_a_label_that_nothing_else_selects_by() -> None:
    assert rights.chart_values("serving", "http://p", "flagger")["selectorLabels"] == "app.kubernetes.io/instance"


@pytest.mark.parametrize("resource", ["secrets", "pods", "*", "roles", "deployments/scale", "canaries"])
def test_flagger_changes_nothing_that_it_does_not_step(resource: str) -> None:
    assert all(resource not in rule["resources"] or set(rule["verbs"]) <= READ for rule in rights.rules(["risk"]))


def test_flagger_deletes_nothing() -> None:
    verbs = {verb for rule in rights.rules(["risk"]) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch", "create", "update", "patch"}
    patched = [rule["resources"] for rule in rights.rules(["risk"]) if "patch" in rule["verbs"]]
    assert patched == [["events"]]


def test_flagger_changes_only_what_is_its_canaries_own() -> None:
    """RBAC cannot name what is watched or made; all else is named."""
    for rule in rights.rules(["risk", "other"]):
        unnamed = set(rule["verbs"]) - READ - {"create", "patch"}
        assert not unnamed or rule["resourceNames"], rule
        assert all(n == rights.LOCK or n.startswith(("risk", "other")) for n in rule.get("resourceNames", ()))


def test_the_leader_s_lock_is_where_flagger_takes_it() -> None:
    """It takes it in the namespace that it watches, whatever `-leader-election-namespace` says."""
    (held,) = [r for r in rights.rules(["risk"]) if r["resources"] == ["leases"] and "update" in r["verbs"]]
    assert held["resourceNames"] == [rights.LOCK]


@pytest.mark.parametrize(("live", "answers"), [("stable", "risk"), ("green", "risk-green")])
def test_the_live_colour_gets_all_and_the_other_stays_in_the_route(live: str, answers: str) -> None:
    (rule,) = blue_green_routes("risk", BlueGreen(live=live)).rules
    assert {to.service: to.weight for to in rule.to} == {
        name: 100 * (name == answers) for name in ("risk", "risk-green")
    }


def test_grpc_stays_with_the_held_release() -> None:
    (rule,) = canary_grpc_routes("risk").rules
    assert [to.service for to in rule.to] == ["risk-primary"]
