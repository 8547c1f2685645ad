"""What the door and its services must agree on: settings in which one would break the other's promise are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.contracts.specs import FleetSpec
from tests.components.contracts.test_services import RELEASE, SERVICE
from tests.components.kubernetes.gateway.doors import JWT, MTLS, settings

BY_CLAIM = {
    "traffic": {
        "strategy": "a-b",
        "experiment": "small-net",
        "by": {"kind": "user-claim"},
        "shares": {"b": 10},
        "salt": "0123456789abcdef",
    },
    "challengers": {"b": {"release": RELEASE, "max_replicas": 1}},
}


def fleet(door: dict[str, Any], **services: dict[str, Any]) -> FleetSpec:
    found = {name: {**SERVICE, **changed} for name, changed in services.items()}
    asked = {
        "images": {"serving": f"sha256:{'a' * 64}"},
        "door": settings(**door),
        "services": found,
        "drilled": next(iter(found)),
    }
    return FleetSpec.model_validate_json(json.dumps(asked))


@pytest.mark.parametrize(
    ("door", "changed", "said"),
    [
        ({}, {"objective": {"p99_ms": 30_001, "availability_percent": 99.9}}, "gives a request up after 30000 ms"),
        (
            {"limits": {"request_seconds": 60}, "retries": {"attempts": 0}},
            {"exit_timeout_seconds": 30, "drain_seconds": 15},
            "a request may take 60 seconds",
        ),
        (
            {"limits": {"request_seconds": 60}, "retries": {"attempt_seconds": 50}},
            {"exit_timeout_seconds": 30, "drain_seconds": 15},
            "a request may take 50 seconds",
        ),
    ],
)
def test_times_that_break_a_promise_are_refused(door: dict[str, Any], changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        fleet(door, risk=changed)


def test_times_that_fit_are_taken() -> None:
    slow = {"exit_timeout_seconds": 60, "objective": {"p99_ms": 60_000, "availability_percent": 99.9}}
    assert fleet({"limits": {"request_seconds": 60}, "retries": {"attempts": 0}}, risk=slow)


def test_an_experiment_by_claim_has_tokens() -> None:
    assert fleet({"authentication": JWT}, risk=BY_CLAIM)
    with pytest.raises(ValidationError, match=r"door\.authentication is mtls"):
        fleet({"authentication": MTLS}, risk=BY_CLAIM)


def test_two_experiments_have_two_names() -> None:
    with pytest.raises(ValidationError, match="both have an experiment called small-net"):
        fleet({}, risk=BY_CLAIM, triage=BY_CLAIM)
