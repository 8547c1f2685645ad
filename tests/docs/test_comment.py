"""The job that writes a comment takes a stranger's artifact for text, and GitHub's word for the pull request."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from common.paths import repo_root
from ops.diff.markdown import COMMENT_LIMIT
from ops.gates.guards import GUARDED, SIGNERS_FILE

COMMENT = repo_root() / ".github" / "workflows" / "comment.yml"
GOOD = "## What this change does\n\n`main` → `working tree`\n\nNo stack changes.\n"
SHA = "a" * 40
GH = """#!/bin/sh
echo "$@" >> calls
case "$*" in
  *"/pulls --raw-field"*) cat pulls.tsv ;;
  *"/files "*) cat files.txt ;;
  *"--paginate"*) cat ids.txt ;;
esac
"""
Run = Callable[[str], "subprocess.CompletedProcess[str]"]


def script(name: str) -> str:
    """The script of the step whose name begins so."""
    steps = YAML(typ="safe").load(COMMENT.read_text(encoding="utf-8"))["jobs"]["comment"]["steps"]
    (found,) = [step["run"] for step in steps if step.get("name", "").startswith(name)]
    return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a step's script as GitHub does, with a `gh` that answers from files."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    (tmp_path / "untrusted").mkdir()
    (tmp_path / "untrusted" / "preview.md").write_text(GOOD)
    for name in ("files.txt", "ids.txt", "output"):
        (tmp_path / name).write_text("")
    environment = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_OUTPUT": "output",
        "LC_ALL": "C.UTF-8",
        "SHA": SHA,
        "OWNER": "stranger",
        "BRANCH": "x; echo no",
        "NUMBER": "7",
        "REPOSITORY": "seawall/seawall",
        "COMMENT": "repos/seawall/seawall/issues/comments",
        "COMMENTS": "repos/seawall/seawall/issues/7/comments",
    }

    def act(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", script(name)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return act


def pulls(*heads: tuple[int, str]) -> str:
    """What GitHub lists of open pull requests from a branch."""
    return "".join(f"{number}\t{sha}\n" for number, sha in heads)


@pytest.mark.parametrize(
    ("listed", "number"),
    [
        (pulls((7, SHA)), "number=7\n"),
        (pulls((7, "b" * 40)), ""),
        (pulls((7, SHA), (8, SHA)), ""),
        (pulls(), ""),
    ],
)
def test_the_pull_request_is_the_one_open_from_that_branch_at_that_commit(
    tmp_path: Path, run: Run, listed: str, number: str
) -> None:
    (tmp_path / "pulls.tsv").write_text(listed)
    assert run("Ask GitHub").returncode == 0
    assert (tmp_path / "output").read_text() == number
    assert "head=stranger:x; echo no" in (tmp_path / "calls").read_text(), "a branch's name is no command"


def test_a_plain_report_becomes_the_comment(tmp_path: Path, run: Run) -> None:
    assert run("Look").returncode == 0
    body = (tmp_path / "body.md").read_text()
    assert body.startswith("## What this change does\n") and "No stack changes." in body and SHA in body


def _more(folder: Path) -> None:
    (folder / "second.md").write_text("x")


def _link(folder: Path) -> None:
    (folder / "preview.md").unlink()
    (folder / "preview.md").symlink_to("/etc/passwd")


BAD: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: (folder / "preview.md").unlink(),
    "a second file": _more,
    "a link": _link,
    "a folder": lambda folder: (folder / "inside").mkdir(),
    "too much": lambda folder: (folder / "preview.md").write_text(GOOD + "x" * 300_000),
    "no text": lambda folder: (folder / "preview.md").write_bytes(GOOD.encode() + b"\xff\xfe"),
    "another text": lambda folder: (folder / "preview.md").write_text("## Approved\n"),
    "another text before": lambda folder: (folder / "preview.md").write_text("hello\n" + GOOD),
}


@pytest.mark.parametrize("name", BAD)
def test_an_artifact_that_is_no_report_is_not_posted(tmp_path: Path, run: Run, name: str) -> None:
    BAD[name](tmp_path / "untrusted")
    assert run("Look").returncode != 0


def test_nobody_is_called_and_no_control_character_is_posted(tmp_path: Path, run: Run) -> None:
    (tmp_path / "untrusted" / "preview.md").write_text(
        GOOD + "@maintainers \x1b[31m\x00 $(touch stolen) `touch stolen`\n"
    )
    assert run("Look").returncode == 0
    body = (tmp_path / "body.md").read_text()
    assert "@maintainers" not in body and "\x1b" not in body and "\x00" not in body
    assert not (tmp_path / "stolen").exists()


def test_what_judges_is_listed_from_github_s_own_data(tmp_path: Path, run: Run) -> None:
    listed = [
        "stacks/gates.yaml",
        "README.md",
        ".github/workflows/x.yml",
        "policies/a`b$(id).py",
        "ops/gates/decide.py",
    ]
    (tmp_path / "files.txt").write_text("\n".join(listed) + "\n")
    assert run("Look").returncode == 0
    body = (tmp_path / "body.md").read_text()
    assert "touches what judges it" in body and "`stacks/gates.yaml`" in body and "README.md" not in body
    assert "`policies/abid.py`" in body, "a file's name is no Markdown"


def test_a_long_report_is_cut_within_the_limit(tmp_path: Path, run: Run) -> None:
    (tmp_path / "untrusted" / "preview.md").write_text(GOOD + "é line\n" * 20_000)
    assert run("Look").returncode == 0
    body = (tmp_path / "body.md").read_text()
    assert len(body) < 65_536 and "**Cut here.**" in body


def test_the_comment_that_is_there_is_brought_up_to_date(tmp_path: Path, run: Run) -> None:
    assert run("Look").returncode == 0
    (tmp_path / "ids.txt").write_text("11\n12\n")
    assert run("Write").returncode == 0
    calls = (tmp_path / "calls").read_text()
    assert "PATCH repos/seawall/seawall/issues/comments/11" in calls and "POST" not in calls


def test_a_change_that_changes_nothing_and_judges_nothing_gets_no_comment(tmp_path: Path, run: Run) -> None:
    run("Look")
    assert run("Write").returncode == 0
    assert "POST" not in (tmp_path / "calls").read_text()
    (tmp_path / "files.txt").write_text("policies/waivers.yaml\n")
    run("Look")
    assert run("Write").returncode == 0
    assert "POST" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(
    "inside", ["```mermaid\n{}\n```\n", "{}\n", "\n- a list\n{}\n"], ids=["a picture", "a fold", "a list"]
)
def test_where_it_is_cut_folds_and_fences_are_closed(tmp_path: Path, run: Run, inside: str) -> None:
    lines = "\n".join(f"line {number} é" for number in range(9000))
    whole = f"<details><summary>a</summary>\n\n{inside.format(lines)}\n</details>\n"
    (tmp_path / "untrusted" / "preview.md").write_text(GOOD + whole)
    assert run("Look").returncode == 0
    body = (tmp_path / "body.md").read_text(encoding="utf-8").splitlines()
    assert "**Cut here.** The summary of the run has all of it." in body
    assert body.count("</details>") == 1 and body.count("```") == body.count("```mermaid")
    assert all(line in lines or "line" not in line for line in body), "no line is cut in half"


def test_a_report_of_the_longest_length_is_not_cut_again(tmp_path: Path, run: Run) -> None:
    lines = "é line\n" * ((COMMENT_LIMIT - len(GOOD.encode())) // len("é line\n".encode()))
    (tmp_path / "untrusted" / "preview.md").write_text(GOOD + lines)
    (tmp_path / "files.txt").write_text("".join(f"policies/rules/{'x' * 60}{n}.py\n" for n in range(40)))
    assert run("Look").returncode == 0
    assert "**Cut here.**" not in (tmp_path / "body.md").read_text(encoding="utf-8")


def test_what_judges_is_the_same_for_github_and_for_the_gates() -> None:
    (found,) = re.findall(r"guarded='(.+)'", script("Look"))
    listed = [path if (repo_root() / path).is_file() or path == SIGNERS_FILE else f"{path}/x" for path in GUARDED]
    assert all(re.match(found, path) for path in listed)
    assert not re.match(found, "ops/local/x.py") and not re.match(found, "components/aws/x.py")
