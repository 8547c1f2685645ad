"""`seawall diff` plans the stacks that are named, and refuses what it can refuse before it plans anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from common.paths import repo_root

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com")
Diff = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone of this repository's last commit, with the files as they lie here."""
    clone = tmp_path / "clone"
    subprocess.run([*GIT, "clone", "--quiet", "--shared", "--no-checkout", repo_root(), clone], check=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repo_root(), capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        if (repo_root() / name).is_file():
            shutil.copy2(repo_root() / name, clone / name)
    subprocess.run([*GIT, "add", "--all"], cwd=clone, check=True)
    subprocess.run([*GIT, "commit", "--quiet", "--allow-empty", "--message", "As it is"], cwd=clone, check=True)
    return clone


@pytest.fixture
def diff(checkout: Path) -> Diff:
    """Runs `seawall diff` of the clone."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "ops.cli", "diff", *arguments],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def settings(checkout: Path, stack: str) -> Path:
    """A stack's settings file."""
    return checkout / "stacks" / "config" / f"Pulumi.{stack}.yaml"


def test_a_named_stack_is_compared_alone_and_a_new_one_has_no_base(diff: Diff, checkout: Path) -> None:
    kept = settings(checkout, "dev-gcp").read_text()
    settings(checkout, "dev-gcp").unlink()
    subprocess.run([*GIT, "commit", "--quiet", "--all", "--message", "Without it"], cwd=checkout, check=True)
    settings(checkout, "dev-gcp").write_text(kept)
    settings(checkout, "dev-aws").write_text("broken: [")
    done = diff("--base", "HEAD", "-s", "dev-gcp")
    assert done.returncode == 0, done.stderr
    assert "| dev-gcp" in done.stdout and "| dev-aws" not in done.stdout
    worktrees = subprocess.run([*GIT, "worktree", "list"], cwd=checkout, capture_output=True, text=True, check=True)
    assert worktrees.stdout.count("\n") == 1


def test_broken_settings_are_all_refused_before_anything_is_planned(diff: Diff, checkout: Path) -> None:
    for stack in ("dev-aws", "prod-gcp"):
        settings(checkout, stack).write_text("config:\n\tseawall: {}\n")
    done = diff("--base", "HEAD")
    assert done.returncode == 2
    assert "Plan" not in done.stderr
    assert "Pulumi.dev-aws.yaml" in done.stderr and "Pulumi.prod-gcp.yaml" in done.stderr


def test_a_folder_without_git_is_said_as_such(diff: Diff, checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    done = diff("--base", "HEAD")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: this is no git checkout")


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_planned(diff: Diff, checkout: Path) -> None:
    done = diff("--base", "HEAD", "--out", str(checkout))
    assert done.returncode == 2
    assert "this is a folder" in done.stderr and "Plan" not in done.stderr


def test_another_version_of_a_provider_is_a_cause_though_nothing_in_the_plans_differs(
    diff: Diff, checkout: Path
) -> None:
    lock = checkout / "requirements.lock"
    lock.write_text(re.sub(r"^pulumi-aws==\S+", "pulumi-aws==99.0.0", lock.read_text(), flags=re.MULTILINE))
    done = diff("--base", "HEAD", "-s", "dev-aws", "-s", "dev-gcp")
    assert done.returncode == 0, done.stderr
    assert re.search(r"1\. `pulumi-aws`: `\S+` → `99.0.0` \(requirements\.lock:\d+\): 1 changed", done.stdout)
    assert "| dev-gcp" not in done.stdout
