"""What the project says about itself beside its code is true: tools, owners, updates, container, versions."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> Any:
    """A YAML file as data."""
    return YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))


def tracked() -> list[str]:
    """Every file that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return listed.stdout.split("\0")


def test_a_commit_is_checked_by_the_tools_of_make_check_and_nothing_is_downloaded() -> None:
    checked = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert checked is not None
    in_make = {re.sub(r" \.$", "", line) for line in re.findall(r"\$\(RUN\)(.+)", checked[1])}
    repositories = load(".pre-commit-config.yaml")["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"].removeprefix(".venv/bin/") for hook in hooks} == in_make


def _is_owned_as_written(file: Path, path: str) -> bool:
    return file.is_dir() if path.endswith("/") else file.is_file()


def test_every_owned_path_exists() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    owned = [line.split() for line in lines if line and not line.startswith("#")]
    assert owned[0][0] == "*"
    for path, *owners in owned:
        assert path == "*" or path == "/allowed-signers" or _is_owned_as_written(ROOT / path.strip("/"), path), path
        assert owners and all(re.fullmatch(r"@[\w-]+(/[\w-]+)?", owner) for owner in owners), path


@pytest.mark.parametrize(
    ("ecosystem", "pattern"),
    [
        ("github-actions", r"\.github/workflows/.+\.yml"),
        ("uv", r".*(pyproject\.toml|requirements\.in)"),
        ("gomod", r".*go\.mod"),
        ("docker", r".*Dockerfile"),
    ],
)
def test_every_dependency_is_kept_up_to_date(ecosystem: str, pattern: str) -> None:
    (entry,) = [e for e in load(".github/dependabot.yml")["updates"] if e["package-ecosystem"] == ecosystem]
    found = {"/" + str(Path(name).parent) for name in tracked() if re.fullmatch(pattern, name)}
    known = {"/."} if "directory" in entry else {f"/{d.strip('/') or '.'}" for d in entry["directories"]}
    assert known == (found if ecosystem != "github-actions" else {"/."})


def test_the_container_has_a_python_that_the_project_takes_and_makes_the_environment() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    dockerfile = (ROOT / ".devcontainer" / container["build"]["dockerfile"]).read_text(encoding="utf-8")
    image = re.search(r"^FROM python:(3\.\d+)-bookworm$", dockerfile, re.MULTILINE)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert image is not None and f">={image[1]}" == wanted
    assert container["postCreateCommand"] == "make setup"
    assert f"useradd --create-home --shell /bin/bash {container['remoteUser']}" in dockerfile


def test_the_changelog_has_the_project_s_version_and_what_is_not_released() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    sections = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sections[:2] == ["Unreleased", version]
