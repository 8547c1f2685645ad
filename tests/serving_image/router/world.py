"""A world whose truth is known: what each variant earns for each row, and a log that a router would have written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from serving_image.router.decisions import Decision, routing

ARMS = ("stable", "b")


def seeded(seed: int) -> random.Random:
    """Chance that repeats itself."""
    return random.Random(seed)  # noqa: S311 - a simulation


def truth(values: Mapping[str, float], arm: str) -> float:
    """The rate of reward: each variant is better for one half of the rows."""
    return 0.2 + 0.6 * (values["x"] if arm == "b" else 1 - values["x"])


def logging_chances(values: Mapping[str, float]) -> dict[str, float]:
    """The old policy: mostly stable, and more so for some rows than for others."""
    b = 0.1 + 0.3 * values["x"]
    return {"stable": 1 - b, "b": b}


def new_chances(values: Mapping[str, float]) -> dict[str, float]:
    """The policy to judge: nearly the best one."""
    b = 0.95 if values["x"] > 0.5 else 0.05
    return {"stable": 1 - b, "b": b}


NEW_WORTH = 0.2 + 0.6 * (0.95 * 0.75 + 0.05 * 0.25)
"""Of `new_chances`, for x evenly between 0 and 1: its pick earns 0.75 on average where it is the better one."""


def drawn(
    chance: random.Random,
    count: int,
    told_propensity: Callable[[float], float] = lambda p: p,
    worth: Callable[[Mapping[str, float], str], float] = truth,
) -> list[Decision]:
    """Rows as `read_decisions` gives them."""
    rows = []
    for number in range(count):
        values = {"x": chance.random()}
        chances = logging_chances(values)
        arm = "b" if chance.random() < chances["b"] else "stable"
        reward = float(chance.random() < worth(values, arm))
        rows.append(Decision(f"r{number}", 0, arm, told_propensity(chances[arm]), reward, values, "old"))
    return rows


def write_log(rows: list[Decision], folder: Path, logged: frozenset[str] = frozenset({"x"})) -> tuple[Path, Path]:
    """The files that `train` reads: the log, with other lines in between, and the rewards of rows that had one."""
    log, rewards = folder / "log", folder / "rewards"
    lines = ["I1122 server.cc:604] ", '{"event": "other"}']
    for row in rows:
        picked = routing().Pick(row.arm, row.propensity, row.values)
        line: dict[str, Any] = routing().line(
            picked,
            request=row.request,
            row=row.row,
            answered=row.arm,
            reason="picked",
            policy=row.policy,
            logged=logged,
            time="2026-11-22T00:00:00+00:00",
        )
        lines.append(json.dumps(line))
    log.write_text("\n".join(lines) + "\n")
    rewards.write_text(
        "".join(json.dumps({"request": r.request, "row": r.row, "reward": r.reward}) + "\n" for r in rows if r.reward)
    )
    return log, rewards
