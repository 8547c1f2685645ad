"""Claims about the engine on PATH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from localcloud.engine.model import CLI, LANGUAGE_EXEC, LANGUAGE_HOST, Attempt, Engine, version_problem
from localcloud.engine.path import MINIMUM_CLI, engine_on_path

pytestmark = pytest.mark.usefixtures("own_cache")

WORKS = {CLI: f"echo v{MINIMUM_CLI}", LANGUAGE_HOST: "exit 0", LANGUAGE_EXEC: "exit 0"}


def install(folder: Path, programs: Mapping[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


def attempt_reason(found: Engine | Attempt) -> str:
    assert isinstance(found, Attempt)
    return found.reason


def test_an_engine_with_its_language_host_beside_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install(tmp_path / "bin", WORKS)
    monkeypatch.setenv("PATH", str(folder))
    found = engine_on_path()
    assert isinstance(found, Engine)
    assert (found.bin_dir, found.version, found.language_host) == (folder, MINIMUM_CLI, folder / LANGUAGE_HOST)


def test_a_language_host_elsewhere_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = install(tmp_path / "cli", {CLI: WORKS[CLI]})
    hosts = install(tmp_path / "hosts", {name: WORKS[name] for name in (LANGUAGE_HOST, LANGUAGE_EXEC)})
    monkeypatch.setenv("PATH", f"{cli}:{hosts}")
    found = engine_on_path()
    assert isinstance(found, Engine)
    assert found.language_host == hosts / LANGUAGE_HOST


def test_a_language_host_beside_what_a_link_points_to_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = install(tmp_path / "real", WORKS)
    links = tmp_path / "links"
    links.mkdir()
    (links / CLI).symlink_to(real / CLI)
    monkeypatch.setenv("PATH", str(links))
    found = engine_on_path()
    assert isinstance(found, Engine)
    assert found.language_host == real / LANGUAGE_HOST


def test_no_engine_on_path_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert attempt_reason(engine_on_path()) == "no pulumi on PATH"


@pytest.mark.parametrize(
    ("changed", "body", "reason"),
    [
        (CLI, "exit 1", "does not work"),
        (CLI, "echo hello", "'hello' for its version"),
        (CLI, "echo v3.1.0", "it is version 3.1.0"),
        (LANGUAGE_HOST, None, f"has no {LANGUAGE_HOST}"),
        (LANGUAGE_EXEC, None, f"has no {LANGUAGE_EXEC}"),
        (LANGUAGE_HOST, "exit 126", "exit status 126"),
    ],
    ids=["failing", "no-version", "too-old", "no-host", "no-exec", "broken-host"],
)
def test_an_unusable_engine_on_path_is_passed_over_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, body: str | None, reason: str
) -> None:
    folder = install(tmp_path / "bin", WORKS)
    if body is None:
        (folder / changed).unlink()
    else:
        install(folder, {changed: body})
    monkeypatch.setenv("PATH", str(folder))
    assert reason in attempt_reason(engine_on_path())


def test_asking_for_the_version_leaves_the_users_pulumi_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    monkeypatch.setenv("PULUMI_HOME", str(mine))
    folder = install(tmp_path / "bin", {**WORKS, CLI: f'/bin/mkdir -p "$PULUMI_HOME/logs"; {WORKS[CLI]}'})
    monkeypatch.setenv("PATH", str(folder))
    engine_on_path()
    assert not mine.exists()


@pytest.mark.parametrize(
    ("version", "usable"),
    [
        ("3.259.0", True),
        ("3.260.1", True),
        ("3.259.1-alpha.x", True),
        ("3.258.9", False),
        ("4.0.0", False),
        ("?", False),
    ],
)
def test_the_same_major_version_from_the_minimum_on_is_usable(version: str, usable: bool) -> None:
    assert (version_problem(version, "3.259.0") is None) == usable
