"""Routes: what passes the door, where it goes, and what is not let through."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.kubernetes.routes import (
    HTTP_CALLS,
    HeaderMatch,
    Mirror,
    Routes,
    Rule,
    Session,
    To,
    grpc_matches,
    grpc_route,
    http_matches,
    http_route,
    straight,
)

DOMAIN = "models.example.com"


def passes(method: str, path: str) -> bool:
    return any(method == allowed and re.fullmatch(pattern, path) for allowed, pattern in HTTP_CALLS)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/models/risk/infer"),
        ("POST", "/v2/models/risk/versions/3/infer"),
        ("GET", "/v2/models/risk/ready"),
        ("GET", "/v2/models/risk"),
        ("GET", "/v2/models/risk/config"),
        ("GET", "/v2/models/risk/versions/3"),
        ("GET", "/v2/models/risk/versions/3/ready"),
        ("GET", "/v2/health/ready"),
        ("GET", "/v2"),
    ],
)
def test_a_call_that_may_be_repeated_passes(method: str, path: str) -> None:
    assert passes(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/repository/models/risk/load"),
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/systemsharedmemory/region/a/register"),
        ("POST", "/v2/logging"),
        ("POST", "/v2/models/risk/trace/setting"),
        ("POST", "/v2/models/risk/generate_stream"),
        ("POST", "/v2/models/risk/infer/../../../repository/index"),
        ("GET", "/metrics"),
        ("GET", "/v2/models/stats"),
        ("GET", "/v2/models/risk/stats"),
    ],
)
def test_a_call_that_changes_the_server_or_tells_of_others_has_no_route(method: str, path: str) -> None:
    assert not passes(method, path)


@given(st.text("stats_ab-7", min_size=1, max_size=8))
def test_a_model_of_every_other_name_tells_its_metadata(name: str) -> None:
    assert passes("GET", f"/v2/models/{name}") == (name != "stats")


def test_no_stream_and_no_change_of_the_server_passes_over_grpc() -> None:
    methods = {match["method"]["method"] for match in grpc_matches()}

    assert "ModelInfer" in methods
    assert not methods & {"ModelStreamInfer", "RepositoryModelLoad", "SystemSharedMemoryRegister", "LogSettings"}


def test_http_and_grpc_have_host_names_of_their_own() -> None:
    routes = straight("tumour-risk")

    assert http_route(routes, DOMAIN)["spec"]["hostnames"] == ["tumour-risk.models.example.com"]
    assert grpc_route(routes, DOMAIN)["spec"]["hostnames"] == ["tumour-risk-grpc.models.example.com"]


def test_weights_name_the_variants_on_the_port_of_the_protocol() -> None:
    routes = Routes("risk", (Rule("all", (To("risk", 90), To("risk-b", 10))),))

    for route, port in ((http_route(routes, DOMAIN), 8000), (grpc_route(routes, DOMAIN), 8001)):
        told = [(ref["name"], ref["port"], ref["weight"]) for ref in route["spec"]["rules"][0]["backendRefs"]]
        assert told == [("risk", port, 90), ("risk-b", port, 10)]


def test_each_match_of_a_rule_asks_for_its_headers() -> None:
    matches = http_matches((HeaderMatch("x-cohort", "b"),))

    assert all(match["headers"] == [{"type": "Exact", "name": "x-cohort", "value": "b"}] for match in matches)


def test_a_mirror_gets_its_share_beside_the_answer() -> None:
    routes = Routes("risk", (Rule("all", (To("risk"),), mirrors=(Mirror("risk-shadow", 25),)),))

    (told,) = http_route(routes, DOMAIN)["spec"]["rules"][0]["filters"]

    assert told["requestMirror"]["percent"] == 25
    assert told["requestMirror"]["backendRef"]["name"] == "risk-shadow"


def test_a_session_cookie_lives_as_long_as_it_says() -> None:
    routes = Routes("risk", (Rule("all", (To("risk"),), session=Session("variant", seconds=60)),))

    told = http_route(routes, DOMAIN)["spec"]["rules"][0]["sessionPersistence"]

    assert (told["sessionName"], told["absoluteTimeout"]) == ("variant", "60s")
    assert told["cookieConfig"] == {"lifetimeType": "Permanent"}


def test_a_variant_can_be_told_from_its_answers() -> None:
    routes = Routes("risk", (Rule("all", (To("risk-b", 1, {"x-seawall-variant": "b"}),)),))

    (ref,) = http_route(routes, DOMAIN)["spec"]["rules"][0]["backendRefs"]

    assert ref["filters"] == [
        {
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "x-seawall-variant", "value": "b"}]},
        }
    ]
