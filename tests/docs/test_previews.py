"""The sample comments in docs/previews are what the diff writes today."""

from __future__ import annotations

import pytest

from ops.diff.markdown import COMMENT_LIMIT
from ops.diff.samples import FOLDER, SAMPLES, comment, index
from policies.inventory import Inventory


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_current(name: str, plans: dict[str, Inventory]) -> None:
    written = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert written == comment(name, plans), "run `make docs`"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_one_cause_that_brings_everything(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert "\n1. `" in text and "\n2. " not in text
    assert "(resolved)" not in text
    assert len(text) < COMMENT_LIMIT
    assert text.count("<details>") == text.count("</details>")


def test_the_page_lists_every_sample_and_nothing_else_lies_there() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == index()
    assert {file.stem for file in FOLDER.iterdir()} == {"README", *SAMPLES}
