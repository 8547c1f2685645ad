"""Where requests go under shadow, A/B and with a fallback, as the objects that the door reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.contracts.apart import Apart
from components.contracts.door import RESERVED_PREFIXES
from components.contracts.services import ServiceSpec
from components.contracts.variant_specs import ABTest
from components.contracts.variants import FALLBACK, RELEASE, SERVED_BY, VARIANT
from components.kubernetes.gateway.objects import Exposure, client_policy, proxy
from components.kubernetes.routes import grpc_route, http_route
from components.kubernetes.variants.experiment import assign, context
from components.kubernetes.variants.extensions import extensions_of
from components.kubernetes.variants.routing import (
    fallback_backends,
    fallback_policy,
    filters_of,
    routes_of,
)
from tests.components.kubernetes.variants.services import AB, DOOR, SHADOW, SMALL, service


def rules(spec: ServiceSpec) -> list[dict[str, Any]]:
    return http_route(routes_of("tumour-risk", fleet(spec)), DOOR.domain)["spec"]["rules"]


def fleet(spec: ServiceSpec) -> dict[str, ServiceSpec]:
    return {"tumour-risk": spec, "small": SMALL}


def backends(rule: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["kind"], each["name"]) for each in rule["backendRefs"]]


def response_headers(rule: dict[str, Any]) -> dict[str, str]:
    modifier = next(each for each in rule["filters"] if each["type"] == "ResponseHeaderModifier")
    return {each["name"]: each["value"] for each in modifier["responseHeaderModifier"]["set"]}


def mirrors(rule: dict[str, Any]) -> list[tuple[str, int]]:
    found = [each["requestMirror"] for each in rule["filters"] if each["type"] == "RequestMirror"]
    return [(each["backendRef"]["name"], each["percent"]) for each in found]


def test_a_shadow_s_answers_come_from_the_stable_variant_alone() -> None:
    (rule,) = rules(service(**SHADOW))
    assert backends(rule) == [("Service", "tumour-risk")]


def test_a_shadow_copies_to_the_challenger_and_to_the_recorder() -> None:
    (rule,) = rules(service(**SHADOW))
    assert mirrors(rule) == [("tumour-risk-b", 40), ("tumour-risk-recorder", 5)]


def test_a_shadow_that_compares_nothing_has_no_recorder() -> None:
    (rule,) = rules(service(**{**SHADOW, "traffic": {**SHADOW["traffic"], "compare_percent": 0}}))
    assert mirrors(rule) == [("tumour-risk-b", 40)]


def test_the_recorder_gets_no_grpc() -> None:
    (rule,) = grpc_route(routes_of("tumour-risk", fleet(service(**SHADOW))), DOOR.domain)["spec"]["rules"]
    assert mirrors(rule) == [("tumour-risk-b", 40)]


def test_each_challenger_of_an_experiment_has_a_rule_and_the_rest_is_stable() -> None:
    first, last = rules(service(**AB))
    assert (backends(first), backends(last)) == ([("Service", "tumour-risk-b")], [("Service", "tumour-risk")])
    assert all({"type": "Exact", "name": VARIANT, "value": "b"} in match["headers"] for match in first["matches"])
    assert not any("headers" in match for match in last["matches"])


def test_every_answer_says_who_gave_it() -> None:
    for spec in (service(), service(**SHADOW), service(**AB)):
        for rule in rules(spec):
            assert {SERVED_BY, VARIANT, RELEASE} <= response_headers(rule).keys()


def test_clients_cannot_say_which_variant_they_get() -> None:
    removed = client_policy(DOOR)["spec"]["headers"]["earlyRequestHeaders"]["removeOnMatch"]
    prefixes = {each["value"] for each in removed if each["type"] == "Prefix"}
    assert set(RESERVED_PREFIXES) <= prefixes
    assert all(name.startswith(tuple(prefixes)) for name in (SERVED_BY, VARIANT, RELEASE, FALLBACK))


def test_a_fallback_is_asked_after_the_service_and_the_answer_says_so() -> None:
    (rule,) = rules(service(fallback={"service": "small", "after_ms": 150}))
    assert backends(rule) == [("Service", "tumour-risk"), ("Backend", "tumour-risk-fallback-http")]
    told = response_headers(rule)
    assert told[FALLBACK].endswith("? 'tumour-risk' : '')%")
    assert told[RELEASE].endswith("? '0.9.1' : '1.0.1')%")


def test_without_a_fallback_no_answer_says_that_there_was_one() -> None:
    (rule,) = rules(service())
    assert FALLBACK not in response_headers(rule)


def test_a_variant_is_not_its_own_fallback() -> None:
    first, last = rules(service(**{**AB, "fallback": {"challenger": "b"}}))
    assert backends(first) == [("Service", "tumour-risk-b")]
    assert backends(last) == [("Service", "tumour-risk"), ("Backend", "tumour-risk-fallback-http")]


def test_each_variant_tells_its_own_release() -> None:
    assert [response_headers(rule)[RELEASE] for rule in rules(service(**AB))] == ["1.1.1", "1.0.1"]


@pytest.mark.parametrize(
    ("changed", "switched_on"),
    [
        ({}, set()),
        (SHADOW, set()),
        (AB, {"enableLua"}),
        ({"fallback": {"service": "small"}}, {"enableLua", "enableBackend"}),
    ],
)
def test_envoy_gateway_may_do_no_more_than_the_services_need(changed: dict[str, Any], switched_on: set[str]) -> None:
    asked = extensions_of([service(**changed), SMALL])
    assert {name for name, on in asked.items() if on} == switched_on


def test_the_fallback_s_backends_are_of_lower_priority() -> None:
    http, grpc = fallback_backends("tumour-risk", "10.1.2.3")
    assert all(each["spec"]["fallback"] is True for each in (http, grpc))
    assert [each["spec"]["endpoints"][0]["ip"]["port"] for each in (http, grpc)] == [8000, 8001]


def policy(**fallback: Any) -> dict[str, Any]:
    spec = service(fallback={"service": "small", **fallback})
    return fallback_policy(DOOR, "tumour-risk", spec.fallback)["spec"]


def test_a_late_attempt_ends_when_the_settings_say() -> None:
    retry = policy(after_ms=150)["retry"]
    assert retry["perRetry"]["timeout"] == "150ms"
    assert "reset" in retry["retryOn"]["triggers"]


def test_a_fallback_only_for_lateness_leaves_failures_to_the_client() -> None:
    assert set(policy(after_ms=150, on=[])["retry"]["retryOn"]["triggers"]) == {"reset", "deadline-exceeded"}


def test_each_priority_is_asked_once_before_the_next() -> None:
    retry = policy()["retry"]
    assert (retry["numAttemptsPerPriority"], retry["numRetries"]) == (1, 2)


def test_no_budget_keeps_a_request_from_the_fallback() -> None:
    assert policy()["circuitBreaker"]["retryBudget"]["percent"] == {"numerator": 100, "denominator": 100}


def test_the_fallback_keeps_the_door_s_other_limits() -> None:
    assert {"rateLimit", "requestBuffer", "healthCheck", "timeout"} <= policy().keys()


def test_filters_are_only_where_they_are_needed() -> None:
    assert filters_of("tumour-risk", service()) == []
    assert len(filters_of("tumour-risk", service(**AB))[0]["spec"]["lua"]) == 1
    both = service(**{**AB, "fallback": {"service": "small"}})
    assert len(filters_of("tumour-risk", both)[0]["spec"]["lua"]) == 2


def test_the_filter_is_told_what_the_settings_say() -> None:
    test = service(**AB).traffic
    assert isinstance(test, ABTest)
    assert context(test) == {
        "experiment": "small-net",
        "kind": "user-header",
        "name": "x-user-id",
        "ranges": [{"variant": "b", "from": 0, "to": 3000}],
        "salt": "0123456789abcdef",
    }


def test_users_are_shared_out_as_asked_and_move_only_where_a_share_grows() -> None:
    def shown(share: int) -> dict[str, str]:
        test = service(**{**AB, "traffic": {**AB["traffic"], "shares": {"b": share}}}).traffic
        assert isinstance(test, ABTest)
        return {user: assign(test, user).variant for user in map(str, range(2000))}

    before, after = shown(10), shown(20)
    assert abs(sum(each == "b" for each in before.values()) - 200) < 50
    moved = {user for user in before if before[user] != after[user]}
    assert {(before[user], after[user]) for user in moved} == {("stable", "b")}


def test_another_experiment_shuffles_users_anew() -> None:
    def shown(name: str) -> set[str]:
        test = service(**{**AB, "traffic": {**AB["traffic"], "experiment": name}}).traffic
        assert isinstance(test, ABTest)
        return {user for user in map(str, range(2000)) if assign(test, user).variant == "b"}

    both = shown("one") & shown("two")
    assert 120 < len(both) < 240, "30 percent of 30 percent of 2,000 are 180"


def test_the_door_logs_exposures_by_themselves() -> None:
    settings = proxy(DOOR, "image", Exposure(), Apart(2))["spec"]["telemetry"]["accessLog"]["settings"]
    (exposures,) = [each for each in settings if "matches" in each]
    assert exposures["format"]["json"]["log"] == "seawall-exposure"


@pytest.mark.parametrize("private", ["x-user-id", "authorization", "path", "address"])
def test_the_exposure_log_names_nobody(private: str) -> None:
    settings = proxy(DOOR, "image", Exposure(), Apart(2))["spec"]["telemetry"]["accessLog"]["settings"]
    (exposures,) = [each for each in settings if "matches" in each]
    assert private not in json.dumps(exposures["format"]).lower()
