"""Plans another commit: its own code in a git worktree, in a process of its own, gone afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError
from common.paths import repo_root
from policies.inventory import Inventory


def resolve(ref: str) -> str:
    """The commit that `ref` names.

    Raises:
        UserError: the folder is no git checkout, or it has no such commit.
    """
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if found.returncode:
        raise UserError(
            f"there is no commit {ref!r}",
            f"the git checkout at {repo_root()}",
            "name a branch, tag or commit that exists here; a shallow clone may have to be deepened",
        )
    return found.stdout.strip()


def plan_commit(commit: str) -> Mapping[str, Inventory]:
    """The inventories of all stacks as `commit` has them, planned by its own code with this environment.

    Raises:
        UserError: that commit cannot be planned; its own words are passed on.
    """
    with _checkout(commit) as folder:
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", "plan", "--json"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            told = done.stderr.strip().splitlines()
            raise UserError(
                f"commit {commit[:12]} cannot be planned: {told[-1] if told else 'no reason given'}",
                "its own `seawall plan --json`",
                "compare with a commit whose stacks plan, or mend that one",
            )
        inventories = [Inventory.from_json(json.loads(line)) for line in done.stdout.splitlines()]
    return {inventory.stack: inventory for inventory in inventories}


@contextmanager
def _checkout(commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="seawall-diff-") as scratch:
        folder = Path(scratch) / "base"
        added = _git("worktree", "add", "--detach", "--quiet", str(folder), commit)
        if added.returncode:
            raise UserError(
                f"git could not check {commit[:12]} out: {added.stderr.strip()}",
                str(repo_root()),
                "mend what git says above",
            )
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))
            _git("worktree", "prune")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", *arguments], cwd=repo_root(), capture_output=True, text=True, check=False, start_new_session=True
        )
    except FileNotFoundError:
        raise UserError("git is not installed", "PATH", "install git: a diff compares two commits") from None
