"""Trains a router's policy from the log of decisions, and writes it only where it would have earned more.

    python -m serving_image.router.train --into RELEASE/router/1 --decisions LOG --rewards REWARDS \\
        --arm stable --arm b --default stable --feature radius=measurements:0 --missing-reward 0
    python -m serving_image.router.train --start --into RELEASE/router/1 --arm stable --arm b \\
        --feature radius=measurements:0

Run it with the serving environment's interpreter, from the checkout. A fifth of the rows, by a digest of the request,
judges and is not learnt from. Exit codes: 0 written, 1 not better than sending all rows to the default variant, 2
could not run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .decisions import Decision, LogError, read_decisions, read_features, read_rewards, routing
from .estimate import Chances, Estimate, RewardModel, dr_terms, gain, ips_terms

LEAST_ROWS = 200
"""Judging rows; fewer have no interval worth its name."""


def main(given: list[str] | None = None) -> int:
    """Train, and return the exit code."""
    asked = arguments_of(given)
    try:
        return start(asked) if asked.start else train(asked)
    except (LogError, OSError, ValueError) as error:
        print(f"error: {error}; where: {asked.into}; remedy: Repair the file or the option.", file=sys.stderr)
        return 2


def arguments_of(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="serving_image.router.train", description="Train a router's policy.")
    parser.add_argument("--into", required=True, type=Path, help="the version folder of the router in a release")
    parser.add_argument("--start", action="store_true", help="write a policy without weights: default, and exploring")
    parser.add_argument("--arm", action="append", required=True, help="a variant; at least two")
    parser.add_argument("--feature", action="append", required=True, help="NAME=INPUT:INDEX, where it lies in a row")
    parser.add_argument("--default", help="the variant that a policy must beat; the first one")
    parser.add_argument("--decisions", action="append", type=Path, default=[], help="a log of the router")
    parser.add_argument("--rewards", type=Path, help="JSON lines: request, row, reward")
    parser.add_argument("--features", type=Path, help="JSON lines: request, row, features, where the log has none")
    parser.add_argument("--missing-reward", choices=["0", "drop"], help="what a row without a reward line counts as")
    parser.add_argument("--explore-percent", type=float, default=5.0, help="of the settings, for the estimate")
    found = parser.parse_args(given)
    if len(set(found.arm)) < 2 or len(set(found.arm)) < len(found.arm):
        parser.error("--arm must be given at least twice, each once")
    if not found.start and not (found.decisions and found.rewards and found.missing_reward):
        parser.error("--decisions, --rewards and --missing-reward are needed, or --start")
    found.default = found.default or found.arm[0]
    if found.default not in found.arm:
        parser.error(f"--default is {found.default!r}, which is no --arm")
    found.feature = [_feature(text, parser) for text in found.feature]
    return found


def _feature(text: str, parser: argparse.ArgumentParser) -> dict[str, Any]:
    name, _, place = text.partition("=")
    tensor, _, index = place.rpartition(":")
    if not name or not tensor or not index.isdigit() or set(name) & set("|: \t\n"):
        parser.error(f"--feature is {text!r}, not NAME=INPUT:INDEX")
    return {"name": name, "input": tensor, "index": int(index)}


def start(asked: argparse.Namespace) -> int:
    """Write a policy without weights: the default variant, and what is explored."""
    write(asked.into, asked.arm, asked.feature, None, {"rows": 0})
    print(f"wrote a policy without weights to {asked.into}")
    return 0


def train(asked: argparse.Namespace) -> int:
    """Train, judge, and write the policy if it is better."""
    rows = read_decisions(
        asked.decisions,
        read_rewards(asked.rewards),
        missing_reward=None if asked.missing_reward == "drop" else 0.0,
        features=read_features(asked.features) if asked.features else None,
        report=print,
    )
    unknown = {row.arm for row in rows} - set(asked.arm)
    if unknown:
        raise ValueError(f"the log has the variants {', '.join(sorted(unknown))}, which are no --arm")
    names = [feature["name"] for feature in asked.feature]
    if any(not set(names) <= set(row.values) for row in rows):
        raise ValueError(f"the log's rows do not have all of {', '.join(names)}")
    learning, judging = split(rows)
    if len(judging) < LEAST_ROWS:
        raise ValueError(f"{len(judging)} rows to judge by are fewer than {LEAST_ROWS}")
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / routing().WEIGHTS_FILE
        learnt = learn(learning, asked.arm, names, weights)
        explore = asked.explore_percent / 100
        new = mixed(learnt, explore)
        old = mixed(lambda _: {arm: float(arm == asked.default) for arm in asked.arm}, explore)
        model = reward_model(learning, asked.arm, names)
        told = {
            "policy_ips": Estimate.of(ips_terms(judging, new)),
            "policy_dr": Estimate.of(dr_terms(judging, new, model)),
            "default_dr": Estimate.of(dr_terms(judging, old, model)),
            "gain_dr": gain(judging, new, old, model),
        }
        for name, found in told.items():
            print(f"{name}: {found.mean:.4f} ({found.low:.4f} to {found.high:.4f})")
        if told["gain_dr"].low <= 0:
            print(f"not written: it is not surely better than {asked.default} alone")
            return 1
        write(asked.into, asked.arm, asked.feature, weights, {"rows": len(learning), "gain": told["gain_dr"].mean})
    print(f"wrote the policy to {asked.into}")
    return 0


def split(rows: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Rows to learn from and rows to judge by; all rows of a request are on one side."""
    judging = {row.request for row in rows if hashlib.sha256(row.request.encode()).digest()[0] % 5 == 0}
    return [row for row in rows if row.request not in judging], [row for row in rows if row.request in judging]


