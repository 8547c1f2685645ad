"""Settings of bootstrap stacks: what each cloud needs, what it lacks, and what must fit the platform stacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.bootstrap_settings import CONFIG_KEY, BootstrapSettings
from stacks.files import config_of, stack_file
from stacks.problems import SettingsError

STACKS = ("bootstrap-aws", "bootstrap-gcp")
AWS, GCP = STACKS


def values(stack: str) -> dict[str, Any]:
    """The settings of a committed bootstrap stack, as a fresh dictionary."""
    return dict(config_of(stack_file(stack))[CONFIG_KEY])


def put(settings: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set what a dotted path leads to; None removes it."""
    *above, last = path.split(".")
    node = settings
    for part in above:
        node[part] = dict(node[part])
        node = node[part]
    if value is None:
        node.pop(last, None)
    else:
        node[last] = value
    return settings


@pytest.fixture
def refused() -> Callable[[dict[str, Any]], SettingsError]:
    """Parses settings that must be refused."""

    def parse(settings: dict[str, Any]) -> SettingsError:
        with pytest.raises(SettingsError) as caught:
            BootstrapSettings.parse(settings, "test")
        return caught.value

    return parse


@pytest.mark.parametrize("stack", STACKS)
def test_the_committed_settings_are_accepted(stack: str) -> None:
    assert BootstrapSettings.load(stack_file(stack)).place.stack == stack


@pytest.mark.parametrize(
    ("stack", "path", "value", "named", "says"),
    [
        (AWS, "region", "eu-central-1", "region", "other than eu-central-1, the primary of dev-aws"),
        (GCP, "region", "europe-west4", "region", "the primary of dev-gcp"),
        (AWS, "region", "mars-1", "region", "eu-north-1"),
        (AWS, "copy_region", None, "copy_region", ""),
        (AWS, "copy_region", "mars-1", "copy_region", "eu-north-1"),
        (AWS, "copy_region", "eu-north-1", "copy_region", "0 km away"),
        (GCP, "copy_region", "europe-west3", "copy_region", "at least 400 km"),
        (AWS, "account", "999988887777", "environments.0", "dev-aws lives in 111122223333"),
        (GCP, "account", "acme-other", "environments.0", "dev-gcp lives in acme-serving-dev"),
        (AWS, "account", "12", "account", "12 digits"),
        (GCP, "project_number", "1", "project_number", "as in Pulumi.dev-gcp.yaml"),
        (AWS, "environments", ["dev", "dev"], "environments", "each once"),
        (AWS, "environments", [], "environments", "at least 1"),
        (GCP, "environments", ["dev", "staging"], "environments", "a project to itself"),
        (AWS, "project_number", "1", "project_number", "only Google Cloud"),
        (AWS, "billing_account", "0A1B2C-3D4E5F-6A7B8C", "billing_account", "only Google Cloud"),
        (AWS, "github.repository_id", "1", "github.repository_id", "only Google Cloud"),
        (AWS, "no_organization", "there is none for this account", "no_organization", "only Google Cloud"),
        (AWS, "generation", 2, "generation", "AWS gives up the names"),
        (GCP, "already_there", ["spot"], "already_there", "only AWS"),
        (GCP, "billing_account", None, "billing_account", "pays for the project"),
        (GCP, "github.repository_id", None, "github.repository_id", "number of the repository"),
        (GCP, "no_organization", "none", "no_organization", "20 characters"),
        (AWS, "budget.alert_email", None, "budget.alert_email", ""),
        (AWS, "budget.alert_email", "nobody", "budget.alert_email", ""),
        (AWS, "budget", None, "budget", ""),
        (AWS, "github", None, "github", ""),
        (AWS, "github.repository", "acme/*", "github.repository", ""),
        (AWS, "github.branch", "ma*n", "github.branch", ""),
        (AWS, "labels", {"stack": "x"}, "labels", ""),
        (AWS, "state_retention_days", 1, "state_retention_days", "30"),
    ],
)
def test_what_does_not_fit_is_refused(
    stack: str, path: str, value: Any, named: str, says: str, refused: Callable[[dict[str, Any]], SettingsError]
) -> None:
    problems = {problem.path: problem for problem in refused(put(values(stack), path, value)).problems}
    assert named in problems
    assert says in str(problems[named].allowed)
    assert problems[named].remedy


def test_a_file_that_is_named_after_another_stack_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bootstrap-gcp.yaml"
    file.write_text(stack_file(AWS).read_text())
    with pytest.raises(SettingsError, match="named after"):
        BootstrapSettings.load(file)
