"""Golden sets for tests, and what the tests of a real Triton need."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.toolchain import ensure_serving_environment
from ops.serving.golden import GoldenPrediction, GoldenSet


@pytest.fixture
def golden() -> GoldenSet:
    return GoldenSet(
        "model",
        1e-4,
        (
            GoldenPrediction("a", (1.0, 2.0), 0.9, "malignant"),
            GoldenPrediction("b", (3.0, 4.0), 0.1, "benign"),
        ),
    )


@pytest.fixture(scope="session")
def serving_python() -> Path:
    """The interpreter of the serving environment; installed now if the cache lacks it."""
    try:
        return ensure_serving_environment()
    except UserError as error:
        pytest.skip(f"no serving environment: {error.what}")


@pytest.fixture(scope="session", autouse=True)
def _quiet_emulator() -> None:
    """A failed test shows its own log, not moto's line for each request."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
