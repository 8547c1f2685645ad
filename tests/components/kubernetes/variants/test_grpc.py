"""A/B, shadow and fallback over gRPC, and by the claim of a token: the real Envoy, and faults that are seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from components.contracts import serving
from components.contracts.door import DoorSpec, TokenAuthentication
from components.contracts.variant_specs import ABTest
from components.contracts.variants import FALLBACK, RELEASE, SERVED_BY, VARIANT
from components.kubernetes.variants.experiment import assign
from localcloud.gateway import open_gateway
from tests.components.kubernetes.variants.conftest import (
    SERVICE,
    GrpcClient,
    Laid,
    Pods,
    certificate,
    connected,
    plan,
)
from tests.components.kubernetes.variants.services import AB, DOOR, SHADOW, service
from tests.localcloud.gateway.plane import AUDIENCE, ISSUER, Issuer

pytestmark = [pytest.mark.gateway, pytest.mark.xdist_group("gateway")]

SECRET = certificate()
USERS = [f"user-{number}" for number in range(200)]
KEYS = Issuer()
OK, UNAVAILABLE = grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE


@pytest.fixture(scope="module")
def opened(pods: Pods, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laid]:
    objects, log = experiment()[1], tmp_path_factory.mktemp("door") / "log"
    with open_gateway(objects, pods.backends, log=log) as door:
        yield Laid(door, objects, pods.backends)


def experiment(door: DoorSpec = DOOR, **changed: Any) -> tuple[ABTest, list[dict[str, Any]]]:
    spec = service(**{**AB, "traffic": {**AB["traffic"], **changed}})
    assert isinstance(spec.traffic, ABTest)
    return spec.traffic, plan(spec, SECRET, door=door)


def shown(laid: Laid, users: list[str]) -> dict[str, str]:
    """Which pod each user gets over gRPC, on a new connection."""
    with GrpcClient(laid.door, SECRET) as client:
        return {user: client.call({"x-user-id": user}).name for user in users}


# A/B


def test_users_get_over_grpc_what_their_hash_says_on_every_connection(laid: Laid, pods: Pods) -> None:
    test, objects = experiment()
    laid.lay(objects, pods.backends)
    first, again = shown(laid, USERS), shown(laid, USERS[:50])
    with connected(laid.door) as client:
        over_http = {user: client.ask({"x-user-id": user}).name for user in USERS[:50]}
    assert first == {user: assign(test, user).variant for user in USERS}
    assert {"stable", "b"} == set(first.values())
    assert again == over_http == {user: first[user] for user in USERS[:50]}


def test_a_grpc_answer_says_who_gave_it_and_a_client_cannot_choose(laid: Laid, pods: Pods) -> None:
    test, objects = experiment()
    laid.lay(objects, pods.backends)
    someone = next(user for user in USERS if assign(test, user).variant == "stable")
    with GrpcClient(laid.door, SECRET) as client:
        spoofed = client.call({"x-user-id": someone, VARIANT: "b"})
        nobody = client.call({VARIANT: "b"})
    assert (spoofed.name, nobody.name) == ("stable", "stable")
    assert {name: spoofed.headers[name] for name in (VARIANT, SERVED_BY, RELEASE)} == {
        VARIANT: "stable",
        SERVED_BY: SERVICE,
        RELEASE: "1.0.1",
    }


def test_a_visitor_s_cookie_holds_over_grpc_too(laid: Laid, pods: Pods) -> None:
    _, objects = experiment(by={"kind": "cookie"}, shares={"b": 50})
    laid.lay(objects, pods.backends)
    with GrpcClient(laid.door, SECRET) as client, connected(laid.door) as browser:
        visits = [client.call() for _ in range(20)]
        cookies = [visit.headers["set-cookie"].split(";")[0] for visit in visits]
        later = [client.call({"cookie": cookie}) for cookie in cookies]
        over_http = [browser.ask({"cookie": cookie}).name for cookie in cookies]
    assert {visit.name for visit in visits} == {"stable", "b"}
    assert [visit.name for visit in visits] == [visit.name for visit in later] == over_http
    assert not any("set-cookie" in visit.headers for visit in later)


def test_a_header_s_value_names_the_variant_over_grpc(laid: Laid, pods: Pods) -> None:
    _, objects = experiment(by={"kind": "header", "name": "x-cohort", "values": {"beta": "b"}}, shares={}, salt=None)
    laid.lay(objects, pods.backends)
    with GrpcClient(laid.door, SECRET) as client:
        names = [client.call(headers).name for headers in ({"x-cohort": "beta"}, {"x-cohort": "gamma"}, {})]
    assert names == ["b", "stable", "stable"]


def test_without_its_filter_on_the_grpc_route_nobody_is_shown_the_challenger(laid: Laid, pods: Pods) -> None:
    test, objects = experiment()
    for each in objects:
        if each["kind"] == "EnvoyExtensionPolicy":
            each["spec"]["targetRefs"] = [ref for ref in each["spec"]["targetRefs"] if ref["kind"] == "HTTPRoute"]
    laid.lay(objects, pods.backends)
    assert shown(laid, USERS[:60]) != {user: assign(test, user).variant for user in USERS[:60]}


# A/B by the claim of a verified token


def with_tokens(claim: str, *, checked: bool = True) -> tuple[ABTest, list[dict[str, Any]]]:
    asked = TokenAuthentication(kind="jwt", issuer=ISSUER, audiences=(AUDIENCE,), keys=KEYS.keys)
    door = DOOR.model_copy(update={"authentication": asked})
    test, objects = experiment(door, by={"kind": "user-claim", "claim": claim})
    # As without tokens, so that only what is tested changes: a client's limit is not reached here anyway.
    return test, [each for each in objects if checked or each["kind"] != "SecurityPolicy"]


def bearer(user: Any, claim: str = "sub", issuer: Issuer = KEYS) -> dict[str, str]:
    return {"authorization": f"Bearer {issuer.token('one-client', **{claim: user})}"}


def test_a_token_s_claim_picks_the_variant_over_http_and_grpc(laid: Laid, pods: Pods) -> None:
    test, objects = with_tokens("patient")
    laid.lay(objects, pods.backends)
    expected = {user: assign(test, user).variant for user in USERS[:60]}
    with connected(laid.door) as client, GrpcClient(laid.door, SECRET) as channel:
        over_http = {user: client.ask(bearer(user, "patient")).name for user in expected}
        over_grpc = {user: channel.call(bearer(user, "patient")).name for user in expected}
        someone = next(user for user in expected if expected[user] == "b")
        forged = client.ask(bearer(someone, "patient", Issuer(ISSUER)))
        without = [client.ask(bearer(value, "patient")).name for value in (7, "", None)]
        other = channel.call(bearer(someone, "other"))
        in_header = client.ask({**bearer("x", "other"), "patient": someone})
    assert over_http == over_grpc == expected
    assert {"stable", "b"} == set(expected.values())
    assert forged.status == 401
    assert without == ["stable"] * 3, "a claim that is no text, or empty, or missing, names nobody"
    assert (other.name, in_header.name) == ("stable", "stable")


def test_a_claim_that_nobody_verified_picks_no_variant(laid: Laid, pods: Pods) -> None:
    test, objects = with_tokens("patient", checked=False)
    laid.lay(objects, pods.backends)
    chosen = [user for user in USERS[:60] if assign(test, user).variant == "b"]
    with connected(laid.door) as client:
        assert {client.ask(bearer(user, "patient")).name for user in chosen} == {"stable"}


# Shadow


def test_a_shadow_gets_copies_of_grpc_calls_and_answers_nobody(laid: Laid, pods: Pods) -> None:
    laid.lay(plan(service(**SHADOW), SECRET), pods.backends)
    with GrpcClient(laid.door, SECRET) as client:
        called = [client.call() for _ in range(300)]
    time.sleep(0.5)
    assert Counter((each.code, each.name) for each in called) == {(OK, "stable"): 300}
    assert 75 <= len(pods.b.ids) <= 165, "40 percent of 300 are 120, give or take five standard deviations"
    assert set(pods.b.ids) <= set(pods.stable.ids), "copies bear the ids of the requests"
    assert not pods.recorder.ids, "the recorder speaks HTTP alone"


def test_without_its_mirror_a_shadow_would_get_no_grpc_calls(laid: Laid, pods: Pods) -> None:
    objects = plan(service(**SHADOW), SECRET)
    for each in objects:
        if each["kind"] == "GRPCRoute":
            each["spec"]["rules"][0].pop("filters")
    laid.lay(objects, pods.backends)
    with GrpcClient(laid.door, SECRET) as client:
        assert {client.call().name for _ in range(50)} == {"stable"}
    assert not pods.b.ids


# Fallback


def with_fallback(pods: Pods, **fallback: Any) -> list[dict[str, Any]]:
    return plan(service(fallback={"service": "small", "after_ms": 150, **fallback}), SECRET, pods.small.pod)


def test_the_fallback_answers_over_grpc_when_the_service_fails_or_is_late_and_says_so(laid: Laid, pods: Pods) -> None:
    laid.lay(with_fallback(pods), pods.backends)
    counter = r"lua\.seawall_fallback_answers\.tumour-risk$"
    before = laid.door.admin.total(counter)
    with GrpcClient(laid.door, SECRET) as client:
        sound = client.call()
        pods.stable.status = 503
        failed = client.call()
        pods.stable.status = 500
        broken = client.call()
        pods.stable.status, pods.stable.seconds = 200, 1.0
        late = client.call()
    for each in (failed, broken, late):
        assert (each.code, each.name) == (OK, "small")
        assert {name: each.headers[name] for name in (FALLBACK, SERVED_BY, RELEASE)} == {
            FALLBACK: SERVICE,
            SERVED_BY: "small",
            RELEASE: "0.9.1",
        }
    assert 0.15 <= late.seconds < 0.6
    assert (sound.name, sound.headers[RELEASE], FALLBACK in sound.headers) == ("stable", "1.0.1", False)
    assert laid.door.admin.total(counter) == before + 3


def test_a_grpc_call_that_is_wrong_is_not_asked_again_and_an_error_of_both_is_the_service_s(
    laid: Laid, pods: Pods
) -> None:
    laid.lay(with_fallback(pods), pods.backends)
    with GrpcClient(laid.door, SECRET) as client:
        pods.stable.status = 400
        wrong = client.call()
        asked = len(pods.small.ids)
        pods.stable.status, pods.small.status = 503, 500
        both = client.call()
    assert (wrong.code, wrong.name, asked) == (grpc.StatusCode.INVALID_ARGUMENT, "stable", 0)
    assert (both.code, both.name, FALLBACK in both.headers) == (UNAVAILABLE, "stable", False)


def test_the_fallback_answers_over_grpc_when_no_replica_is_there(laid: Laid, pods: Pods) -> None:
    laid.lay(with_fallback(pods), {**pods.backends, (serving.NAMESPACE, SERVICE): []})
    with GrpcClient(laid.door, SECRET) as client:
        found = client.call()
    assert (found.code, found.name, found.headers[FALLBACK]) == (OK, "small", SERVICE)


def test_without_a_policy_on_the_grpc_route_no_fallback_would_answer(laid: Laid, pods: Pods) -> None:
    objects = with_fallback(pods)
    (policy,) = (
        each for each in objects if each["kind"] == "BackendTrafficPolicy" and each["metadata"]["name"] == SERVICE
    )
    policy["spec"]["targetRefs"] = [ref for ref in policy["spec"]["targetRefs"] if ref["kind"] == "HTTPRoute"]
    laid.lay(objects, pods.backends)
    pods.stable.seconds = 1.0
    with GrpcClient(laid.door, SECRET) as client:
        found = client.call()
    assert (found.name, FALLBACK in found.headers, found.seconds >= 1.0) == ("stable", False, True)


def test_a_slow_shadow_delays_no_grpc_answer(laid: Laid, pods: Pods) -> None:
    everything = service(**{**SHADOW, "traffic": {**SHADOW["traffic"], "percent": 100}})
    laid.lay(plan(everything, SECRET), pods.backends)
    pods.b.seconds = 2.0
    with GrpcClient(laid.door, SECRET) as client:
        called = [client.call() for _ in range(40)]
    time.sleep(0.3)
    assert sorted(each.seconds for each in called)[35] < 0.5
    assert {each.name for each in called} == {"stable"}
