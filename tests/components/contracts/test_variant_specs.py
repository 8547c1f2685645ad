"""What shadow, A/B and fallback may be asked for, and what each is refused with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from components.contracts.traffic_specs import TrafficSpec
from components.contracts.variant_specs import (
    BUCKETS,
    ABTest,
    FallbackSpec,
    Shadow,
    check_fallbacks,
    check_lateness,
)

HASHED: dict[str, Any] = {
    "strategy": "a-b",
    "experiment": "small-net",
    "by": {"kind": "user-header", "name": "x-user-id"},
    "shares": {"b": 10},
    "salt": "0123456789abcdef",
}
NONE = {"none_because": "no other model answers this question"}


def traffic(**values: Any) -> Any:
    return TypeAdapter(TrafficSpec).validate_json(json.dumps(values))


def test_a_shadow_s_comparison_is_on_by_default() -> None:
    asked = traffic(strategy="shadow", challenger="b")
    assert isinstance(asked, Shadow)
    assert (asked.percent, asked.compare_percent) == (100, 5)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"percent": 0}, "percent"),
        ({"percent": 101}, "percent"),
        ({"compare_percent": -1}, "compare_percent"),
        ({"challenger": "Stable"}, "challenger"),
    ],
)
def test_a_shadow_outside_its_bounds_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        traffic(**{"strategy": "shadow", "challenger": "b", **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"salt": None}, "no salt"),
        ({"salt": "short"}, "no salt, or it is short"),
        ({"shares": {}}, "0 challengers have shares"),
        ({"shares": {"b": 1, "c": 1, "d": 1}}, "3 challengers have shares"),
        ({"shares": {"b": 60, "c": 41}}, "101 percent together"),
        ({"shares": {"b": 101}}, "100"),
        ({"by": {"kind": "user-header", "name": "authorization"}}, "holds a credential"),
        ({"by": {"kind": "user-header", "name": "x-seawall-variant"}}, "the door's own"),
        ({"by": {"kind": "user-header", "name": "X-User"}}, "name"),
        ({"by": {"kind": "header", "name": "x-cohort", "values": {"beta": "b"}}}, "shares or a salt beside"),
        ({"by": {"kind": "ip"}}, "kind"),
        ({"experiment": "Small Net"}, "experiment"),
    ],
)
def test_an_experiment_that_would_mislead_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        traffic(**{**HASHED, **changed})


@pytest.mark.parametrize(
    "by",
    [
        {"kind": "cookie"},
        {"kind": "user-claim"},
        {"kind": "user-header", "name": "x-user-id"},
    ],
)
def test_a_hashed_experiment_takes_each_way_to_know_a_user(by: dict[str, Any]) -> None:
    asked = traffic(**{**HASHED, "by": by})
    assert isinstance(asked, ABTest)
    assert asked.challengers == ("b",)


def test_an_encrypted_salt_needs_no_key_for_a_plan() -> None:
    assert traffic(**{**HASHED, "salt": {"secure": "AAABAL…"}}).salt is not None


def test_the_salt_is_in_no_printed_form() -> None:
    assert "0123456789abcdef" not in repr(traffic(**HASHED)) + traffic(**HASHED).model_dump_json()


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_what_one_challenger_gains_only_the_stable_variant_loses(first: int, second: int, more: int) -> None:
    def owners(shares: dict[str, int]) -> dict[str, set[int]]:
        bounds = traffic(**{**HASHED, "shares": shares}).bounds
        return {name: set(range(*bound)) for name, bound in bounds.items()}

    before = owners({"b": first, "c": second})
    after = owners({"b": min(50, first + more), "c": second})
    assert not before["b"] & before["c"]
    assert len(before["b"]) == first * BUCKETS // 100
    assert before["b"] <= after["b"]
    assert before["c"] == after["c"]
    assert not after["b"] & after["c"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "none_because is None"),
        ({"service": "small", "challenger": "b"}, "service is 'small'"),
        ({**NONE, "service": "small"}, "service is 'small'"),
        ({**NONE, "after_ms": 100}, "without anybody who answers"),
        ({**NONE, "on": ["unreachable"]}, "without anybody who answers"),
        ({"service": "small", "on": []}, "answers on no failure"),
        ({"service": "small", "on": ["unreachable", "unreachable"]}, "twice"),
        ({"service": "small", "after_ms": 5}, "after_ms"),
        ({"none_because": "no"}, "none_because"),
    ],
)
def test_a_fallback_that_says_nothing_or_two_things_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FallbackSpec.model_validate_json(json.dumps(values))


def test_a_fallback_only_for_lateness_is_taken() -> None:
    asked = FallbackSpec.model_validate_json('{"service": "small", "after_ms": 100, "on": []}')
    assert (asked.answers, asked.after_ms) == (True, 100)


def fallbacks(**services: str | None) -> dict[str, FallbackSpec]:
    return {
        name: FallbackSpec(service=other) if other else FallbackSpec(none_because=NONE["none_because"])
        for name, other in services.items()
    }


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"a": "a"}, "circle: a → a"),
        ({"a": "b", "b": "a"}, "circle: a → b → a"),
        ({"a": "b", "b": "c", "c": "b"}, "circle: a → b → c → b"),
        ({"a": "gone"}, "no service of the fleet"),
    ],
)
def test_fallbacks_that_end_nowhere_are_refused(services: dict[str, str], said: str) -> None:
    with pytest.raises(PydanticCustomError, match=said):
        check_fallbacks(fallbacks(**services))


def test_a_chain_of_fallbacks_that_ends_is_taken() -> None:
    check_fallbacks(fallbacks(a="b", b="c", c=None))


@pytest.mark.parametrize(("after_ms", "is_taken"), [(1999, True), (2000, False), (2001, False), (None, True)])
def test_a_fallback_is_asked_before_the_door_gives_the_request_up(after_ms: int | None, is_taken: bool) -> None:
    asked = {
        "a": FallbackSpec(service="b", after_ms=after_ms),
        "b": FallbackSpec(none_because="Nothing else knows the answer."),
    }
    if is_taken:
        check_lateness(asked, request_seconds=2)
    else:
        with pytest.raises(PydanticCustomError, match="gives a request up after 2000 ms"):
            check_lateness(asked, request_seconds=2)
