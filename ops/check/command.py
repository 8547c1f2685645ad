"""`seawall check`: whether each stack keeps the policies, as text, JSON, SARIF and JUnit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import UserError
from common.files import check_writable, write_whole
from ops.check.formats import as_junit, as_sarif
from ops.check.plans import chosen, read_plans
from ops.check.report import CheckReport, as_text
from ops.options import StacksArgument, StacksOption, named_stacks, several_stacks
from policies import waivers as waiving
from policies.inventory import Inventory
from policies.verdicts import judge
from policies.waivers import Waiver, WaiversFileError


def check(
    stacks: StacksArgument = None,
    stack: StacksOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print what fails, and nothing else.")] = False,
    details: Annotated[bool, typer.Option("--details", help="Also print the counts of each rule.")] = False,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Judge what `seawall plan --json` wrote (- for standard input)."),
    ] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write SARIF 2.1.0.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML.")] = None,
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The accepted violations; policies/waivers.yaml by default.")
    ] = None,
) -> None:
    """Judge each stack by the policies, without credentials and without an engine.

    The rules are in docs/policies.md. Exit code 1 if a rule is violated or a waiver is invalid, whatever is
    printed; in production, a value that only the provider knows counts as a violation.

    Example: seawall check prod-aws --sarif check.sarif
    """
    for report_file in (sarif, junit):
        if report_file is not None:
            check_writable(report_file)
    accepted = load_waivers(waivers)
    if plan is None:
        inventories = _planned(several_stacks(stacks, stack, "seawall check"), Steps(quiet=quiet))
    else:
        inventories = chosen(read_plans(plan), named_stacks(stacks, stack, "seawall check"), str(plan))
    report = check_inventories(inventories, accepted, date.today())
    if sarif:
        write_whole(sarif, json.dumps(as_sarif(report), indent=2))
    if junit:
        write_whole(junit, as_junit(report))
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2))
    else:
        text = as_text(report, quiet=quiet, details=details)
        if text:
            typer.echo(text)
    raise typer.Exit(report.exit_code)


def check_inventories(inventories: Sequence[Inventory], waivers: Sequence[Waiver], today: date) -> CheckReport:
    """Judge planned stacks as of `today`; a waiver of a stack that does not exist is invalid."""
    from stacks.promises import promises_in
    from stacks.settings import stack_names

    known = {*stack_names(), *(inventory.stack for inventory in inventories)}
    return CheckReport(
        version=version("seawall"),
        date=today,
        verdicts=tuple(judge(inventory, waivers, today) for inventory in inventories),
        stray_waivers=waiving.unknown_stacks(waivers, known),
        promises={inventory.stack: promises_in(inventory.settings) for inventory in inventories},
    )


def load_waivers(path: Path | None = None) -> tuple[Waiver, ...]:
    """The waivers in `path`; without one, those of this checkout, if it has any.

    Raises:
        UserError: `path` does not exist, or the file cannot be read as waivers.
    """
    if path is not None and not path.exists():
        raise UserError("there is no such file of waivers", str(path), "Check the name, or leave --waivers out.")
    try:
        return waiving.load(path or waiving.DEFAULT_FILE)
    except WaiversFileError as error:
        raise UserError(error.what, error.where, error.remedy) from None


def _planned(stacks: Sequence[str], steps: Steps) -> tuple[Inventory, ...]:
    from ops.plan.several import plan_stacks  # the SDKs take a second to import

    with steps.step(f"Plan {', '.join(stacks)}"):
        return plan_stacks(stacks)
