"""Verdicts a second beside a scanner on the same objects, and the SARIF of a plan that violates all over."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ops.bench.judging import (
    LARGE,
    RULES_CODE,
    Judged,
    compared,
    in_cluster,
    measure_sarif,
    violating,
    write_objects,
)
from ops.bench.model import Sample, Series
from policies.inventory import Inventory
from policies.verdicts import judge


def test_the_ratio_is_of_verdicts_a_second() -> None:
    rules, scanner = (
        Judged(Series(what, (Sample(seconds),)), count)
        for what, seconds, count in (("rules", 0.5, 100), ("checkov", 2.0, 200))
    )
    result = compared(rules, scanner, 50)
    assert result.figure == 2.0 and result.is_met
    assert result.rates["rules"] == {"verdicts_per_s": 200.0, "verdicts_per_object": 2.0, "ms_per_object": 10.0}
    assert result.rates["checkov"] == {"verdicts_per_s": 100.0, "verdicts_per_object": 4.0, "ms_per_object": 40.0}


def test_both_read_the_same_objects(plans: dict[str, Inventory], tmp_path: Path) -> None:
    inventory = in_cluster(plans["prod-aws"])
    write_objects(inventory, tmp_path / "objects")
    files = sorted((tmp_path / "objects").iterdir())
    read = [YAML(typ="safe").load(file.read_text(encoding="utf-8")) for file in files]
    assert len(read) == len(inventory.resources) > 30
    assert [item["kind"] for item in read] == [r.inputs["kind"] for r in inventory.resources]


def test_the_rules_tell_their_verdicts_and_seconds(tmp_path: Path) -> None:
    plan, told = tmp_path / "plan.json", tmp_path / "told.json"
    plan.write_text(json.dumps(violating(5).to_json()))
    subprocess.run([sys.executable, "-P", "-c", RULES_CODE, plan, told], check=True)
    result = json.loads(told.read_text())
    assert result["judged"] >= 5 and result["seconds"] > 0


@pytest.mark.parametrize("count", [1, 50])
def test_every_resource_of_the_large_plan_violates(count: int) -> None:
    assert len({f.urn for f in judge(violating(count), (), date(2026, 6, 1)).violations}) == count


def test_the_sarif_s_time_is_told_for_each_resource() -> None:
    (result,) = measure_sarif(1)
    assert result.name == "SARIF of a large plan" and str(LARGE) in result.compared
    assert result.figure < 5, "a square would be ten times"
