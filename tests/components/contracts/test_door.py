"""The door's settings: what is refused, and that each refusal says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.contracts.door import DoorSpec, NoAuthentication, TokenAuthentication
from tests.components.kubernetes.gateway.doors import ISSUED, JWT, MTLS, NONE, PUBLIC, a_door, settings

PUBLIC_KEY = {"kty": "EC", "crv": "P-256", "kid": "a", "x": "YQ", "y": "Yg"}


def refusal(**changed: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        DoorSpec.model_validate_json(json.dumps(settings(**changed)))
    (found, *_) = caught.value.errors()
    assert found["type"] != "refused" or found.get("ctx", {}).get("remedy", "").endswith("."), found
    return str(caught.value)


def refused_context(**changed: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        DoorSpec.model_validate_json(json.dumps(settings(**changed)))
    return caught.value.errors()[0].get("ctx", {})


def keys(*found: dict[str, Any]) -> dict[str, Any]:
    asked = {name: value for name, value in JWT.items() if not name.startswith("keys")}
    return {**asked, "keys": json.dumps({"keys": list(found)})}


def test_a_door_is_internal_asks_for_tokens_and_has_two_replicas() -> None:
    door = a_door()

    assert door.public is None
    assert isinstance(door.authentication, TokenAuthentication)
    assert (door.replicas, door.tls_version) == (2, "1.2")


@pytest.mark.parametrize("authentication", [JWT, MTLS, NONE, keys(PUBLIC_KEY)])
def test_clients_are_known_by_token_or_certificate_or_a_reason_says_why_not(authentication: dict[str, Any]) -> None:
    assert a_door(authentication=authentication).authentication.kind == authentication["kind"]


def test_no_authentication_without_a_reason() -> None:
    assert "because" in refusal(authentication={"kind": "none"})
    assert "at least 20" in refusal(authentication={"kind": "none", "because": "no"})


@pytest.mark.parametrize("because", [" " * 30, "x" * 30, "because " * 4, "1234567890 1234567890"])
def test_a_reason_is_in_words(because: str) -> None:
    assert "different words" in refusal(authentication={"kind": "none", "because": because})


def test_no_door_without_authentication_in_the_settings() -> None:
    with pytest.raises(ValidationError, match="authentication"):
        DoorSpec.model_validate_json(json.dumps({"domain": "a.example.com", "certificate": ISSUED}))


def test_a_public_door_asks_who_comes() -> None:
    assert "public is set, and authentication is none" in refusal(public=PUBLIC, authentication=NONE)


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        (["0.0.0.0/0"], "source_ranges has 0.0.0.0/0"),
        (["0.0.0.0/1", "128.0.0.0/1"], "source_ranges has 0.0.0.0/1"),
        (["2.0.0.0/7"], "source_ranges has 2.0.0.0/7"),
        (["1.0.0.0/7"], "1.0.0.0/7 has host bits set"),
        (["here"], "Expected 4 octets in 'here'"),
        ([], "at least 1 item"),
    ],
)
def test_a_public_door_is_not_open_to_the_world(ranges: list[str], told: str) -> None:
    assert told in refusal(public={**PUBLIC, "source_ranges": ranges})


@pytest.mark.parametrize("ranges", [["10.0.0.0/8"], ["192.168.0.0/16"], ["100.64.0.0/12"], ["169.254.169.254/32"]])
def test_a_public_door_s_clients_are_on_the_internet(ranges: list[str]) -> None:
    assert "that the internet does not" in refusal(public={**PUBLIC, "source_ranges": ranges})


def test_many_ranges_together_are_no_wider_than_one() -> None:
    eight = [f"{first}.0.0.0/8" for first in range(1, 9)]

    assert "134,217,728 addresses together" in refusal(public={**PUBLIC, "source_ranges": eight})
    assert a_door(public={**PUBLIC, "source_ranges": ["203.0.113.0/24", "203.0.113.0/25", "1.0.0.0/9"]}).public


def test_a_public_door_has_no_private_clients() -> None:
    assert "public and client_cidrs" in refusal(public=PUBLIC, client_cidrs=["10.64.0.0/16"])


@pytest.mark.parametrize(
    "text", ["203.0.113.7", "203.0.113.0/255.255.255.0", "203.0.113.0/0.0.0.255", "203.0.113.1/24"]
)
def test_a_range_is_in_the_form_that_kubernetes_takes(text: str) -> None:
    assert refusal(public={**PUBLIC, "source_ranges": [text]})
    assert refusal(client_cidrs=[text.replace("203.0.113", "10.64.0")])


@pytest.mark.parametrize("text", ["127.0.0.0/8", "169.254.0.0/16", "192.0.2.0/24", "240.0.0.0/8", "198.18.0.0/15"])
def test_clients_of_an_internal_door_are_in_networks_of_one_s_own(text: str) -> None:
    assert "private ranges" in json.dumps(refused_context(client_cidrs=[text]))


@pytest.mark.parametrize("name", ["a..b", "a.-b", "-a", "a" * 254])
def test_a_name_is_one_that_objects_can_have(name: str) -> None:
    assert refusal(certificate={"kind": "secret", "name": name})


def test_what_stands_in_for_a_firewall_is_said() -> None:
    assert "firewall_because" in refusal(public={"source_ranges": ["203.0.113.0/24"]})


@pytest.mark.parametrize(
    "changed",
    [
        {"keys": json.dumps({"keys": [PUBLIC_KEY]})},
        {"keys_uri": ""},
        {"keys_cidrs": []},
        {"keys_cidrs": ["8.8.8.0/24"]},
        {"keys_uri": "http://login.example.com/keys"},
        {"issuer": "login.example.com"},
        {"audiences": []},
        {"audiences": [" "]},
        {"keys_uri": "https://login.example.com:99999/keys"},
        {"keys_uri": "https://login.example.com:0/keys"},
        {"keys_uri": "https://login.example.com:port/keys"},
        {"keys_uri": "https://[fd00::1]/keys"},
        {"keys_cidrs": ["10.64.0.1"]},
    ],
)
def test_keys_come_from_one_place_that_machines_can_reach(changed: dict[str, Any]) -> None:
    assert refusal(authentication={**JWT, **changed})


@pytest.mark.parametrize(
    "key",
    [
        {**PUBLIC_KEY, "d": "Yw"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kid": "no type"},
        {"kty": "none"},
        {"kty": ["EC"]},
        {"kty": "RSA", "e": "AQAB"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {**PUBLIC_KEY, "x": ""},
    ],
)
def test_a_private_or_shared_key_is_no_key_to_check_tokens_with(key: dict[str, Any]) -> None:
    assert "key" in refusal(authentication=keys(key))


@pytest.mark.parametrize("text", ["not json", "[]", '{"keys": []}', "[" * 100_000, '{"keys": [{"kty": NaN}]}'])
def test_keys_are_a_key_set(text: str) -> None:
    asked = keys(PUBLIC_KEY)
    assert "key" in refusal(authentication={**asked, "keys": text})


def test_old_tls_is_not_on_offer() -> None:
    assert "tls_version" in refusal(tls_version="1.1")


def test_one_replica_is_too_few() -> None:
    assert "replicas" in refusal(replicas=1)


def test_an_attempt_fits_into_a_request() -> None:
    assert "attempt_seconds" in refusal(limits={"request_seconds": 5}, retries={"attempt_seconds": 6})


def test_the_reason_is_kept() -> None:
    asked = a_door(authentication=NONE).authentication
    assert isinstance(asked, NoAuthentication)
    assert asked.because == NONE["because"]
