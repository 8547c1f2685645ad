"""Plans another commit: its own code in a git worktree, in a process of its own, gone afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
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
    if _git("rev-parse", "--git-dir").returncode:
        remedy = "Compare in a clone of the repository; a copy without its history has nothing to compare with."
        raise UserError("this is no git checkout", str(repo_root()), remedy)
    if found.returncode:
        raise UserError(
            f"there is no commit {ref!r}",
            f"the git checkout at {repo_root()}",
            "Name a branch, tag or commit that exists here; `git fetch --unshallow` completes a shallow clone.",
        )
    return found.stdout.strip()


def stacks_at(commit: str) -> tuple[str, ...]:
    """The stacks whose settings `commit` holds."""
    listed = _git("ls-tree", "--name-only", commit, "stacks/config/").stdout.splitlines()
    found = (re.fullmatch(r"stacks/config/Pulumi\.(.+)\.yaml", path) for path in listed)
    return tuple(sorted(match[1] for match in found if match))


def plan_commit(commit: str, stacks: Sequence[str]) -> Mapping[str, Inventory]:
    """The inventories of `stacks` as `commit` has them, planned by its own code with this environment.

    Raises:
        UserError: that commit cannot be planned; its own words are passed on.
    """
    if not stacks:
        return {}
    with _checkout(commit) as folder:
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", "plan", "--json", *stacks],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            told = done.stderr.strip().removeprefix("error: ").replace(str(folder), ".")
            raise UserError(
                f"commit {commit[:12]} cannot be planned: {told or 'no reason given'}",
                "its own `seawall plan --json`",
                "Compare with a commit whose stacks plan, or fix that one.",
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
                "Fix what git says above.",
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
        raise UserError("git is not installed", "PATH", "Install git: a diff compares two commits.") from None
