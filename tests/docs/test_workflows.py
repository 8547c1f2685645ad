"""Workflows run pinned actions with the least rights, and give the code of a pull request nothing that writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EVENTS_WITH_SECRETS = {"pull_request_target", "workflow_run", "issue_comment"}
"""Events that run with a writing token although a stranger may have caused them."""

pytestmark = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)


def load(path: Path) -> dict[str, Any]:
    """A workflow as data."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    """Every step of every job."""
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_commit_with_their_version_beside(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    known = "|".join(("actions", "aws-actions", "github", "google-github-actions"))
    loose = [
        line
        for line in used
        if not re.fullmatch(rf"({known})/[\w-]+(?:/[\w-]+)?@[0-9a-f]{{40}} # v\d+\.\d+\.\d+", line)
    ]
    assert not loose


def test_only_a_job_without_a_checkout_may_write(path: Path) -> None:
    workflow = load(path)
    assert "write" not in workflow["permissions"].values()
    for name, job in workflow["jobs"].items():
        rights = dict(job.get("permissions", workflow["permissions"]))
        # It writes nothing on GitHub; whom a cloud takes for it, is tested in test_federation.py.
        rights.pop("id-token", None)
        has_code = any("checkout" in step.get("uses", "") for step in job["steps"])
        assert not (has_code and "write" in rights.values()), name


def test_no_secret_and_no_event_that_would_bring_one(path: Path) -> None:
    assert "secrets." not in path.read_text(encoding="utf-8")
    assert not EVENTS_WITH_SECRETS & set(load(path)["on"])


def test_a_checkout_leaves_no_credential_behind(path: Path) -> None:
    checkouts = [step for step in steps(path) if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_script_has_an_event_s_text_pasted_in(path: Path) -> None:
    assert not [step for step in steps(path) if "${{" in step.get("run", "")]


def test_every_job_ends_in_time_and_older_runs_give_way(path: Path) -> None:
    workflow = load(path)
    assert workflow["concurrency"]["group"]
    # A drill restores all that a stack has, which may take as long as its objective allows.
    longest = 300 if path.stem == "drill" else 60
    assert all(job["timeout-minutes"] <= longest for job in workflow["jobs"].values())


def test_what_writes_on_github_is_one_right_of_one_job_and_never_a_fork_s(path: Path) -> None:
    workflow = load(path)
    for name, job in workflow["jobs"].items():
        rights = {r for r, how in job.get("permissions", workflow["permissions"]).items() if how == "write"}
        rights.discard("id-token")
        assert len(rights) <= 1, name
        if "security-events" in rights:
            assert path.name == "code-scanning.yml"
        if rights and "pull_request" in workflow["on"]:
            assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"], name


def test_alerts_are_uploaded_also_where_a_rule_is_violated(path: Path) -> None:
    jobs = load(path)["jobs"]
    for upload in (step for step in steps(path) if "upload-sarif" in step.get("uses", "")):
        assert jobs["upload"]["if"].startswith("always()") and jobs["upload"]["needs"] == "judge"
        (judged,) = [step["run"] for step in jobs["judge"]["steps"] if "seawall check" in step.get("run", "")]
        assert "--format github" in judged and "--format sarif=out/check.sarif" in judged
        assert upload["with"]["sarif_file"] == "check.sarif"
