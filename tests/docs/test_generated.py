"""Generated documents are what their sources say now."""

from __future__ import annotations

import json
from pathlib import Path

from ops.bench.report import with_figures
from ops.plan.diagram import draw
from policies.inventory import Inventory

ROOT = Path(__file__).resolve().parents[2]


def test_the_diagram_is_that_of_the_plan(plans: dict[str, Inventory]) -> None:
    told = (ROOT / "docs" / "dev-aws.svg").read_text(encoding="utf-8")
    assert told == draw(plans["dev-aws"]), "run `make docs`"


def test_the_figures_in_the_readme_are_those_of_the_recorded_run() -> None:
    recorded = json.loads((ROOT / "docs" / "bench.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_figures(readme, recorded) == readme, "run `python -m ops.bench --record`"
