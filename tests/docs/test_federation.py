"""The workflows' jobs are the ones that bootstrap's federation trusts, with values from what bootstrap puts out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.paths import repo_root
from components.contracts.bootstrap import deploy_subject, drill_subject, plan_subjects
from components.contracts.naming import SERVICE_ACCOUNT_ID_MAX
from components.contracts.vocabulary import Cloud, Environment
from components.gcp.agents import account_email
from ops.plan.planner import plan_stack
from stacks.bootstrap_settings import BootstrapSettings
from stacks.files import stack_file
from stacks.settings import Settings

WORKFLOWS = sorted((repo_root() / ".github" / "workflows").glob("*.yml"))
VARIABLES = re.compile(r"vars\.([A-Z_]+)")
BY_ENVIRONMENT = re.compile(r"vars\[format\('([A-Z_]+)_\{0\}', matrix.environment\)\]")
"""Variables that each environment has one of."""
SET = re.compile(r'gh variable set ([A-Z_]+)(?: --env ([\w-]+))? --body "\$\(pulumi stack output (\w+)')
OF_THE_OWNER = {
    "AWS_DRIFT",
    "AWS_DRILLS",
    "AWS_EVIDENCE_KEY",
    "AWS_RUNNER",
    "AWS_STATE_REGION",
    "AWS_STATE_REGION_DEV",
    "GCP_DRIFT",
    "GCP_DRILLS",
    "GCP_EVIDENCE_KEY",
    "GCP_RUNNER",
}
"""What no output says: labels of the owner's runners, a region that stands in bootstrap's settings, whether accounts
are drilled, and the key that signs."""


def load(path: Path) -> dict[str, Any]:
    """A workflow as data."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def jobs() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Each job that asks for a cloud's credentials: workflow, cloud, the workflow's events, the job."""
    for path in WORKFLOWS:
        workflow = load(path)
        for name, job in workflow["jobs"].items():
            if "id-token" in job.get("permissions", {}):
                yield path.stem, name, workflow["on"], job


def bootstrap(cloud: str) -> BootstrapSettings:
    """The settings of a cloud's bootstrap stack."""
    return BootstrapSettings.load(stack_file(f"bootstrap-{cloud}"))


def subjects(events: dict[str, Any], job: dict[str, Any], repository: str, branch: str) -> set[str]:
    """The subjects of a job's tokens (docs.github.com, "OpenID Connect reference", read 2026-11-21)."""
    if "environment" in job:
        if job["environment"] == "drill-${{ matrix.environment }}":
            return {f"repo:{repository}:environment:drill-{e}" for e in job["strategy"]["matrix"]["environment"]}
        options = events["workflow_dispatch"]["inputs"]["environment"]["options"]
        assert job["environment"] == "${{ inputs.environment }}"
        return {f"repo:{repository}:environment:{option}" for option in options}
    deployed = f"ref:refs/heads/{branch}"
    told = {"pull_request": "pull_request", "push": deployed, "schedule": deployed, "workflow_dispatch": deployed}
    return {f"repo:{repository}:{told[event]}" for event in events}


def deploy_role(cloud: str, environment: Environment, account: str) -> str:
    """Whom bootstrap lets deploy an environment in an account."""
    place = replace(bootstrap(cloud).place, account=account)
    if cloud == "aws":
        return f"arn:aws:iam::{account}:role/{place.name(f'deploy-{environment}', max_length=64)}"
    return account_email(place, place.name(f"deploy-{environment}", max_length=SERVICE_ACCOUNT_ID_MAX))


