"""`python -m ops.bench`: which groups run, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from common.errors import UserError
from ops.bench import __main__ as command
from ops.bench.model import Result, Sample, Series, Target


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command with groups whose figures are their names' lengths, against a target of at most 4."""
    monkeypatch.setenv("SEAWALL_OUT", str(tmp_path))

    def group(name: str) -> Callable[..., list[Result]]:
        series = (Series(name, (Sample(1.0),)),)
        return lambda *_: [Result(name, "", len(name), Target("at most", 4, "×"), series)]

    groups = {name: group(name) for name in ("plan", "engine")}
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command.bench)

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments), obj=groups, catch_exceptions=True)

    return invoke


def test_a_missed_target_ends_in_1(run: Callable[..., Any]) -> None:
    assert run().exit_code == 1


def test_all_targets_met_ends_in_0(run: Callable[..., Any]) -> None:
    assert run("--only", "plan").exit_code == 0


def test_the_figures_are_written_whatever_they_are(run: Callable[..., Any], tmp_path: Path) -> None:
    run()
    told = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in told["results"]] == ["plan", "engine"]


def test_json_alone_is_on_standard_output(run: Callable[..., Any]) -> None:
    assert json.loads(run("--json").stdout)["results"]


def test_an_unknown_group_is_refused(run: Callable[..., Any]) -> None:
    assert isinstance(run("--only", "plam").exception, UserError)


def test_a_part_of_the_figures_is_not_recorded(run: Callable[..., Any]) -> None:
    assert isinstance(run("--only", "plan", "--record").exception, UserError)
