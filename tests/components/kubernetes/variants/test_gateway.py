"""A/B, shadow and fallback as the real Envoy Gateway and Envoy do them, and planted faults that these tests see."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from components.contracts.variant_specs import ABTest
from components.contracts.variants import FALLBACK, RELEASE, SERVED_BY, VARIANT
from components.kubernetes.variants.experiment import assign
from localcloud.gateway import Door, open_gateway
from ops.variants.exposures import LOG, count
from tests.components.kubernetes.variants.conftest import (
    SERVICE,
    Answer,
    Client,
    Laid,
    Pods,
    certificate,
    connected,
    plan,
)
from tests.components.kubernetes.variants.services import AB, SHADOW, service

pytestmark = [pytest.mark.gateway, pytest.mark.xdist_group("gateway")]

SECRET = certificate()
USERS = [f"user-{number}" for number in range(1000)]
LOG_SECONDS = 15
"""Envoy writes its access log every ten seconds."""


@pytest.fixture(scope="module")
def opened(pods: Pods, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laid]:
    objects, log = plan(service(**AB), SECRET), tmp_path_factory.mktemp("door") / "log"
    with open_gateway(objects, pods.backends, log=log) as door:
        yield Laid(door, objects, pods.backends)


def experiment(**changed: Any) -> tuple[ABTest, list[dict[str, Any]]]:
    spec = service(**{**AB, "traffic": {**AB["traffic"], **changed}})
    assert isinstance(spec.traffic, ABTest)
    return spec.traffic, plan(spec, SECRET)


def shown(door: Door, users: list[str]) -> dict[str, str]:
    """Which pod each user gets, on a new connection."""
    with connected(door) as client:
        return {user: client.ask({"x-user-id": user}).name for user in users}


def counted(door: Door, pattern: str) -> int:
    return door.admin.total(pattern)


def answers(client: Client, times: int) -> list[Answer]:
    return [client.ask() for _ in range(times)]


def p99(found: list[Answer]) -> float:
    return sorted(each.seconds for each in found)[int(len(found) * 0.99) - 1]


def test_a_thousand_users_get_what_the_settings_say_and_only_the_needed_ones_move(laid: Laid, pods: Pods) -> None:
    before, objects = experiment(shares={"b": 30})
    laid.lay(objects, pods.backends)
    first = shown(laid.door, USERS)
    again = shown(laid.door, USERS[:200])
    after, objects = experiment(shares={"b": 40})
    laid.lay(objects, pods.backends)
    grown = shown(laid.door, USERS)
    assert first == {user: assign(before, user).variant for user in USERS}
    assert {user: first[user] for user in again} == again
    moved = {user for user in USERS if grown[user] != first[user]}
    assert moved == {user for user in USERS if assign(before, user).variant != assign(after, user).variant}
    assert {(first[user], grown[user]) for user in moved} == {("stable", "b")}
    assert 60 <= len(moved) <= 140


def test_the_log_s_exposures_are_the_requests_and_name_nobody(laid: Laid, pods: Pods) -> None:
    test, objects = experiment(experiment="logged")
    laid.lay(objects, pods.backends)
    truth = Counter(shown(laid.door, USERS[:300]).values())
    shown(laid.door, USERS[:100])
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + LOG_SECONDS
    while len(found) < 400 and time.monotonic() < deadline:
        time.sleep(0.5)
        lines = laid.door.access_log()
        found = [line for line in lines if line.get("log") == LOG and line["experiment"] == "logged"]
    counts = count(found, test.expected_shares)
    assert (sum(counts.requests.values()), counts.users, counts.crossed) == (400, dict(truth), 0)
    assert counts.served_otherwise == 0
    assert {line["user"] for line in found} == {assign(test, user).user for user in USERS[:300]}
    assert "user-1" not in str(found)
    assert counted(laid.door, r"lua\.seawall_exposures\.logged\.") == 400


def test_a_client_can_neither_choose_its_variant_nor_be_two_users(laid: Laid, pods: Pods) -> None:
    test, objects = experiment()
    laid.lay(objects, pods.backends)
    someone = next(user for user in USERS if assign(test, user).variant == "stable")
    with connected(laid.door) as client:
        spoofed = client.ask({"x-user-id": someone, VARIANT: "b", SERVED_BY: "x", FALLBACK: "x"})
        nobody = client.ask({VARIANT: "b"})
    assert (spoofed.name, nobody.name) == ("stable", "stable")
    assert FALLBACK not in spoofed.headers
    assert (spoofed.headers[VARIANT], spoofed.headers[RELEASE]) == ("stable", "1.0.1")


def test_a_visitor_stays_with_the_variant_of_its_cookie(laid: Laid, pods: Pods) -> None:
    _, objects = experiment(by={"kind": "cookie"}, shares={"b": 50})
    laid.lay(objects, pods.backends)
    with connected(laid.door) as client:
        visits = [client.ask() for _ in range(40)]
        cookies = [visit.headers["set-cookie"] for visit in visits]
        later = [client.ask({"cookie": f"other=1; {cookie.split(';')[0]}"}) for cookie in cookies]
    assert [visit.name for visit in visits] == [visit.name for visit in later]
    assert {visit.name for visit in visits} == {"stable", "b"}
    assert not any("set-cookie" in visit.headers for visit in later)
    assert all(part in cookies[0] for part in ("Secure", "HttpOnly", "SameSite=Lax", "Max-Age=7776000"))


def test_a_header_s_value_names_the_variant(laid: Laid, pods: Pods) -> None:
    _, objects = experiment(by={"kind": "header", "name": "x-cohort", "values": {"beta": "b"}}, shares={}, salt=None)
    laid.lay(objects, pods.backends)
    with connected(laid.door) as client:
        names = [client.ask(headers).name for headers in ({"x-cohort": "beta"}, {"x-cohort": "gamma"}, {})]
    assert names == ["b", "stable", "stable"]


@pytest.mark.parametrize("fault", ["no filter", "another salt", "variant from the client"])
def test_a_planted_fault_of_the_experiment_is_seen(laid: Laid, pods: Pods, fault: str) -> None:
    test, objects = experiment()
    if fault == "no filter":
        objects = [each for each in objects if each["kind"] != "EnvoyExtensionPolicy"]
    elif fault == "another salt":
        _, objects = experiment(salt="fedcba9876543210")
    else:
        objects = [each for each in objects if each["kind"] not in ("ClientTrafficPolicy", "EnvoyExtensionPolicy")]
    laid.lay(objects, pods.backends)
    if fault == "variant from the client":
        with connected(laid.door) as client:
            assert client.ask({VARIANT: "b"}).name == "b"
    else:
        assert shown(laid.door, USERS[:100]) != {user: assign(test, user).variant for user in USERS[:100]}


def test_a_shadow_gets_its_share_and_answers_nobody(laid: Laid, pods: Pods) -> None:
    laid.lay(plan(service(**SHADOW), SECRET), pods.backends)
    with connected(laid.door) as client:
        names = Counter(each.name for each in answers(client, 600))
    time.sleep(0.3)
    assert names == {"stable": 600}
    assert 180 <= len(pods.b.ids) <= 300, "40 percent of 600 are 240, give or take five standard deviations"
    assert 8 <= len(pods.recorder.ids) <= 60, "5 percent of 600 are 30"
    assert set(pods.b.ids) <= set(pods.stable.ids), "copies bear the ids of the requests"


def test_a_slow_or_dead_shadow_harms_no_answer(laid: Laid, pods: Pods) -> None:
    everything = service(**{**SHADOW, "traffic": {**SHADOW["traffic"], "percent": 100, "compare_percent": 100}})
    laid.lay(plan(everything, SECRET), pods.backends)
    with connected(laid.door) as client:
        quiet = answers(client, 200)
        pods.b.seconds = pods.recorder.seconds = 2.0
        slow = answers(client, 200)
        pods.b.status = 503
        failing = answers(client, 50)
    gone = {key: [] if key[1] != SERVICE else value for key, value in pods.backends.items()}
    laid.lay(laid.objects, gone)
    with connected(laid.door) as client:
        dead = answers(client, 200)
    assert {each.status for each in (*quiet, *slow, *failing, *dead)} == {200}
    assert len(pods.b.ids) >= 400, "all were copied"
    assert max(p99(slow), p99(failing), p99(dead)) < p99(quiet) + 0.25


def test_a_shadow_that_answers_would_be_seen(laid: Laid, pods: Pods) -> None:
    objects = plan(service(**SHADOW), SECRET)
    for each in objects:
        if each["kind"] == "HTTPRoute":
            each["spec"]["rules"][0]["backendRefs"].append({"kind": "Service", "name": f"{SERVICE}-b", "port": 8000})
    laid.lay(objects, pods.backends)
    with connected(laid.door) as client:
        assert {each.name for each in answers(client, 20)} == {"stable", "b"}


def with_fallback(pods: Pods, **fallback: Any) -> list[dict[str, Any]]:
    return plan(service(fallback={"service": "small", **fallback}), SECRET, pods.small.pod)


def test_the_fallback_answers_when_the_service_fails_or_is_late_and_says_so(laid: Laid, pods: Pods) -> None:
    before = counted(laid.door, r"lua\.seawall_fallback_answers\.tumour-risk$")
    laid.lay(with_fallback(pods, after_ms=150), pods.backends)
    with connected(laid.door) as client:
        sound = client.ask()
        pods.stable.status = 500
        failed = client.ask()
        pods.stable.status, pods.stable.seconds = 200, 1.0
        late = client.ask()
    for each in (failed, late):
        assert (each.status, each.name) == (200, "small")
        assert {name: each.headers[name] for name in (FALLBACK, SERVED_BY, RELEASE)} == {
            FALLBACK: SERVICE,
            SERVED_BY: "small",
            RELEASE: "0.9.1",
        }
    assert 0.15 <= late.seconds < 0.6
    assert (sound.name, sound.headers[RELEASE]) == ("stable", "1.0.1")
    assert FALLBACK not in sound.headers
    assert counted(laid.door, r"lua\.seawall_fallback_answers\.tumour-risk$") == before + 2


def test_without_further_attempts_no_fallback_would_answer(laid: Laid, pods: Pods) -> None:
    objects = with_fallback(pods, after_ms=150)
    (policy,) = (
        each for each in objects if each["kind"] == "BackendTrafficPolicy" and each["metadata"]["name"] == SERVICE
    )
    # Left out, Envoy Gateway 1.9.1 has two of its own.
    policy["spec"]["retry"] = {"numRetries": 0}
    laid.lay(objects, pods.backends)
    pods.stable.status = 503
    with connected(laid.door) as client:
        found = client.ask()
    assert (found.status, found.name) == (503, "stable")
    assert not pods.small.ids


def test_a_fallback_that_fails_too_leaves_the_service_s_own_error(laid: Laid, pods: Pods) -> None:
    laid.lay(with_fallback(pods, after_ms=150), pods.backends)
    pods.stable.status, pods.small.status = 500, 503
    with connected(laid.door) as client:
        found = client.ask()
    assert (found.status, found.name) == (500, "stable")
    assert FALLBACK not in found.headers
    assert (len(pods.stable.ids), len(pods.small.ids)) == (2, 1)


def test_the_fallback_answers_when_no_replica_is_ready(laid: Laid, pods: Pods) -> None:
    laid.lay(with_fallback(pods), {**pods.backends, ("serving", SERVICE): []})
    with connected(laid.door) as client:
        found = client.ask()
    assert (found.status, found.name, found.headers[FALLBACK]) == (200, "small", SERVICE)


def test_a_request_that_is_wrong_is_not_asked_again(laid: Laid, pods: Pods) -> None:
    laid.lay(with_fallback(pods, after_ms=150), pods.backends)
    pods.stable.status = 400
    with connected(laid.door) as client:
        assert client.ask().status == 400
    assert not pods.small.ids


def test_a_fallback_for_lateness_alone_leaves_failures_to_the_client(laid: Laid, pods: Pods) -> None:
    laid.lay(with_fallback(pods, after_ms=150, on=[]), pods.backends)
    pods.stable.status = 500
    with connected(laid.door) as client:
        assert client.ask().status == 500
    assert not pods.small.ids
