"""`seawall render` from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from ops.cli import build_app


def run(*words: str) -> Any:
    return CliRunner().invoke(build_app(["render"]), ["render", *words])


def test_it_writes_and_checks_and_says_by_its_code_that_values_are_missing(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    written = run("dev-gcp", "--out", out)
    assert written.exit_code == 1 and "SEAWALL-KNOWN-WHEN-DEPLOYED" in written.output
    (tmp_path / "out" / "kustomization.yaml").unlink()
    checked = run("dev-gcp", "--out", out, "--check")
    assert checked.exit_code == 1 and "kustomization.yaml is missing" in checked.output
    assert not (tmp_path / "out" / "kustomization.yaml").exists()


def test_a_folder_must_be_named() -> None:
    assert "--out" in str(run("dev-aws").exception.remedy) or "Name one" in str(run("dev-aws").exception.remedy)


def test_a_bootstrap_has_nothing_to_render(tmp_path: Path) -> None:
    assert "serves nothing" in run("bootstrap-aws", "--out", str(tmp_path / "o")).exception.what
