"""`seawall preflight`: what a real account lacks before a stack is brought up there."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from common.console import Steps
from common.errors import UserError
from common.target import REAL_CLOUD, Target
from ops.options import Quiet, StackArgument, StackOption, one_stack
from ops.preflight.model import CHECKS, Report
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
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="Ask this alone; may be given again. --json shows the names."),
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
    report = preflight_stack(named, Steps(quiet=quiet), principal=principal, only=known_checks(only or ()))
    typer.echo(
        json.dumps(report.to_json(allow_unknown=allow_unknown), indent=2)
        if as_json
        else as_text(report, allow_unknown=allow_unknown)
    )
    raise typer.Exit(report.exit_code(allow_unknown=allow_unknown))


def known_checks(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each of which is a check's.

    Raises:
        UserError: one is not.
    """
    for name in names:
        if name not in CHECKS:
            raise UserError(f"there is no check {name!r}", "--only", f"Choose among {', '.join(CHECKS)}.")
    return tuple(names)


def preflight_stack(stack: str, steps: Steps, *, principal: str | None = None, only: Collection[str] = ()) -> Report:
    """The report on a committed stack; `only` names the checks that are asked, all where it is empty.

    Raises:
        UserError: the stack's settings are refused, or the account cannot be asked.
    """
    with steps.step(f"Plan {stack}"):
        from ops.plan.planner import plan_stack  # the SDKs take a second to import

        inventory = plan_stack(stack)
    return ask(inventory, read_files(stack), REAL_CLOUD, steps, principal=principal, only=only)


def ask(
    inventory: Inventory,
    files: PulumiFiles,
    target: Target,
    steps: Steps,
    *,
    principal: str | None = None,
    only: Collection[str] = (),
) -> Report:
    """The report on a planned stack, asked of `target`; `only` as in `preflight_stack`.

    Raises:
        UserError: the account cannot be asked.
    """
    from ops.preflight.asked import questions

    wanted = Wanted(inventory)
    with steps.step(f"Ask {wanted.cloud} who is calling"):
        asked = questions(wanted, files, target, principal)
    checks = [check for check in asked.checks if not only or check.id in only]
    with steps.step(f"Ask {wanted.cloud} {len(checks)} questions"):
        answered = run_checks(checks, steps)
    return Report(wanted.stack, wanted.account, asked.caller, answered)
