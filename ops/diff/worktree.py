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
from dataclasses import dataclass
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


def changed_files(base: str, head: str | None) -> tuple[str, ...]:
    """The files that differ between `base` and `head`, or the working tree with what git does not know yet."""
    ends = [base, head] if head else [base]
    told = _git("diff", "--name-only", "-z", "--no-renames", *ends).stdout
    new = "" if head else _git("ls-files", "--others", "--exclude-standard", "-z").stdout
    return tuple(sorted({path for path in (told + new).split("\0") if path}))


def commits_of(path: str, base: str, head: str | None) -> tuple[str, ...]:
    """The newest commits between `base` and `head` that changed a file, each by number and subject."""
    told = _git("log", "-n", "3", "--format=%h %s", f"{base}..{head or 'HEAD'}", "--", path).stdout
    return tuple(line for line in told.splitlines() if line)


def text_at(commit: str, path: str) -> str | None:
    """What a file held in a commit; None if it was not there."""
    found = _git("show", f"{commit}:{path}")
    return None if found.returncode else found.stdout


@dataclass(frozen=True)
class Checkout:
    """Another commit's files; it plans with its own code, in processes of their own, and with this environment."""

    commit: str
    folder: Path

    def plan(self, stacks: Sequence[str]) -> Mapping[str, Inventory]:
        """The inventories of `stacks` as the commit has them.

        Raises:
            UserError: it cannot be planned; its own words are passed on.
        """
        if not stacks:
            return {}
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": ""}
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", "plan", "--json", *stacks],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            told = done.stderr.strip().removeprefix("error: ").replace(str(self.folder), ".")
            raise UserError(
                f"commit {self.commit[:12]} cannot be planned: {told or 'no reason given'}",
                "its own `seawall plan --json`",
                "Compare with a commit whose stacks plan, or fix that one.",
            )
        inventories = [Inventory.from_json(json.loads(line)) for line in done.stdout.splitlines()]
        return {inventory.stack: inventory for inventory in inventories}

    def plan_with(self, stack: str, text: str) -> Inventory | None:
        """The inventory of a stack with other settings; None if they are refused."""
        file = self.folder / "stacks" / "config" / f"Pulumi.{stack}.yaml"
        kept = file.read_bytes() if file.exists() else None
        try:
            file.write_text(text, encoding="utf-8")
            return self.plan([stack])[stack]
        except UserError:
            return None
        finally:
            if kept is None:
                file.unlink()
            else:
                file.write_bytes(kept)


@contextmanager
def checkout(commit: str) -> Iterator[Checkout]:
    """A commit's files, in a git worktree that is gone afterwards.

    Raises:
        UserError: git refuses.
    """
    with tempfile.TemporaryDirectory(prefix="seawall-diff-") as scratch:
        folder = Path(scratch) / "checkout"
        added = _git("worktree", "add", "--detach", "--quiet", str(folder), commit)
        if added.returncode:
            raise UserError(
                f"git could not check {commit[:12]} out: {added.stderr.strip()}",
                str(repo_root()),
                "Fix what git says above.",
            )
        try:
            yield Checkout(commit, folder)
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
