"""One deployed stack for each cloud, kept for all faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.harness import prepare


@pytest.fixture(scope="session")
def kept(
    made_once: Callable[[str, Callable[[Path], None]], Path],
    deployed: Callable[[str, Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """The folder of a stack's snapshot, made by whichever worker asks first."""

    def keep(stack: str) -> Path:
        def make(folder: Path) -> None:
            prepare(stack, deployed(stack, tmp_path_factory.mktemp(stack)), folder)

        return made_once(f"fault-{stack}", make)

    return keep
