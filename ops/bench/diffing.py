"""Measures the diff of all stacks against planning both of its sides, one after the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from common.paths import repo_root
from ops.bench.measure import child, in_turns
from ops.bench.model import Result, Target, times_of

DIFF_TO_PLANS: Final = Target("at most", 1.3, "×")
_GIT: Final = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com")
_CODE: Final = "components/contracts/naming.py"
"""A file that every stack's program reads."""
_OLD, _NEW = "alert_email: ml-platform@example.com", "alert_email: sre@example.com"


def measure_diff(repeats: int) -> list[Result]:
    """`seawall diff` where the program and a setting of every platform stack changed, so that all are planned twice.

    Beside it both sides' `seawall plan --json`, one after the other. With several settings in one stack the diff
    plans once more for each of them, up to eight, which is not measured here.
    """
    with _changed_checkouts() as (base, head):
        environment = {**os.environ, "PYTHONPATH": str(head)}
        subject, baseline = in_turns(
            {
                "seawall diff --base HEAD~1": lambda: child(
                    [sys.executable, "-m", "ops.cli", "diff", "-q", "--base", "HEAD~1"], cwd=head, env=environment
                ),
                "seawall plan --json of base, then of head": lambda: child(
                    ["sh", "-c", _plans(base, head)], cwd=head, env=environment
                ),
            },
            repeats,
        )
    return [times_of("diff of all stacks", "its time ÷ planning both sides", subject, baseline, DIFF_TO_PLANS)]


def _plans(base: Path, head: Path) -> str:
    each = (f"cd {side} && PYTHONPATH={side} {sys.executable} -m ops.cli plan --json" for side in (base, head))
    return " && ".join(f"{command} >/dev/null" for command in each)


@contextmanager
def _changed_checkouts() -> Iterator[tuple[Path, Path]]:
    """Two clones of the files as they lie here: as they are, and with a commit that changes every platform stack."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch:
        base, head = Path(scratch) / "base", Path(scratch) / "head"
        _git(repo_root(), "clone", "--quiet", "--shared", "--no-checkout", ".", str(base))
        listed = _git(repo_root(), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        for name in filter(None, listed.split("\0")):
            if (repo_root() / name).is_file():
                (base / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(repo_root() / name, base / name)
        _commit(base)
        _git(Path(scratch), "clone", "--quiet", str(base), str(head))
        for name, text in _changes(head).items():
            (head / name).write_text(text, encoding="utf-8")
        _commit(head)
        yield base, head


def _changes(checkout: Path) -> Mapping[str, str]:
    """File → its new text."""
    files = sorted((checkout / "stacks" / "config").glob("Pulumi.*.yaml"))
    texts = {str(file.relative_to(checkout)): file.read_text(encoding="utf-8") for file in files}
    code = (checkout / _CODE).read_text(encoding="utf-8")
    return {**{name: text.replace(_OLD, _NEW) for name, text in texts.items()}, _CODE: f"{code}\n# A new line.\n"}


def _commit(checkout: Path) -> None:
    _git(checkout, "add", "--all")
    _git(checkout, "commit", "--quiet", "--allow-empty", "--message", "As it is")


def _git(where: Path, *arguments: str) -> str:
    return subprocess.run([*_GIT, *arguments], cwd=where, capture_output=True, text=True, check=True).stdout
