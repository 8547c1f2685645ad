"""`seawall preflight`: what a real account lacks before a stack is brought up there."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from common.console import Steps
from common.target import REAL_CLOUD, Target
from ops.options import Quiet, StackArgument, StackOption, one_stack
from ops.preflight.model import Report
from ops.preflight.report import as_text
from ops.preflight.runner import run_checks
from ops.preflight.state import PulumiFiles, read_files
from ops.preflight.wanted import Wanted
from policies.inventory import Inventory


def preflight(
    stack: StackArgument = None,
    stack_option: StackOption = None,
    principal: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="AWS: judge the permissions of this role or user, not the caller's."),
    ] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Exit 0 although something could not be read.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Ask the cloud, with your credentials, what a stack needs and its account lacks. Nothing is changed there.

    Exit code 0 if all is there, 1 if something is missing or could not be read, 2 if the account could not be asked:
    no credentials, no network, or another account's.

    Example: seawall preflight prod-aws
    """
    named = one_stack(stack, stack_option, "seawall preflight")
    report = preflight_stack(named, Steps(quiet=quiet), principal=principal)
    typer.echo(
        json.dumps(report.to_json(allow_unknown=allow_unknown), indent=2)
        if as_json
        else as_text(report, allow_unknown=allow_unknown)
    )
    raise typer.Exit(report.exit_code(allow_unknown=allow_unknown))


def preflight_stack(stack: str, steps: Steps, *, principal: str | None = None) -> Report:
    """The report on a committed stack.

    Raises:
        UserError: the stack's settings are refused, or the account cannot be asked.
    """
    with steps.step(f"Plan {stack}"):
        from ops.plan.planner import plan_stack  # the SDKs take a second to import

        inventory = plan_stack(stack)
    return ask(inventory, read_files(stack), REAL_CLOUD, steps, principal=principal)


def ask(
    inventory: Inventory, files: PulumiFiles, target: Target, steps: Steps, *, principal: str | None = None
) -> Report:
    """The report on a planned stack, asked of `target`.

    Raises:
        UserError: the account cannot be asked.
    """
    from ops.preflight.asked import questions

    wanted = Wanted(inventory)
    with steps.step(f"Ask {wanted.cloud} who is calling"):
        asked = questions(wanted, files, target, principal)
    with steps.step(f"Ask {wanted.cloud} {len(asked.checks)} questions"):
        answered = run_checks(asked.checks, steps)
    return Report(wanted.stack, wanted.account, asked.caller, answered)
