"""What judges changes, and whether a change changes it: files, by what git holds of them on either side."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from common.errors import UserError
from common.paths import repo_root
from ops.gates.model import Item, Kind, item
from ops.gates.settings import FILE, Gates, parse, person

SIGNERS_FILE: Final = "allowed-signers"
GUARDED: Final = (
    FILE,
    SIGNERS_FILE,
    "policies",
    ".github",
    "Makefile",
    "Pulumi.yaml",
    "common",
    "pyproject.toml",
    "requirements.lock",
    "ops/check",
    "ops/cli.py",
    "ops/cost",
    "ops/deploying",
    "ops/diff",
    "ops/gates",
    "ops/options.py",
    "ops/plan",
    "ops/preview",
)
"""Files and folders that decide what is asked, of whom, and what is believed; and which code that is."""
_ABSENT: Final = "absent"


def guards_changed(base: str, head: str | None, root: Path | None = None) -> tuple[Item, ...]:
    """The files among those that judge which `head` has otherwise than `base`; the working tree where head is None.

    Raises:
        UserError: git cannot tell.
    """
    folder = root or repo_root()
    before = _tree(base, folder)
    after = _tree(head, folder) if head else _working_tree(folder)
    return tuple(
        item(
            Kind.GUARDS,
            path,
            {"before": before.get(path, _ABSENT), "after": after.get(path, _ABSENT)},
            note="is new" if path not in before else "is gone" if path not in after else "is changed",
        )
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    )


def gates_at(base: str, head: str | None, root: Path | None = None) -> tuple[Gates, str]:
    """The gates that judge a change, and where they stand: base's, so that no change weakens what judges it.

    A base from before there were gates has none; then head's count, whose file is itself a guarded one.

    Raises:
        UserError: neither has any, or the file is refused.
    """
    folder = root or repo_root()
    for commit in (base, head) if head else (base,):
        text = file_at(commit, FILE, folder)
        if text is not None:
            return parse(text, f"{FILE} at {commit[:12]}"), f"{FILE} at {commit[:12]}"
    here = folder / FILE
    if not head and here.is_file():
        return parse(here.read_text(encoding="utf-8"), FILE), FILE
    raise UserError(
        "there are no gates, so nothing says who must agree",
        f"{FILE} at {base[:12]}",
        f"Take {FILE} back from the history, or write one as docs/approvals.md says.",
    )


def file_at(commit: str, path: str, root: Path | None = None) -> str | None:
    """The text of a file as a commit has it; None where it has none.

    Raises:
        UserError: it is no text.
    """
    folder = root or repo_root()
    done = _git(folder, "cat-file", "blob", f"{commit}:{path}")
    if done.returncode:
        return None
    try:
        return done.stdout.decode()
    except UnicodeDecodeError:
        remedy = "Write the file as UTF-8."
        raise UserError("the file is no text", f"{path} at {commit[:12]}", remedy) from None


def authors(base: str, head: str | None, root: Path | None = None, *, of_new: str = "") -> frozenset[str]:
    """Who wrote the change: authors, committers and co-authors of its commits, and whoever works here uncommitted.

    Where no commit lies between (the same one is deployed again, or an older one), it is whoever wrote the last.

    Args:
        of_new: the settings of a stack that is not deployed yet; whoever wrote any of them wrote the change.

    Raises:
        UserError: git cannot tell, or does not know who works here.
    """
    folder, end = root or repo_root(), head or "HEAD"
    found = _wrote(folder, f"{base}..{end}") or _wrote(folder, "--max-count=1", end)
    if of_new:
        found |= _wrote(folder, end, "--", of_new)
    if head is None and _told(folder, "status", "--porcelain").strip():
        here = _git(folder, "config", "user.email").stdout.decode(errors="replace").strip()
        if not here:
            raise UserError(
                "files are changed and not committed, and git does not say who works here",
                f"the git checkout at {folder}",
                "Commit them, or set your address with `git config user.email`: nobody approves their own change.",
            )
        found.add(here)
    return frozenset(person(who) for who in found if who)


def _wrote(root: Path, *which: str) -> set[str]:
    """The addresses of those who made these commits."""
    told = _told(root, "log", "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)", *which)
    lines = (line.strip() for line in told.splitlines())
    return {line.rpartition("<")[2].rstrip(">") if "<" in line else line for line in lines if line}


def _tree(commit: str, root: Path) -> Mapping[str, str]:
    listed = _told(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *GUARDED)
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return {path: " ".join(said.split()[::2]) for said, _, path in entries}


def _working_tree(root: Path) -> Mapping[str, str]:
    listed = _told(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *GUARDED)
    paths = [path for path in dict.fromkeys(listed.split("\0")) if path and (root / path).is_file()]
    plain = [path for path in paths if not (root / path).is_symlink()]
    digests = _told(root, "hash-object", "--", *plain).split() if plain else []
    found = {
        path: f"{'100755' if (root / path).stat().st_mode & 0o100 else '100644'} {digest}"
        for path, digest in zip(plain, digests, strict=True)
    }
    return {**found, **{path: "120000 a link" for path in paths if path not in found}}


def _told(root: Path, *arguments: str) -> str:
    done = _git(root, *arguments)
    if done.returncode:
        raise UserError(
            f"git cannot tell what changed: {done.stderr.decode(errors='replace').strip()}",
            f"the git checkout at {root}",
            "Compare in a whole clone; `git fetch --unshallow` completes a shallow one.",
        )
    return done.stdout.decode("utf-8", "surrogateescape")


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str] = ["git", *arguments]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, check=False, start_new_session=True)
    except FileNotFoundError:
        raise UserError("git is not installed", "PATH", "Install git: gates are read from a commit.") from None