@pytest.mark.parametrize(
    ("workflow", "cloud", "events", "job"), list(jobs()), ids=lambda v: v if isinstance(v, str) else ""
)
class TestJobsWithCredentials:
    """Each job that a cloud must trust."""

    def test_is_one_that_the_federation_trusts(
        self, workflow: str, cloud: str, events: dict[str, Any], job: dict[str, Any]
    ) -> None:
        github = bootstrap(cloud).github
        given = subjects(events, job, github.repository, github.branch)
        if workflow == "deploy":
            assert given == {deploy_subject(github, environment) for environment in Environment}
        elif workflow == "drill":
            assert given == {drill_subject(github, environment) for environment in Environment}
        else:
            assert given <= set(plan_subjects(github))

    def test_has_the_role_of_its_kind(
        self, workflow: str, cloud: str, events: dict[str, Any], job: dict[str, Any]
    ) -> None:
        kind = "ROLE" if cloud == "aws" else "ACCOUNT"
        asked = "PLAN" if workflow == "drift" else workflow.upper()
        given = (f"vars.{cloud.upper()}_{asked}_{kind}", f"vars[format('{cloud.upper()}_{asked}_{kind}_{{0}}'")
        assert any(variable in str(job) for variable in given)
        others = {"PLAN", "DEPLOY", "DRILL"} - {asked}
        assert not [other for other in others if f"{other}_{kind}" in str(job)]

    def test_no_fork_and_no_other_branch_comes_to_it(
        self, workflow: str, cloud: str, events: dict[str, Any], job: dict[str, Any]
    ) -> None:
        branch = bootstrap(cloud).github.branch
        needed = (
            f"github.ref == 'refs/heads/{branch}'"
            if workflow in ("deploy", "drill", "drift")
            else "github.event.pull_request.head.repo.full_name == github.repository"
        )
        assert needed in job["if"]

    def test_a_plan_changes_nothing(
        self, workflow: str, cloud: str, events: dict[str, Any], job: dict[str, Any]
    ) -> None:
        scripts = " ".join(step.get("run", "") for step in job["steps"])
        assert "pulumi up" not in scripts, "a deployment goes through the reviewed plan"
        assert ("seawall deploy" in scripts) == (workflow == "deploy")
        assert ("pulumi preview" in scripts) == (workflow in ("plan", "deploy"))
        assert ("seawall drift" in scripts) == (workflow == "drift")
        assert ("--target cloud" in scripts) == (workflow == "drill")


def test_there_are_jobs_to_plan_to_deploy_to_drill_and_to_find_drift_on_both_clouds() -> None:
    assert {(workflow, cloud) for workflow, cloud, _, _ in jobs()} == {
        (workflow, str(cloud)) for workflow in ("plan", "deploy", "drill", "drift") for cloud in Cloud
    }


def test_every_variable_is_one_that_the_readme_sets() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    asked = {name for text in texts for name in VARIABLES.findall(text)}
    asked |= {f"{name}_DEV" for text in texts for name in BY_ENVIRONMENT.findall(text)}
    readme = (repo_root() / "README.md").read_text(encoding="utf-8")
    told = {name for name, _, _ in SET.findall(readme)}
    assert asked == told | OF_THE_OWNER
    assert all(f"gh variable set {name}" in readme for name in OF_THE_OWNER)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_output_that_the_readme_takes_is_put_out(cloud: str) -> None:
    readme = (repo_root() / "README.md").read_text(encoding="utf-8")
    taken = {output for name, _, output in SET.findall(readme) if name.startswith(cloud.upper())}
    assert taken
    assert taken <= set(plan_stack(f"bootstrap-{cloud}").outputs)


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize("environment", list(Environment))
def test_the_deploy_role_of_each_environment_may_act_on_its_cluster(cloud: str, environment: Environment) -> None:
    settings = Settings.load(stack_file(f"{environment}-{cloud}"))
    deployers = [who.removeprefix("serviceAccount:") for who in settings.cluster.access.deployers.values()]
    assert deploy_role(cloud, environment, settings.account) in deployers


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_bootstrap_makes_the_role_of_that_name(cloud: str) -> None:
    settings = bootstrap(cloud)
    (environment, *_) = settings.environments
    name = deploy_role(cloud, environment, settings.account).rpartition("role/")[2].partition("@")[0]
    made = [r for r in plan_stack(f"bootstrap-{cloud}").resources if name in (r.get("name"), r.get("accountId"))]
    assert made
