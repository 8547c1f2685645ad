"""Workflows run pinned actions with the least rights, and give the code of a pull request nothing that writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EVENTS_WITH_SECRETS = {"pull_request_target", "issue_comment", "issues", "pull_request_review", "discussion"}
"""Events that run with a writing token although a stranger may have caused them."""
STRANGERS = re.compile(
    r"github\.event\.(?:issue|pull_request|comment|review|discussion|workflow_run)\b[^}]*?"
    r"(?:title|body|message|email|name|label|head_branch|head\.ref|default_branch|page_name)"
)
"""What a stranger chooses the text of (docs.github.com, "Script injections", read 2026-11-22)."""

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


def test_a_stranger_s_text_comes_in_by_the_environment_alone(path: Path) -> None:
    """Not in a name, an action's input or a job's setting, where it may be read as something else."""
    workflow = load(path)
    for job in workflow["jobs"].values():
        settings = {name: value for name, value in job.items() if name not in ("steps", "if")}
        inputs = [step.get("with", {}) for step in job["steps"]]
        assert not STRANGERS.search(str(settings)) and not STRANGERS.search(str(inputs)), path.name


def test_what_runs_after_a_stranger_s_run_checks_nothing_out_and_runs_nothing_of_it(path: Path) -> None:
    workflow = load(path)
    if "workflow_run" not in workflow["on"]:
        return
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
        assert used <= {"actions/download-artifact"}
        assert set(job["permissions"]) <= {"actions", "pull-requests"}
        assert "github.event.workflow_run.event == 'pull_request'" in job["if"]
        scripts = " ".join(step.get("run", "") for step in job["steps"])
        runs = re.compile(r"\b(?:bash|sh|python3?|node|make|source|eval|chmod|xargs|pip|uv)\b|untrusted/\S+\s*\(")
        assert not runs.search(scripts)


def test_an_artifact_of_a_stranger_is_looked_at_before_it_is_posted(path: Path) -> None:
    """Its size, kind, encoding and first line; and the pull request is GitHub's to say."""
    if "workflow_run" not in load(path)["on"]:
        return
    text = path.read_text(encoding="utf-8")
    for check in ("stat --format %s", "test ! -L", "iconv --from-code UTF-8", "wc -l", "grep -qx '## What"):
        assert check in text, check
    assert "$2 == sha" in text and "cat untrusted" not in text and "< untrusted" not in text


def test_a_job_that_may_change_a_cloud_waits_for_its_environment(path: Path) -> None:
    for name, job in load(path)["jobs"].items():
        changes = any("seawall deploy" in step.get("run", "") for step in job["steps"])
        assert not changes or job.get("environment"), name


def test_the_token_is_handed_to_no_code_of_a_pull_request(path: Path) -> None:
    workflow = load(path)
    if "pull_request" not in workflow["on"]:
        return
    assert "github.token" not in path.read_text(encoding="utf-8")


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
