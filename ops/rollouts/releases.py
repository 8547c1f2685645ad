"""Releases of the exercise's model: a sound one, and three that are bad in a way of their own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODEL: Final = "exercise"
MEASUREMENTS: Final = 10
THRESHOLD: Final = 0.5
QUALITY_QUERY: Final = (
    'abs(sum(increase(seawall_answers_total{$canary,label="malignant"}[$window])) '
    "/ sum(increase(seawall_answers_total{$canary}[$window])) "
    '- sum(increase(seawall_answers_total{$primary,label="malignant"}[$window])) '
    "/ sum(increase(seawall_answers_total{$primary}[$window])))"
)
"""How far apart the two releases are in how often they say "malignant": 0 to 1. Nobody has to know who is right."""
QUALITY_ANSWERS: Final = "sum(increase(seawall_answers_total{$canary}[$window]))"
"""Of how many answers that is."""
QUALITY_MAX: Final = 0.25
_TEMPLATE: Final = Path(__file__).parent / "exercise"
_CONFIG: Final = """name: "{model}"
backend: "python"
max_batch_size: 0
input [ {{ name: "measurements" data_type: TYPE_FP32 dims: [ 1, {measurements} ] }} ]
output [
  {{ name: "probability" data_type: TYPE_FP32 dims: [ 1, 1 ] }},
  {{ name: "label" data_type: TYPE_STRING dims: [ 1, 1 ] }}
]
instance_group [ {{ count: 3 kind: KIND_CPU }} ]
parameters: {{ key: "delay_ms" value: {{ string_value: "{delay_ms}" }} }}
parameters: {{ key: "fail_percent" value: {{ string_value: "{fail_percent}" }} }}
parameters: {{ key: "threshold" value: {{ string_value: "{threshold}" }} }}
"""


@dataclass(frozen=True)
class Release:
    """A release of the exercise's model."""

    version: str
    fault: str = ""
    """What is wrong with it, in a word; empty: nothing."""
    delay_ms: int = 0
    """By how much it is slower."""
    fail_percent: int = 0
    """How many of a hundred requests it answers with an error."""
    threshold: float = THRESHOLD
    """From which score on it says "malignant"; another one than `THRESHOLD` makes wrong answers."""


def sound(version: str) -> Release:
    """A release as it should be."""
    return Release(version)


def slow(version: str) -> Release:
    """Right, and late."""
    return Release(version, "slow", delay_ms=600)


def failing(version: str) -> Release:
    """An error instead of each third answer."""
    return Release(version, "failing", fail_percent=34)


def wrong(version: str) -> Release:
    """In time, without an error, and wrong: it says "malignant" to all."""
    return Release(version, "wrong answers", threshold=-1.0)


def write(release: Release, folder: Path) -> Path:
    """Write the release's model repository below `folder`, and return it."""
    repository = folder / release.version
    shutil.copytree(_TEMPLATE, repository / MODEL, ignore=shutil.ignore_patterns("__pycache__"))
    config = _CONFIG.format(
        model=MODEL,
        measurements=MEASUREMENTS,
        delay_ms=release.delay_ms,
        fail_percent=release.fail_percent,
        threshold=release.threshold,
    )
    (repository / MODEL / "config.pbtxt").write_text(config, encoding="utf-8")
    return repository


def right_label(measurements: tuple[float, ...]) -> str:
    """What a sound release says."""
    return "malignant" if sum(measurements) / len(measurements) >= THRESHOLD else "benign"
