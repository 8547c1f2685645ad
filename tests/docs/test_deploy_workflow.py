"""The deployment takes a reviewed plan from a run of its own alone, as GitHub names such runs."""

from __future__ import annotations

import re
import subprocess

import pytest

from common.paths import repo_root


@pytest.mark.parametrize(
    ("run", "taken"),
    [
        (".github/workflows/deploy.yml main workflow_dispatch success", True),
        # As GitHub's own description of the answer has it (rest-api-description, `workflow-run`, read 2026-11-22).
        ("octocat/octo-repo/.github/workflows/deploy.yml@main main workflow_dispatch success", True),
        (".github/workflows/deploy.yml@refs/heads/main main workflow_dispatch success", True),
        (".github/workflows/deploy.yml@other main workflow_dispatch success", False),
        (".github/workflows/deploy.yml other workflow_dispatch success", False),
        (".github/workflows/deploy.yml main pull_request success", False),
        (".github/workflows/deploy.yml main workflow_dispatch failure", False),
        (".github/workflows/deploy_yml main workflow_dispatch success", False),
        (".github/workflows/preview.yml main workflow_dispatch success", False),
    ],
)
def test_a_reviewed_plan_is_of_a_run_of_the_deployment_on_the_deployed_branch(run: str, taken: bool) -> None:
    text = (repo_root() / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    (wanted,) = set(re.findall(r"\| grep -qxE '(.*success)'", text))
    done = subprocess.run(["grep", "-qxE", wanted], input=run, text=True, check=False)
    assert (done.returncode == 0) == taken
