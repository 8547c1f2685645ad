"""Reads the log of a router's decisions, and joins it with the rewards that came later. Standard library only."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

TEMPLATE: Final = Path(__file__).resolve().parent / "template"
ROW = tuple[str, int]
"""A request's id and the row within it."""


class LogError(Exception):
    """A file that cannot be used; its text says where and why."""


@dataclass(frozen=True)
class Decision:
    """One row that the router picked a variant for, and what came of it."""

    request: str
    row: int
    arm: str
    propensity: float
    """The probability with which it was picked."""
    reward: float
    """From 0 to 1."""
    values: Mapping[str, float]
    policy: str


def routing() -> ModuleType:
    """The template's module of decisions, which is no package: Triton loads it from its folder."""
    name = "seawall_router_routing"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TEMPLATE / "1" / "routing.py")
        assert spec is not None and spec.loader is not None  # noqa: S101 - a file of this folder
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
    return sys.modules[name]


def json_lines(path: Path, *, strict: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that is one; `strict`: any other line is an error.

    Raises:
        LogError: the file cannot be read, or has such a line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(f"{path} cannot be read: {error}") from error
    for number, text in enumerate(lines, 1):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict):
            yield number, found
        elif strict and text.strip():
            raise LogError(f"{path}:{number} is no JSON object")


def read_rewards(path: Path) -> dict[ROW, float]:
    """Rewards by row: lines of `{"request": …, "row": 0, "reward": 1}`; a row's last line counts.

    Raises:
        LogError: a line lacks one of them, or its reward is not between 0 and 1.
    """
    found: dict[ROW, float] = {}
    for number, told in json_lines(path, strict=True):
        reward = told.get("reward")
        if "request" not in told or not isinstance(reward, int | float) or not 0 <= reward <= 1:
            raise LogError(f"{path}:{number} needs a request, a row and a reward from 0 to 1")
        found[str(told["request"]), int(told.get("row", 0))] = float(reward)
    return found


def read_features(path: Path) -> dict[ROW, dict[str, float]]:
    """Features that the log may not hold: lines of `{"request": …, "row": 0, "features": {…}}`.

    Raises:
        LogError: a line lacks one of them.
    """
    found: dict[ROW, dict[str, float]] = {}
    for number, told in json_lines(path, strict=True):
        if "request" not in told or not isinstance(told.get("features"), dict):
            raise LogError(f"{path}:{number} needs a request, a row and features")
        found[str(told["request"]), int(told.get("row", 0))] = {k: float(v) for k, v in told["features"].items()}
    return found


def read_decisions(
    logs: Iterable[Path],
    rewards: Mapping[ROW, float],
    *,
    missing_reward: float | None,
    features: Mapping[ROW, Mapping[str, float]] | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> list[Decision]:
    """Every row that can be learnt from, once; lines of other kinds are passed over.

    A row for which the router failed has no propensity and is left out. A row whose picked variant failed stays: what
    its pick led to, the default variant's answer included, is the pick's doing.

    Args:
        missing_reward: the reward of a row without one; None: it is left out.
        features: for rows whose log does not have all; the log's digest must agree.

    Raises:
        LogError: a line is broken, its features are not known, or they are not those that the router saw.
    """
    digest = routing().features_digest
    found: dict[ROW, Decision] = {}
    left_out = {"without a pick": 0, "without a reward": 0, "twice": 0}
    for path in logs:
        for number, told in json_lines(path, strict=False):
            if told.get("event") != "route":
                continue
            try:
                row: ROW = (str(told["request"]), int(told["row"]))
                if told["arm"] is None:
                    left_out["without a pick"] += 1
                    continue
                propensity, arm = float(told["propensity"]), str(told["arm"])
                values = {**((features or {}).get(row) or {}), **told["features"]}
                seen, policy = str(told["features_sha256"]), str(told["policy"])
            except (KeyError, TypeError, ValueError) as error:
                raise LogError(f"{path}:{number} is no decision of this router: {error!r}") from error
            if not (math.isfinite(propensity) and 0 < propensity <= 1):
                raise LogError(f"{path}:{number} has the propensity {propensity}")
            if digest(row[0], values) != seen:
                raise LogError(
                    f"{path}:{number}: these are not the features that the router saw; give them by a file"
                )
            reward = rewards.get(row, missing_reward)
            if reward is None:
                left_out["without a reward"] += 1
            elif row in found:
                left_out["twice"] += 1
            else:
                found[row] = Decision(*row, arm, propensity, reward, values, policy)
    report(f"{len(found)} rows; left out: " + ", ".join(f"{count} {why}" for why, count in left_out.items()))
    return list(found.values())
