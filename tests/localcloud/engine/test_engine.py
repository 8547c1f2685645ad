"""Claims about the engine that this machine really gets: from PATH, the cache, the download or a build."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.versions import PULUMI_CLI
from localcloud.engine import engine_environment, ensure_engine
from localcloud.engine.model import Engine, read_version, version_problem
from localcloud.engine.path import MINIMUM_CLI

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return ensure_engine()


def run(engine: Engine, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    home, backend = folder / "home", folder / "a #state? 100%"
    home.mkdir(exist_ok=True)
    backend.mkdir(exist_ok=True)
    return subprocess.run(
        [str(engine.cli), *arguments, "--non-interactive"],
        cwd=folder / "program",
        env={**os.environ, **engine_environment(engine, home, backend)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(
        "name: empty\nruntime:\n  name: python\n  options:\n    toolchain: pip\n"
        f"    virtualenv: {Path(sys.executable).parent.parent}\n"
    )
    (folder / "__main__.py").write_text('import pulumi\n\npulumi.export("answer", 42)\n')
    return tmp_path


def test_it_says_the_version_that_is_stated_for_it(engine: Engine) -> None:
    assert read_version(engine.cli) == engine.version


def test_an_engine_of_ours_has_the_pinned_version(engine: Engine) -> None:
    if engine.origin == "path":
        assert version_problem(engine.version, MINIMUM_CLI) is None
    else:
        assert engine.version == PULUMI_CLI


def test_it_previews_an_empty_program_in_a_backend_with_an_odd_name(engine: Engine, program: Path) -> None:
    created = run(engine, program, "stack", "init", "dev")
    assert created.returncode == 0, created.stderr
    previewed = run(engine, program, "preview", "--stack", "dev")
    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    assert "answer: 42" in previewed.stdout


def test_its_state_stays_in_the_given_backend(engine: Engine, program: Path) -> None:
    run(engine, program, "stack", "init", "dev")
    assert list((program / "a #state? 100%").rglob("dev.json")), "the stack's state lies in the backend folder"
