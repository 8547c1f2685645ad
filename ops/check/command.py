"""`seawall check`: whether each stack keeps the policies, as text, JSON, SARIF and JUnit."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import UserError
from ops.check.formats import as_junit, as_sarif
from ops.check.plans import chosen, read_plans
from ops.check.report import CheckReport, as_text
from policies import waivers as waiving
from policies.inventory import Inventory
from policies.verdicts import judge
from policies.waivers import Waiver, WaiversFileError


def check(
    stacks: Annotated[
        list[str] | None, typer.Argument(metavar="STACK", help="The stacks, as dev-aws; all when none is named.")
    ] = None,
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
        Path, typer.Option(metavar="FILE", help="The accepted violations.", show_default=False)
    ] = waiving.DEFAULT_FILE,
) -> None:
    """Judge each stack by the policies, without credentials and without an engine.

    The rules are in docs/policies.md. Exit code 1 if a rule is violated or a waiver is invalid, whatever is
    printed; in production, a value that only the provider knows counts as a violation.

    Example: seawall check prod-aws --sarif check.sarif
    """
    named = list(dict.fromkeys(stacks or []))
    accepted = load_waivers(waivers)
    inventories = chosen(read_plans(plan), named, str(plan)) if plan else _planned(named, show_steps=not quiet)
    report = check_inventories(inventories, accepted, date.today())
    if sarif:
        _write(sarif, json.dumps(as_sarif(report), indent=2))
    if junit:
        _write(junit, as_junit(report))
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2))
    else:
        text = as_text(report, quiet=quiet, details=details)
        if text:
            typer.echo(text)
    raise typer.Exit(report.exit_code)


def check_inventories(inventories: Sequence[Inventory], waivers: Sequence[Waiver], today: date) -> CheckReport:
    """Judge planned stacks as of `today`; a waiver of a stack that does not exist is invalid."""
    from stacks.settings import stack_names

    known = {*stack_names(), *(inventory.stack for inventory in inventories)}
    return CheckReport(
        version=version("seawall"),
        date=today,
        verdicts=tuple(judge(inventory, waivers, today) for inventory in inventories),
        stray_waivers=waiving.unknown_stacks(waivers, known),
    )


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """The waivers in `path`.

    Raises:
        UserError: the file cannot be read as waivers.
    """
    try:
        return waiving.load(path)
    except WaiversFileError as error:
        raise UserError(error.what, error.where, error.remedy) from None


def _planned(stacks: Sequence[str], *, show_steps: bool) -> tuple[Inventory, ...]:
    from ops.plan.planner import checked_name  # the SDKs take a second to import
    from ops.plan.several import plan_stacks
    from stacks.settings import stack_names

    names = [checked_name(name) for name in stacks] or list(stack_names())
    with Steps().step(f"Plan {', '.join(names)}") if show_steps else nullcontext():
        return plan_stacks(names)


def _write(path: Path, text: str) -> None:
    """Write a report whole or not at all."""
    try:
        handle, partial = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(partial).chmod(0o644)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        remedy = "name a file in a folder that you may write"
        raise UserError(f"the report cannot be written: {error.strerror}", str(path), remedy) from None
