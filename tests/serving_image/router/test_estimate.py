"""What a log tells of another policy: without bias while the propensities are true, and only then."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev

import pytest

from serving_image.router.decisions import LogError, read_decisions, read_features, read_rewards
from serving_image.router.estimate import Estimate, dr_terms, gain, ips_terms
from tests.serving_image.router.world import (
    NEW_WORTH,
    drawn,
    logging_chances,
    new_chances,
    seeded,
    truth,
    write_log,
)

RUNS, ROWS = 200, 300


def bias(estimates: list[float]) -> float:
    """How many standard errors the mean of many estimates is away from the truth."""
    return abs(fmean(estimates) - NEW_WORTH) / (stdev(estimates) / math.sqrt(len(estimates)))


def wrong_model(values: Mapping[str, float], arm: str) -> float:
    """A model of the reward that is off everywhere."""
    return 0.9 if arm == "stable" else 0.3 * values["x"]


def runs(**how: object) -> list[list]:
    chance = seeded(11)
    return [drawn(chance, ROWS, **how) for _ in range(RUNS)]  # type: ignore[arg-type]


def test_ips_has_no_bias() -> None:
    assert bias([fmean(ips_terms(rows, new_chances)) for rows in runs()]) < 3


@pytest.mark.parametrize("model", [truth, wrong_model])
def test_dr_has_no_bias_whatever_its_model_is_worth(model: object) -> None:
    assert bias([fmean(dr_terms(rows, new_chances, model)) for rows in runs()]) < 3  # type: ignore[arg-type]


def test_a_good_model_makes_dr_less_noisy_than_ips() -> None:
    found = runs()
    ips = stdev(fmean(ips_terms(rows, new_chances)) for rows in found)
    assert stdev(fmean(dr_terms(rows, new_chances, truth)) for rows in found) < 0.7 * ips


def test_the_mean_reward_of_the_log_is_no_estimate() -> None:
    """What these tests can see: the log's own mean, which judges the old policy, is far away."""
    assert bias([fmean(row.reward for row in rows) for rows in runs()]) > 10


def test_propensities_that_are_not_those_of_the_draw_are_seen_as_bias() -> None:
    assert (
        bias([fmean(ips_terms(rows, new_chances)) for rows in runs(told_propensity=lambda p: min(1, 1.3 * p))]) > 10
    )


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    inside = 0
    for rows in runs():
        found = Estimate.of(dr_terms(rows, new_chances, truth))
        inside += found.low <= NEW_WORTH <= found.high
    assert inside / RUNS > 0.9


def test_the_gain_over_the_old_policy_is_that_of_the_truth() -> None:
    rows = drawn(seeded(3), 20_000)
    old_worth = (
        fmean(truth(row.values, arm) * p for row in rows for arm, p in logging_chances(row.values).items()) * 2
    )
    found = gain(rows, new_chances, logging_chances, truth)
    assert found.low < NEW_WORTH - old_worth < found.high


def test_one_row_has_no_interval() -> None:
    with pytest.raises(ValueError, match="too few"):
        Estimate.of([1.0])


def read(log: Path, rewards: Path, missing: float | None = 0.0, features: Path | None = None) -> list:
    known = read_features(features) if features else None
    return read_decisions([log], read_rewards(rewards), missing_reward=missing, features=known)


def test_a_log_joins_with_its_rewards(tmp_path: Path) -> None:
    rows = drawn(seeded(1), 50)
    log, rewards = write_log(rows, tmp_path)
    assert read(log, rewards) == rows
    assert read(log, rewards, None) == [row for row in rows if row.reward]


def test_a_row_that_is_logged_twice_counts_once(tmp_path: Path) -> None:
    rows = drawn(seeded(1), 5)
    log, rewards = write_log(rows, tmp_path)
    log.write_text(log.read_text() * 2)
    assert len(read(log, rewards)) == 5


def test_a_row_without_a_pick_is_left_out(tmp_path: Path) -> None:
    log, rewards = write_log(drawn(seeded(1), 2), tmp_path)
    first, second = [json.loads(line) for line in log.read_text().splitlines()[2:]]
    log.write_text("\n".join(json.dumps(line) for line in ({**first, "arm": None, "propensity": None}, second)))
    assert [row.request for row in read(log, rewards)] == ["r1"]


def test_masked_features_come_from_a_file_and_must_be_those_that_the_router_saw(tmp_path: Path) -> None:
    rows = drawn(seeded(1), 5)
    log, rewards = write_log(rows, tmp_path, logged=frozenset())
    with pytest.raises(LogError, match="not the features that the router saw"):
        read(log, rewards)
    features = tmp_path / "features"
    lines = [{"request": row.request, "row": row.row, "features": dict(row.values)} for row in rows]
    features.write_text("\n".join(map(json.dumps, lines)))
    assert read(log, rewards, features=features) == rows
    lines[2]["features"] = {"x": 0.123}
    features.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(LogError, match="not the features that the router saw"):
        read(log, rewards, features=features)


@pytest.mark.parametrize("propensity", [0, -0.1, 1.5, "NaN"])
def test_a_propensity_that_is_none_is_refused(tmp_path: Path, propensity: object) -> None:
    log, rewards = write_log(drawn(seeded(1), 1), tmp_path)
    line = json.loads(log.read_text().splitlines()[-1])
    log.write_text(json.dumps({**line, "propensity": propensity}))
    with pytest.raises(LogError, match="has the propensity"):
        read(log, rewards)


@pytest.mark.parametrize("line", ['{"request": "a", "row": 0, "reward": 2}', '{"reward": 1}', "not json"])
def test_a_broken_reward_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rewards"
    path.write_text(line)
    with pytest.raises(LogError, match="rewards:1"):
        read_rewards(path)
