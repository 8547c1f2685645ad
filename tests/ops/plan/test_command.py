"""`seawall plan`: what it prints, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from common.errors import UserError
from ops.plan.command import plan
from ops.plan.planner import plan_program
from policies.inventory import Inventory
from stacks.promises import promises
from stacks.settings import Settings, stack_file

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def small_stacks(program: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stacks that plan quickly."""
    monkeypatch.setattr("stacks.settings.stack_names", lambda: ("dev-aws", "prod-aws"))
    monkeypatch.setattr("ops.plan.planner.plan_stack", lambda stack: plan_program(program, stack))


@pytest.fixture
def run() -> Iterator[Run]:
    app = typer.Typer()
    app.command()(plan)
    yield lambda *arguments: CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def test_json_is_one_object_per_line_that_reads_back_as_an_inventory(run: Run) -> None:
    lines = run("--json").stdout.splitlines()
    assert [Inventory.from_json(json.loads(line)).stack for line in lines] == ["dev-aws", "prod-aws"]


def test_json_has_the_documented_keys(run: Run) -> None:
    (planned,) = map(json.loads, run("dev-aws", "--json").stdout.splitlines())
    assert list(planned) == ["stack", "settings", "resources", "outputs", "recovery"]
    assert set(planned["resources"][0]) == {
        "urn",
        "type",
        "name",
        "custom",
        "parent",
        "inputs",
        "secret_paths",
        "unknown_paths",
        "dependencies",
        "property_dependencies",
        "region",
        "protect",
        "retain_on_delete",
        "delete_before_replace",
        "ignore_changes",
        "aliases",
        "stateful",
        "made_at",
    }


def test_a_stack_named_twice_is_planned_once(run: Run) -> None:
    assert len(run("dev-aws", "dev-aws", "--json").stdout.splitlines()) == 1


def test_the_table_shows_the_tree_the_regions_and_the_marks(run: Run) -> None:
    text = run("dev-aws").stdout
    (bucket,) = [line for line in text.splitlines() if "aws:s3/bucket:Bucket" in line and "replica" in line]
    assert bucket.split() == ["├", "replica", "aws:s3/bucket:Bucket", "eu-north-1", "protected"]


def test_the_totals_count_resources_components_and_regions(run: Run) -> None:
    total = run("dev-aws").stdout.strip().splitlines()[-1]
    assert total.startswith("dev-aws: 10 resources · 2 components · 4 in eu-west-1 · 2 in europe-north1")


def test_neither_the_table_nor_the_json_nor_the_diagram_shows_a_secret(run: Run, canary: str, tmp_path: Path) -> None:
    file = tmp_path / "stack.svg"
    shown = run("dev-aws", "--diagram", str(file)).output + run("--json").output + file.read_text()
    assert canary not in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dev-aw"], "Did you mean dev-aws?"),
        (["dev-aws", "--diagram", "stack.png"], "End its name in .svg."),
        (["--diagram", "stack.svg"], "Name one of dev-aws, prod-aws."),
        (["dev-aws", "--diagram", "/no/such/folder/stack.svg"], "Make it, or name another."),
    ],
)
def test_a_mistake_is_told_with_its_remedy_before_anything_is_planned(
    run: Run, arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.plan.planner.plan_stack", lambda stack: pytest.fail(f"planned {stack}"))
    error = run(*arguments).exception
    assert isinstance(error, UserError)
    assert told in error.remedy


def test_a_diagram_that_cannot_be_drawn_leaves_the_old_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stack.svg"
    file.write_text("old")
    monkeypatch.setattr("ops.plan.diagram.draw", lambda _: 1 / 0)
    assert isinstance(run("dev-aws", "--diagram", str(file)).exception, ZeroDivisionError)
    assert [p.name for p in tmp_path.iterdir()] == ["stack.svg"]
    assert file.read_text() == "old"


def test_the_objectives_of_recovery_stand_under_the_totals_with_their_bounds(
    run: Run, program: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(stack_file("dev-aws"))
    monkeypatch.setattr("ops.plan.planner.plan_stack", lambda stack: plan_program(program, stack, settings))
    told = promises(settings.cloud, settings.feature_store, settings.backup)
    assert run("dev-aws", "--quiet").stdout.splitlines()[1:] == [f"  {promise}" for promise in told]
    (planned,) = map(json.loads, run("dev-aws", "--json").stdout.splitlines())
    assert planned["recovery"] == [promise.to_json() for promise in told]
