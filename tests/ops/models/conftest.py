"""Small model repositories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., Path]:
    """Makes a model repository of two models whose files hold `content`."""

    def make(content: str = "one", extra: str | None = None) -> Path:
        root = tmp_path / f"repository-{content}-{extra}"
        for model in ("first", "second"):
            (root / model / "1").mkdir(parents=True, exist_ok=True)
            (root / model / "config.pbtxt").write_text(f'name: "{model}"')
            (root / model / "1" / "model.py").write_text(content)
        if extra:
            (root / "second" / "1" / extra).write_text(content)
        return root

    return make
