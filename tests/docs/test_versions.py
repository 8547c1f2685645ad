"""Versions of programs that prose must name are those that run."""

from __future__ import annotations

import re

import pytest

from common.paths import repo_root
from common.versions import FLAGGER

_NAMED = re.compile(r"fluxcd/flagger:(\d[\d.]*\d)|charts/flagger --version (\d[\d.]*\d)")


@pytest.mark.parametrize("page", ["docs/rollouts.md", "docs/settings.md", "stacks/config/settings.schema.json"])
def test_the_digests_that_are_asked_for_are_of_the_flagger_that_runs(page: str) -> None:
    found = [a or b for a, b in _NAMED.findall((repo_root() / page).read_text(encoding="utf-8"))]
    assert found and set(found) == {FLAGGER}
