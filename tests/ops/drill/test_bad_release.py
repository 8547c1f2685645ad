"""A drill's bad release: made of the committed one, and named as a publisher would name it."""

from __future__ import annotations

from typing import Any

import pytest

from common.paths import repo_root
from components.contracts.model_versions import is_release
from ops.drill.scenarios.bad_release import FAULTY, SERVED, next_version

MODELS = repo_root() / "serving_image" / "model_repository"


def test_one_step_of_the_committed_models_can_be_turned_round() -> None:
    texts = [step.read_text(encoding="utf-8") for step in MODELS.rglob("*.py")]
    assert sum(text.count(SERVED) for text in texts) == 1
    assert not any(FAULTY in text for text in texts)


@pytest.mark.parametrize(
    ("there", "pinned", "named"),
    [
        ((), "1.0.1", "1.0.2"),
        (("1.0.1", "1.0.9", "1.2.0"), "1.0.1", "1.2.1"),
        (("v1", "v2"), "v2", "1.0.1"),
    ],
)
def test_it_is_called_as_the_next_run_of_the_pipeline_would_be(
    store: Any, there: tuple[str, ...], pinned: str, named: str
) -> None:
    for version in there:
        store.put(f"releases/{version}/repository/model", b"weights")
    assert next_version(store, pinned) == named
    assert is_release(named)