def learn(rows: Sequence[Decision], arms: Sequence[str], names: Sequence[str], weights: Path) -> Chances:
    """Train the policy, save its weights, and return what it would pick."""
    from vowpalwabbit import Workspace  # pyright: ignore[reportMissingImports]  # of the serving environment

    told = routing()
    learner = Workspace(f"{told.POLICY_ARGUMENTS} --quiet --random_seed 1")
    for row in rows:
        label = (arms.index(row.arm), -row.reward, row.propensity)
        learner.learn(told.example({name: row.values[name] for name in names}, arms, label))
    learner.save(str(weights))
    learner.finish()
    policy = Workspace(f"--testonly --quiet --initial_regressor {weights}")

    def chances(values: Mapping[str, float]) -> Mapping[str, float]:
        found = policy.predict(told.example({name: values[name] for name in names}, arms))
        return dict(zip(arms, found, strict=True))

    return chances


def reward_model(rows: Sequence[Decision], arms: Sequence[str], names: Sequence[str]) -> RewardModel:
    """A regression of the reward on features and variant."""
    from vowpalwabbit import Workspace  # pyright: ignore[reportMissingImports]  # of the serving environment

    def text(values: Mapping[str, float], arm: str, label: str = "") -> str:
        return f"{label}|x " + " ".join(f"{name}:{values[name]:.9g}" for name in names) + f" |a arm={arm}"

    regression = Workspace("--quiet -q xa --random_seed 1 --min_prediction 0 --max_prediction 1")
    for row in rows:
        regression.learn(text(row.values, row.arm, f"{row.reward:.9g} "))
    known: dict[tuple[tuple[float, ...], str], float] = {}

    def expected(values: Mapping[str, float], arm: str) -> float:
        key = tuple(values[name] for name in names), arm
        if key not in known:
            known[key] = float(regression.predict(text(values, arm)))
        return known[key]

    assert all(arm in arms for arm in {row.arm for row in rows})  # noqa: S101 - checked before
    return expected


def mixed(chances: Chances, explore: float) -> Chances:
    """A policy as the router follows it: with its even share."""
    propensities = routing().propensities
    return lambda values: propensities(chances(values), explore)


def write(
    into: Path, arms: Sequence[str], features: Sequence[Any], weights: Path | None, trained: Mapping[str, Any]
) -> None:
    """Write the policy's files, weights first: a half-written pair does not fit together, and is refused."""
    told = routing()
    into.mkdir(parents=True, exist_ok=True)
    target = into / told.WEIGHTS_FILE
    digest = None
    if weights is None:
        target.unlink(missing_ok=True)
    else:
        shutil.copyfile(weights, target)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
    policy = {"arms": list(arms), "features": list(features), "weights_sha256": digest, "trained": dict(trained)}
    (into / told.POLICY_FILE).write_text(json.dumps(policy, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
