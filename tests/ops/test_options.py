"""A stack is named by position or by option alike, and a misspelt one is answered with the one that was meant."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from common.errors import UserError
from ops.cli import build_app
from ops.local.command import pulumi_command
from ops.options import known_stack, one_stack, several_stacks
from stacks.settings import stack_names

ENOUGH: dict[str, list[str]] = {
    "plan": [],
    "check": [],
    "diff": ["--base", "HEAD"],
    "preview": [],
    "gates": ["--base", "HEAD"],
    "approve": ["--plan", "plan.json", "--gate", "state", "--reason", "The bucket has been empty since May"],
    "deploy": ["--plan", "plan.json"],
    "drift": [],
    "drill": [],
    "demo": [],
    "models publish": ["--version", "1.0.1"],
    "models list": [],
    "models rollback": [],
    "models verify": ["--version", "1.0.1"],
    "models digest": ["--version", "1.0.1"],
    "models prune": [],
    "rehearse": [],
    "capacity": [],
    "render": ["--out", "rendered"],
    "bandit": ["--service", "tumour-risk", "--reward", "stable=0.5"],
    "features load": ["rows.jsonl"],
    "features check": ["rows.jsonl"],
    "preflight": [],
    "upgrades": [],
    "images sync": [],
    "images check": [],
    "local up": [],
    "local down": [],
    "local status": [],
    "local pulumi": ["--", "preview"],
}
"""Every command that takes a stack, with what else it must be given."""
SERVICE_BEHIND = {"models promote", "models status"}
"""Commands that take a service after the stack, by position alone."""
NO_STACK = {"engine", "models signer", "models validate", "variants compare", "variants exposures"}


def commands(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its name."""
    for name, child in getattr(found, "commands", {}).items():
        yield from commands(child, (*path, name))
    if not hasattr(found, "commands"):
        yield " ".join(path), found


def test_every_command_about_a_stack_takes_it_in_both_ways() -> None:
    found = dict(commands(typer.main.get_command(build_app())))
    assert set(ENOUGH) == set(found) - NO_STACK - SERVICE_BEHIND
    for name in ENOUGH:
        ways = [p.opts for p in found[name].params if p.metavar == "STACK"]
        assert len(ways) == 2 and ["--stack", "-s"] in ways, name


def refusal(command: str, *stack: str) -> UserError:
    """How `command` refuses `stack`; nothing was started by then, or it would have taken minutes."""
    more = ENOUGH[command]
    arguments = [*command.split(), *more, *stack] if "--" not in more else [*command.split(), *stack, *more]
    error = CliRunner().invoke(build_app(), arguments).exception
    assert isinstance(error, UserError), error
    return error


@pytest.mark.parametrize("command", list(ENOUGH))
@pytest.mark.parametrize("way", [(), ("-s",), ("--stack",)], ids=["position", "-s", "--stack"])
def test_a_misspelt_stack_is_answered_with_the_one_that_was_meant(command: str, way: tuple[str, ...]) -> None:
    told = refusal(command, *way, "prod-gpc")
    assert told.what == "there is no stack 'prod-gpc'"
    assert told.remedy == f"Did you mean prod-gcp? The stacks are {', '.join(stack_names())}."


@pytest.mark.parametrize("command", list(ENOUGH))
def test_two_names_that_differ_are_refused(command: str) -> None:
    told = refusal(command, "-s", "dev-gcp", "dev-aws")
    assert told.what == "the stack is named twice, differently: dev-aws and --stack dev-gcp"


def test_one_name_in_both_ways_is_one_stack() -> None:
    assert one_stack("dev-aws", "dev-aws", "seawall x") == "dev-aws"
    assert several_stacks(["dev-aws", "dev-aws"], ["dev-aws"], "seawall x") == ("dev-aws",)


def test_no_name_is_every_stack_or_a_refusal_with_an_example() -> None:
    assert several_stacks(None, None, "seawall plan") == stack_names()
    with pytest.raises(UserError, match="no stack is named") as refused:
        one_stack(None, None, "seawall drill")
    assert "`seawall drill dev-aws`" in refused.value.remedy


@pytest.mark.parametrize(
    "typed",
    ["DEV-AWS", "aws-dev", "dev_aws", "stacks/config/Pulumi.dev-aws.yaml", "organization/seawall/dev-aws", "dev-asw"],
)
def test_other_ways_to_write_a_stack_lead_to_its_name(typed: str) -> None:
    with pytest.raises(UserError) as refused:
        known_stack(typed)
    assert refused.value.remedy.startswith("Did you mean dev-aws?")


def test_what_resembles_no_stack_is_answered_with_all_of_them() -> None:
    with pytest.raises(UserError) as refused:
        known_stack("zzz", ("dev-aws",))
    assert refused.value.remedy == "The stacks are dev-aws."


@pytest.mark.parametrize(
    ("stack", "arguments", "option", "given"),
    [
        ("dev-aws", ["--", "preview", "--diff"], None, ["preview", "--diff"]),
        ("dev-aws", ["preview"], None, ["preview"]),
        ("preview", ["--diff"], "dev-aws", ["preview", "--diff"]),
        ("dev-aws", ["preview"], "dev-aws", ["preview"]),
    ],
)
def test_what_follows_the_stack_is_pulumis(
    stack: str, arguments: list[str], option: str | None, given: list[str]
) -> None:
    assert pulumi_command(stack, arguments, option) == ("dev-aws", given)


def test_a_pulumi_command_that_is_missing_is_asked_for() -> None:
    with pytest.raises(UserError, match="no Pulumi command is given") as refused:
        pulumi_command("dev-aws", ["--"], None)
    assert "`seawall local pulumi dev-aws -- preview`" in refused.value.remedy


@pytest.mark.parametrize(("called", "loaded"), [("plan", {"plan"}), ("--help", {"plan", "demo", "drill"})])
def test_only_the_command_that_is_called_is_loaded(called: str, loaded: set[str]) -> None:
    code = (
        "import sys; from ops.cli import build_app; build_app(sys.argv[1:]); "
        "print(*(name for name in ('plan', 'demo', 'drill') if f'ops.{name}.command' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, called], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) == loaded
