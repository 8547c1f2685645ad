"""What tests of operators' code share: a cache folder of their own, and steps whose text can be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ops.console import Steps


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder that `ops.paths.cache_dir` names, with no engine forced upon the test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEAWALL_CACHE", str(folder))
    monkeypatch.delenv("SEAWALL_ENGINE", raising=False)
    return folder


@pytest.fixture
def printed() -> io.StringIO:
    """What `steps` printed."""
    return io.StringIO()


@pytest.fixture
def steps(printed: io.StringIO) -> Steps:
    """Steps that print into `printed`."""
    return Steps(Console(file=printed, width=200))
