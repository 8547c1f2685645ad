"""The recorded inventories of all stacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ops.plan.golden import golden_dir, golden_text, refresh, stale
from ops.plan.planner import plan_program, plan_stack, stack_names
from policies.inventory import Inventory


@pytest.fixture(scope="module")
def inventory(program: Callable[[], None]) -> Inventory:
    return plan_program(program, "dev-aws")


@pytest.mark.parametrize("stack", stack_names())
def test_the_golden_inventory_is_current(stack: str) -> None:
    problems = stale({stack: golden_text(plan_stack(stack))}, golden_dir())
    problem = problems.get(f"{stack}.json")
    assert problem is None, f"review the change, then run `make golden`\n{problem}"


def test_every_golden_inventory_has_its_stack() -> None:
    assert {path.stem for path in golden_dir().glob("*.json")} == set(stack_names())


def test_a_golden_inventory_is_json_with_every_resource(inventory: Inventory) -> None:
    assert len(json.loads(golden_text(inventory))["resources"]) == len(inventory.resources)


def test_links_are_told_by_path_and_type(inventory: Inventory) -> None:
    entries = json.loads(golden_text(inventory))["resources"]
    name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration storage/encryption"
    assert entries[name]["links"]["rules"] == ["aws:kms/key:Key storage/key"]


def test_a_change_of_one_property_changes_one_line(inventory: Inventory) -> None:
    changed = [
        replace(r, inputs={**r.inputs, "forceDestroy": True}) if r.name == "models" else r
        for r in inventory.resources
    ]
    before = golden_text(inventory).splitlines()
    after = golden_text(replace(inventory, resources=tuple(changed))).splitlines()
    assert len(set(before) ^ set(after)) == 2


def test_a_golden_inventory_holds_no_secret(inventory: Inventory, canary: str) -> None:
    assert canary not in golden_text(inventory)


def test_a_stale_a_missing_and_an_orphaned_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("x")
    (tmp_path / "gone.json").write_text("x")
    problems = stale({"old": "y", "new": "z"}, tmp_path)
    assert problems["new.json"] == "missing"
    assert problems["gone.json"].startswith("an orphan")
    assert "-x" in problems["old.json"]
    assert "+y" in problems["old.json"]


def test_a_refresh_leaves_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("x")
    (tmp_path / "gone.json").write_text("x")
    wanted = {"old": "y", "new": "z"}
    assert refresh(wanted, tmp_path) == ["gone.json", "new.json", "old.json"]
    assert stale(wanted, tmp_path) == {}
    assert refresh(wanted, tmp_path) == []
