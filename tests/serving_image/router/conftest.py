"""A policy that Vowpal Wabbit learnt from a log of the world."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from common.paths import repo_root
from serving_image.router.decisions import Decision
from tests.serving_image.router.world import write_log

Train = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def train(serving_python: Path) -> Train:
    """Trains a policy of rows, as a person does, for the arms `stable`, `b` and more."""

    def run(rows: Sequence[Decision], folder: Path, into: Path, *more: str) -> subprocess.CompletedProcess[str]:
        log, rewards = write_log(list(rows), folder)
        return subprocess.run(
            [
                *(str(serving_python), "-m", "serving_image.router.train", "--into", str(into)),
                *("--decisions", str(log), "--rewards", str(rewards), "--missing-reward", "0"),
                *("--arm", "stable", "--arm", "b", "--feature", "x=measurements:0", *more),
            ],
            cwd=repo_root(),
            capture_output=True,
            text=True,
            check=False,
        )

    return run
