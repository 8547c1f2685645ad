"""A mistake beside a secret, or with it, is told without the secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import stacks.settings
from common.errors import UserError
from ops.cli import build_app
from ops.plan.planner import plan_program
from stacks.problems import SettingsError
from stacks.settings import CONFIG_KEY, Settings

STACK = "prod-aws"

URL = "https://hooks.example.com/services/c4n4ry-7f3d9e51a0b2"
"""The canary's address, which the mistakes are made with."""

MISTAKES: dict[str, Callable[[str], str]] = {
    "a misspelt key": lambda text: text.replace("alert_webhook:", "alert_webhok:"),
    "a key too far up": lambda text: text.replace("    account:", f"    alert_webhook: {URL}\n    account:"),
    "a key in a section without secrets": lambda text: text.replace(
        "    fleet:\n", f"    fleet:\n      webhook: {URL}\n"
    ),
    "a list for a section": lambda text: re.sub(
        r"    monitoring:\n((?:      .*\n)+)",
        lambda found: f"    monitoring:\n{found[1].replace('      ', '      - ')}",
        text,
    ),
    "the secret for a section": lambda text: re.sub(
        r"    monitoring:\n(?:      .*\n)+", f"    monitoring: {URL}\n", text
    ),
    "a list for the secret": lambda text: text.replace(f": {URL}", f": [{URL}]"),
    "the secret for everything": lambda text: text.replace("    cloud:", f"    - {URL}\n    cloud:"),
    "a list of everything": lambda text: re.sub(
        r"seawall:settings:\n.*", f"seawall:settings: [{URL}]\n", text, flags=re.DOTALL
    ),
    "broken YAML after it": lambda text: text.replace(URL, f"{URL}: oops"),
    "a key twice": lambda text: text.replace("alert_webhook:", f"alert_webhook: {URL}\n      alert_webhook:"),
    "a wrong indent": lambda text: text.replace("      alert_webhook:", "     alert_webhook:"),
    "http": lambda text: text.replace(URL, URL.replace("https", "http")),
    "a wrong neighbour": lambda text: text.replace("alert_email: ", "alert_email: nobody # "),
    "a wrong setting elsewhere": lambda text: text.replace("max_replicas: ", "max_replicas: -"),
    "a rule between sections": lambda text: text.replace("max_replicas: ", "max_replicas: 9"),
}


@pytest.fixture(params=list(MISTAKES))
def mistaken(request: pytest.FixtureRequest, leaky_configs: Path, canary: Any) -> Path:
    """The settings file of a stack with a mistake in it."""
    file = leaky_configs / f"Pulumi.{STACK}.yaml"
    text = file.read_text()
    changed = MISTAKES[request.param](text)
    assert changed != text and canary.url == URL and canary.is_in(changed)
    file.write_text(changed)
    return file


def test_refused_settings_do_not_show_it(mistaken: Path, canary: Any) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load(mistaken)
    assert not canary.is_in(str(refused.value)) and not canary.is_in(repr(refused.value.problems))


def test_a_command_refuses_them_without_showing_it(mistaken: Path, canary: Any) -> None:
    result = CliRunner().invoke(build_app(), ["plan", STACK])
    assert isinstance(result.exception, UserError)
    assert not canary.is_in(result.output) and not canary.is_in(str(result.exception))


def test_a_misspelt_secret_is_still_named(leaky_configs: Path) -> None:
    file = leaky_configs / f"Pulumi.{STACK}.yaml"
    file.write_text(file.read_text().replace("alert_webhook:", "alert_webhok:"))
    with pytest.raises(SettingsError, match="Did you mean alert_webhook"):
        Settings.load(file)


def test_broken_yaml_is_still_located(leaky_configs: Path, canary: Any) -> None:
    file = leaky_configs / f"Pulumi.{STACK}.yaml"
    lines = file.read_text().splitlines()
    (number,) = (i for i, line in enumerate(lines, 1) if canary.url in line)
    file.write_text("\n".join(lines).replace(canary.url, f"{canary.url}: oops"))
    with pytest.raises(SettingsError, match=f"line {number}, column"):
        Settings.load(file)


def test_an_input_of_the_wrong_type_is_refused_without_showing_it(canary: Any) -> None:
    def program() -> None:
        wrong: Any = pulumi.Output.secret([canary.url])
        aws.sns.TopicSubscription("webhook", topic="t", protocol="https", endpoint=wrong)

    with pytest.raises(UserError) as refused:
        plan_program(program, "test")
    assert "'webhook': wrong type of endpoint: a list, where str is expected" in str(refused.value)
    assert not canary.is_in(str(refused.value))


def test_a_setting_that_pulumi_encrypted_is_taken_as_it_is() -> None:
    file = stacks.settings.stack_file(STACK)
    values: Any = YAML(typ="safe").load(file.read_text())["config"][CONFIG_KEY]
    values["monitoring"]["alert_webhook"] = {"secure": "AAABADQXFlU0mxC2"}
    assert Settings.parse(values, "test").monitoring.alert_webhook is not None
