"""The runbook says the way back for every scenario that a drill knows, and for no other."""

from __future__ import annotations

import re

from common.paths import repo_root
from ops.drill.requirements import REQUIREMENTS

PAGE = repo_root() / "docs" / "recovery.md"


def test_every_scenario_has_its_way_back() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## What else can be lost")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)} == set(REQUIREMENTS)
