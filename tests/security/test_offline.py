"""A secret in the settings shows in nothing that a plan, a check or a diff makes."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.check.formats import FORMATS
from ops.cli import build_app
from ops.diff.markdown import render
from ops.diff.run import compare_all
from ops.plan.planner import plan_stack
from policies.inventory import SECRET, Resource
from stacks.settings import Settings, stack_file
from tests.golden.write import golden_text

pytestmark = pytest.mark.usefixtures("leaky_configs")

WEBHOOKS = {
    "aws": ("aws:sns/topicSubscription:TopicSubscription", "endpoint"),
    "gcp": ("gcp:monitoring/notificationChannel:NotificationChannel", "labels.url"),
}
"""Cloud → what delivers to the webhook, and the input with its address."""


def webhook(stack: str) -> tuple[Resource, str]:
    """The planned resource that delivers to the webhook, and the path of the address."""
    token, path = WEBHOOKS[stack.rpartition("-")[2]]
    (found,) = (r for r in plan_stack(stack).of_type(token) if r.name == "webhook")
    return found, path


def run(arguments: Sequence[str]) -> str:
    """All that a command prints."""
    result = CliRunner().invoke(build_app(), list(arguments))
    assert result.exit_code in (0, 1), result.output
    return result.output


def test_the_webhook_is_a_secret_of_pulumis(stack: str) -> None:
    resource, path = webhook(stack)
    assert any(path == p or path.startswith(f"{p}.") for p in resource.secret_paths), resource.secret_paths
    assert resource.get(path) == SECRET or resource.get(path.partition(".")[0]) == SECRET


def test_settings_do_not_show_their_secrets(stack: str, canary: Any, leaky_configs: Path) -> None:
    settings = Settings.load(leaky_configs / stack_file(stack).name)
    assert settings.monitoring.alert_webhook is not None
    shown = (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump()))
    assert not [text for text in shown if canary.is_in(text)]


@pytest.mark.parametrize(
    "arguments",
    [["plan", "--json"], ["plan"], ["check", "--format", "json"], ["check", "--details"], ["check"]],
    ids=" ".join,
)
def test_what_commands_print_does_not_show_it(stack: str, canary: Any, arguments: list[str]) -> None:
    command, *options = arguments
    printed = run([command, stack, *options])
    assert stack in printed
    assert not canary.is_in(printed)


def test_the_diagram_does_not_show_it(stack: str, canary: Any, tmp_path: Path) -> None:
    file = tmp_path / "stack.svg"
    run(["plan", stack, "--diagram", str(file)])
    assert not canary.is_in(file.read_bytes())


def test_reports_for_other_tools_do_not_show_it(stack: str, canary: Any, tmp_path: Path) -> None:
    files = {name: tmp_path / f"check.{name}" for name in FORMATS}
    run(["check", stack, *(f"--format={name}={file}" for name, file in files.items())])
    assert all(file.stat().st_size for file in files.values())
    assert canary.files_with_it(files.values()) == []


def test_a_golden_plan_does_not_show_it(stack: str, canary: Any) -> None:
    assert not canary.is_in(golden_text([plan_stack(stack)]))


def test_a_plan_says_that_there_is_a_secret(stack: str) -> None:
    printed = json.loads(run(["plan", stack, "--json"]))
    assert printed["settings"]["monitoring"]["alert_webhook"] == SECRET


def test_a_diff_tells_of_a_new_webhook_without_showing_it(
    stack: str, canary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = plan_stack(stack)
    monkeypatch.undo()  # the committed settings, which have none
    text = render(compare_all({stack: plan_stack(stack)}, {stack: after}), base="a", head="b")
    assert "webhook" in text
    assert not canary.is_in(text)


def test_a_diff_shows_neither_side_of_a_changed_webhook(stack: str, canary: Any, leaky_configs: Path) -> None:
    before = plan_stack(stack)
    other = replace(canary, token="c4n4ry-0therone", url="https://hooks.example.com/c4n4ry-0therone")
    file = leaky_configs / stack_file(stack).name
    file.write_text(file.read_text().replace(canary.url, other.url))
    text = render(compare_all({stack: before}, {stack: plan_stack(stack)}), base="a", head="b")
    assert not canary.is_in(text) and not other.is_in(text)


def test_planning_logs_no_secret(stack: str, canary: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        plan_stack(stack)
    assert not canary.is_in(caplog.text)


def test_no_stack_output_is_a_secret(stack: str, canary: Any) -> None:
    outputs = json.dumps(plan_stack(stack).outputs)
    assert SECRET not in outputs and not canary.is_in(outputs)


def test_the_password_of_the_feature_store_is_masked_wherever_it_goes() -> None:
    inventory = plan_stack("prod-gcp")
    (secret,) = inventory.of_type("kubernetes:core/v1:Secret")
    assert "stringData" in secret.secret_paths
    fed = [r.urn for r in inventory.resources if r.custom and "authString" in json.dumps(dict(r.inputs))]
    assert not fed
