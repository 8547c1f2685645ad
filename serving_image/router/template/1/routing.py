"""Decides which variant answers a row, with what probability, and what the log says of it. Standard library only.

The policy's probabilities are mixed with an even share, so that each variant's propensity is at least
`explore_percent` / 100 / variants, and the log can tell what any other policy would have earned.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS_VARIABLE = "SEAWALL_ROUTER"
"""What the platform tells the router, as JSON: the service's settings of its strategy `contextual`."""
POLICY_FILE = "policy.json"
WEIGHTS_FILE = "policy.vw"
POLICY_ARGUMENTS = "--cb_explore_adf --cb_type mtr --epsilon 0 -q xa"
"""Vowpal Wabbit's, for training; kept in the file of weights. The features of a row are in the namespace `x`, a
variant's name is in `a`, and their products let each variant have a slope of its own. It explores nothing by itself:
the share for that is a setting of the stack."""


class RouterError(Exception):
    """The router cannot start: settings and release do not fit."""


@dataclass(frozen=True)
class Settings:
    """What a stack asks of the router."""

    arms: Mapping[str, str]
    """Variant → model."""
    default: str
    features: tuple[str, ...]
    explore: float
    """Share of the rows that are shared out evenly."""
    budget_s: float
    """Longest time that a picked variant may take."""
    logged: frozenset[str]
    """Features whose values may stand in the log."""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            RouterError: they are missing or wrong: a fleet that is set up wrongly must not become ready.
        """
        try:
            told: dict[str, Any] = json.loads(environment[SETTINGS_VARIABLE])
            found = cls(
                {str(arm): str(model) for arm, model in told["arms"].items()},
                str(told["default"]),
                tuple(told["features"]),
                float(told["explore_percent"]) / 100,
                float(told["latency_budget_ms"]) / 1000,
                frozenset(told["log_values_of"]),
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise RouterError(f"{SETTINGS_VARIABLE} is not what this router reads: {error!r}") from error
        if found.default not in found.arms or not 0 < found.explore <= 1 or not found.budget_s > 0:
            raise RouterError(f"{SETTINGS_VARIABLE} has no default variant, no exploration or no latency budget")
        return found


@dataclass(frozen=True)
class Feature:
    """Where a feature lies in a request."""

    name: str
    input: str
    index: int
    """Within a row of the input."""


@dataclass(frozen=True)
class Policy:
    """What a release brings: which features it was trained on, for which variants, and its weights."""

    features: tuple[Feature, ...]
    arms: tuple[str, ...]
    version: str
    """The digest of its weights; `untrained`: it has none."""
    weights: Path | None

    @classmethod
    def of_folder(cls, folder: Path, settings: Settings) -> Policy:
        """Read a policy that fits the settings.

        Raises:
            RouterError: it is for other variants or features, or its files do not belong together.
        """
        try:
            told: dict[str, Any] = json.loads((folder / POLICY_FILE).read_text(encoding="utf-8"))
            features = tuple(Feature(str(f["name"]), str(f["input"]), int(f["index"])) for f in told["features"])
            arms, digest = tuple(told["arms"]), told["weights_sha256"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RouterError(f"{folder / POLICY_FILE} cannot be read: {error!r}") from error
        if set(arms) != set(settings.arms):
            raise RouterError(f"the policy picks among {', '.join(arms)}, the settings {', '.join(settings.arms)}")
        if {feature.name for feature in features} != set(settings.features):
            names = ", ".join(feature.name for feature in features)
            raise RouterError(f"the policy was trained on {names}, the settings name {', '.join(settings.features)}")
        if digest is None:
            return cls(features, arms, "untrained", None)
        weights = folder / WEIGHTS_FILE
        if not weights.is_file() or hashlib.sha256(weights.read_bytes()).hexdigest() != digest:
            raise RouterError(f"{weights} is not the file that {POLICY_FILE} was written for")
        return cls(features, arms, digest[:12], weights)


def example(
    values: Mapping[str, float], arms: Sequence[str], label: tuple[int, float, float] | None = None
) -> list[str]:
    """A row in Vowpal Wabbit's text form.

    Args:
        label: of a row to learn from: which arm it got, its cost, and the probability that it got it.
    """
    shared = "shared |x " + " ".join(f"{name}:{value:.9g}" for name, value in values.items())
    lines = [shared]
    for number, arm in enumerate(arms):
        told = f"{number}:{label[1]:.9g}:{label[2]:.9g} " if label is not None and label[0] == number else ""
        lines.append(f"{told}|a arm={arm}")
    return lines


def propensities(probabilities: Mapping[str, float], explore: float) -> dict[str, float]:
    """A policy's probabilities, mixed with the even share.

    Raises:
        ValueError: they are no probabilities.
    """
    if not all(math.isfinite(p) and p >= 0 for p in probabilities.values()):
        raise ValueError(f"the policy gave {dict(probabilities)}")
    total = sum(probabilities.values())
    if not math.isclose(total, 1.0, abs_tol=1e-3):
        raise ValueError(f"the policy gave {dict(probabilities)}, which sum to {total}")
    even = 1 / len(probabilities)
    return {arm: (1 - explore) * p / total + explore * even for arm, p in probabilities.items()}


def pick(chances: Mapping[str, float], request: str, row: int) -> str:
    """The variant of a row: drawn by its request's id, so that a request that is asked again gets the same one."""
    digest = hashlib.sha256(f"{request}\n{row}".encode()).digest()
    point = int.from_bytes(digest[:8]) / 2**64
    for arm, chance in chances.items():
        point -= chance
        if point < 0:
            return arm
    return max(chances, key=lambda arm: chances[arm])  # rounding left a hair's breadth


def features_digest(request: str, values: Mapping[str, float]) -> str:
    """By what training finds that it joined the right row: salted by the request, so that rows cannot be linked."""
    told = json.dumps([request, {name: float(f"{values[name]:.9g}") for name in sorted(values)}])
    return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Pick:
    """What was picked for a row; `arm` None: the router failed, and there is nothing to learn from the row."""

    arm: str | None
    propensity: float | None
    values: Mapping[str, float]


def line(
    picked: Pick,
    *,
    request: str,
    row: int,
    answered: str,
    reason: str,
    policy: str,
    logged: frozenset[str],
    time: str,
) -> dict[str, Any]:
    """What the log says of a row: whatever the variant's fate, the pick and its propensity as they were drawn."""
    return {
        "event": "route",
        "time": time,
        "request": request,
        "row": row,
        "arm": picked.arm,
        "propensity": picked.propensity,
        "answered": answered,
        "reason": reason,
        "policy": policy,
        "features_sha256": features_digest(request, picked.values) if picked.values else None,
        "features": {name: value for name, value in picked.values.items() if name in logged},
    }
