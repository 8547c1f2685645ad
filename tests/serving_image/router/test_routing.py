"""How the router decides: propensities that hold, picks that repeat, and settings that fit the release."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving_image.router.decisions import routing

told = routing()
SETTINGS: dict[str, Any] = {
    "arms": {"stable": "one", "b": "two"},
    "default": "stable",
    "features": ["radius", "texture"],
    "explore_percent": 10,
    "latency_budget_ms": 100,
    "log_values_of": ["radius"],
}
POLICY: dict[str, Any] = {
    "arms": ["stable", "b"],
    "features": [
        {"name": "radius", "input": "measurements", "index": 0},
        {"name": "texture", "input": "measurements", "index": 1},
    ],
    "weights_sha256": None,
    "trained": {},
}


def settings(**changed: Any) -> Any:
    return told.Settings.of_environment({told.SETTINGS_VARIABLE: json.dumps({**SETTINGS, **changed})})


def policy(folder: Path, **changed: Any) -> Any:
    (folder / told.POLICY_FILE).write_text(json.dumps({**POLICY, **changed}))
    return told.Policy.of_folder(folder, settings())


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda raw: sum(raw) > 0), st.floats(0.01, 1))
def test_propensities_sum_to_one_and_every_variant_keeps_its_part(raw: list[float], explore: float) -> None:
    probabilities = {f"arm{i}": value / sum(raw) for i, value in enumerate(raw)}
    found = told.propensities(probabilities, explore)
    assert math.isclose(sum(found.values()), 1, abs_tol=1e-9)
    assert min(found.values()) >= explore / len(raw) - 1e-12


@pytest.mark.parametrize("given_by", [{"a": math.nan, "b": 1.0}, {"a": -0.1, "b": 1.1}, {"a": 0.4, "b": 0.4}])
def test_what_is_no_probability_is_refused(given_by: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="the policy gave"):
        told.propensities(given_by, 0.1)


def test_variants_are_picked_as_often_as_their_propensity_says() -> None:
    chances = {"stable": 0.7, "b": 0.25, "c": 0.05}
    counts = Counter(told.pick(chances, f"request-{i}", i % 3) for i in range(20_000))
    for arm, chance in chances.items():
        error = math.sqrt(chance * (1 - chance) / 20_000)
        assert abs(counts[arm] / 20_000 - chance) < 4 * error


def test_a_request_that_is_asked_again_gets_the_same_variant() -> None:
    chances = {"stable": 0.5, "b": 0.5}
    assert {told.pick(chances, "same", 0) for _ in range(20)} == {told.pick(chances, "same", 0)}
    assert {told.pick(chances, "same", row) for row in range(20)} == {"stable", "b"}


def test_the_log_has_the_values_of_named_features_alone_and_a_digest_of_all() -> None:
    picked = told.Pick("b", 0.3, {"radius": 1.5, "texture": 99.25})
    line = told.line(
        picked, request="r", row=2, answered="b", reason="picked", policy="p", logged=frozenset({"radius"}), time="t"
    )
    assert line["features"] == {"radius": 1.5} and "99.25" not in json.dumps(line)
    assert line["features_sha256"] == told.features_digest("r", {"texture": 99.25, "radius": 1.5})
    assert (line["arm"], line["propensity"], line["row"]) == ("b", 0.3, 2)


def test_digests_of_equal_features_cannot_be_linked() -> None:
    assert told.features_digest("r1", {"a": 1.0}) != told.features_digest("r2", {"a": 1.0})


@pytest.mark.parametrize(
    "changed",
    [{"default": "c"}, {"explore_percent": 0}, {"latency_budget_ms": 0}, {"arms": ["stable"]}, {"features": None}],
)
def test_settings_that_do_not_hold_stop_the_start(changed: dict[str, Any]) -> None:
    with pytest.raises(told.RouterError, match="SEAWALL_ROUTER"):
        settings(**changed)


def test_no_settings_stop_the_start() -> None:
    with pytest.raises(told.RouterError, match="SEAWALL_ROUTER"):
        told.Settings.of_environment({})


def test_a_policy_without_weights_is_told_as_untrained(tmp_path: Path) -> None:
    assert policy(tmp_path).version == "untrained"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"arms": ["stable", "c"]}, "picks among stable, c"),
        ({"features": POLICY["features"][:1]}, "was trained on radius"),
        ({"weights_sha256": "0" * 64}, "is not the file"),
        ({"features": [{}]}, "cannot be read"),
    ],
)
def test_a_policy_for_something_else_stops_the_start(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(told.RouterError, match=said):
        policy(tmp_path, **changed)


def test_weights_of_another_training_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / told.WEIGHTS_FILE).write_bytes(b"one")
    digest = hashlib.sha256(b"one").hexdigest()
    assert policy(tmp_path, weights_sha256=digest).version == digest[:12]
    (tmp_path / told.WEIGHTS_FILE).write_bytes(b"two")
    with pytest.raises(told.RouterError, match="is not the file"):
        policy(tmp_path, weights_sha256=digest)
