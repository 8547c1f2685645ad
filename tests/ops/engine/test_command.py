"""Claims about `seawall engine`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from localcloud.engine.model import Attempt, Engine
from ops.engine import command

ENGINE = Engine(
    bin_dir=Path("/cache/pulumi/3"),
    version="3.259.0",
    origin="build",
    language_host=Path("/cache/pulumi/3/pulumi-language-python"),
    reason="built with Go",
    passed_over=(Attempt("path", "no pulumi on PATH"), Attempt("download", "the site cannot be reached")),
)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setattr(command, "ensure_engine", lambda _steps: ENGINE)
    app = typer.Typer()
    app.command()(command.engine)
    return app


def test_the_text_says_which_where_and_why_not_another(app: typer.Typer) -> None:
    printed = CliRunner().invoke(app, []).stdout
    told = ("3.259.0", "build: built with Go", "/cache/pulumi/3/pulumi", "no pulumi on PATH", "cannot be reached")
    assert [text for text in told if text not in printed] == []


def test_json_is_one_object_with_the_same_facts(app: typer.Typer) -> None:
    assert json.loads(CliRunner().invoke(app, ["--json"]).stdout) == {
        "version": "3.259.0",
        "origin": "build",
        "cli": "/cache/pulumi/3/pulumi",
        "language_host": "/cache/pulumi/3/pulumi-language-python",
        "reason": "built with Go",
        "passed_over": [
            {"way": "path", "reason": "no pulumi on PATH"},
            {"way": "download", "reason": "the site cannot be reached"},
        ],
    }


def test_help_has_an_example(app: typer.Typer) -> None:
    assert "Example: seawall engine --json" in CliRunner().invoke(app, ["--help"]).stdout
