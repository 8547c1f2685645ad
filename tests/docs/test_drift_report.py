"""The nightly drift report is one issue, which is closed only where all was looked at and is clean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from common.paths import repo_root
from ops.deploying.drift import Drifted, Report, markdown

DRIFT = repo_root() / ".github" / "workflows" / "drift.yml"
TITLE = "Drift: the clouds are otherwise than the state"
GH = """#!/bin/sh
echo "$@" >> calls
case "$*" in
  *"state=open"*) cat issues.json ;;
esac
"""
CLEAN = markdown([Report("dev-aws")])
DRIFTED = markdown([Report("dev-aws", (Drifted("urn:pulumi:d::p::aws:s3/bucket:Bucket::models", gone=True),))])
FAILED = markdown([Report("dev-aws", failed="no login")])
OURS = {"title": TITLE, "number": 7}
Run = Callable[..., list[str]]

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the workflow's script needs jq")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the reporting step with a `gh` that knows these issues; returns what it was asked to change."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    steps = YAML(typ="safe").load(DRIFT.read_text(encoding="utf-8"))["jobs"]["report"]["steps"]
    (script,) = [step["run"] for step in steps if "run" in step]

    def act(
        reports: Mapping[str, str], *pages: list[dict[str, object]], aws: str = "success", gcp: str = "skipped"
    ) -> list[str]:
        (tmp_path / "found").mkdir()
        for name, text in reports.items():
            (tmp_path / "found" / name).write_text(text)
        (tmp_path / "issues.json").write_text("\n".join(json.dumps(page) for page in pages or ([],)))
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env={
                "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "LC_ALL": "C.UTF-8",
                "AWS": aws,
                "GCP": gcp,
                "REPOSITORY": "seawall/seawall",
                "RUN": "https://example.com/run",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [call for call in (tmp_path / "calls").read_text().splitlines() if "--silent" in call]

    return act


def test_drift_opens_one_issue(run: Run, tmp_path: Path) -> None:
    [call] = run({"a.md": DRIFTED})
    assert "POST repos/seawall/seawall/issues" in call and f"title={TITLE}" in call
    assert "gone" in (tmp_path / "body.md").read_text()


def test_the_open_issue_is_brought_up_to_date(run: Run) -> None:
    [call] = run({"a.md": DRIFTED}, [{"title": "other", "number": 1}, OURS])
    assert "PATCH repos/seawall/seawall/issues/7" in call and "closed" not in call


def test_an_issue_on_a_later_page_is_found_too(run: Run) -> None:
    [call] = run({"a.md": DRIFTED}, [{"title": f"other {n}", "number": n} for n in range(100, 200)], [OURS])
    assert "issues/7" in call


def test_a_pull_request_of_the_same_title_is_not_it(run: Run) -> None:
    [call] = run({"a.md": DRIFTED}, [{**OURS, "pull_request": {}}])
    assert "POST" in call


def test_where_all_is_clean_the_issue_is_closed_and_none_is_opened(run: Run) -> None:
    [call] = run({"a.md": CLEAN}, [OURS])
    assert "state=closed" in call


def test_where_all_is_clean_none_is_opened(run: Run) -> None:
    assert not run({"a.md": CLEAN})


@pytest.mark.parametrize(
    ("reports", "aws"),
    [
        ({}, "success"),
        ({"a.md": CLEAN}, "failure"),
        ({"a.md": CLEAN}, "cancelled"),
        ({"a.md": FAILED}, "success"),
        ({"a.md": CLEAN, "b.md": DRIFTED}, "success"),
        ({"a.md": ""}, "success"),
    ],
    ids=["no report", "a job failed", "a job ran too long", "a stack not looked at", "one of two", "an empty report"],
)
def test_what_was_not_looked_at_whole_closes_nothing(run: Run, reports: dict[str, str], aws: str) -> None:
    assert not any("closed" in call for call in run(reports, [OURS], aws=aws))


def test_a_long_report_is_cut_at_a_line(run: Run, tmp_path: Path) -> None:
    many = tuple(Drifted(f"urn:pulumi:d::p::aws:s3/bucket:Bucket::é{'x' * 290}-{n}", gone=True) for n in range(400))
    run({"a.md": markdown([Report("dev-aws", many)])})
    body = (tmp_path / "body.md").read_text(encoding="utf-8")
    assert len(body.encode()) < 65_536 and "**Cut here.**" in body
    assert all(line.endswith(": gone") for line in body.splitlines() if line.startswith("- `"))
