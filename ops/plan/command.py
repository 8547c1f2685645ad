"""`seawall plan`: what a stack's program asks for, as a table, as JSON and as a diagram, without credentials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from common.errors import UserError
from common.files import check_writable, write_whole
from ops.options import StacksArgument, StacksOption, several_stacks
from policies.inventory import Inventory


def plan(
    stacks: StacksArgument = None,
    stack: StacksOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per stack, one per line.")] = False,
    cost: Annotated[
        bool, typer.Option("--cost", help="Show what each stack costs a month, idle and at full scale, instead.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the totals, and not the resources.")] = False,
    diagram: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Also draw the stack (of one stack at a time).")
    ] = None,
) -> None:
    """Show what each stack asks for, without credentials and without an engine.

    The real program runs, every input is checked against the installed SDKs, and nothing is created.

    With --json each line is one object (JSON Lines) with stack, settings, resources, outputs and recovery, which says
    what the stack promises of a restore and what that is bounded to. Secrets are masked.

    With --cost it is an estimate from dated list prices, with what it leaves out; idle is what the fleet's fewest
    replicas need, and full scale all machines that the pools may have, all month.

    Exit codes: 0 planned, 2 there is no such stack, or its settings or inputs are refused.

    Example: seawall plan prod-aws --diagram prod-aws.svg
    """
    names = several_stacks(stacks, stack, "seawall plan")
    if diagram is not None:
        _check_diagram(diagram, names)
    from ops.plan.several import plan_stacks  # the SDKs take a second to import

    for inventory in plan_stacks(names):
        if cost:
            show_cost(inventory, as_json=as_json, quiet=quiet)
        elif as_json:
            typer.echo(json.dumps(document(inventory), separators=(",", ":")))
        else:
            show(inventory, quiet=quiet)
        if diagram is not None:
            write_diagram(inventory, diagram)


def document(inventory: Inventory) -> dict[str, Any]:
    """What `--json` prints of one stack; an inventory reads it back."""
    from stacks.promises import promises_in

    return {**inventory.to_json(), "recovery": [promise.to_json() for promise in promises_in(inventory.settings)]}


def show(inventory: Inventory, console: Console | None = None, *, quiet: bool = False) -> None:
    """Print one stack's resources as a tree with totals, as wide as a terminal is; elsewhere one line for each.

    Under the totals stand the objectives of recovery, with what each is bounded to.
    """
    from ops.plan.table import summary, tree
    from stacks.promises import promises_in

    console = console or Console(highlight=False, soft_wrap=True)
    if not quiet:
        for line in tree(inventory, console.width if console.is_terminal else None):
            console.print(line)
    console.print(summary(inventory), soft_wrap=not console.is_terminal)
    for promise in promises_in(inventory.settings):
        console.print(f"  {promise}", markup=False, soft_wrap=not console.is_terminal)
    if not quiet:
        console.print()


def show_cost(inventory: Inventory, *, as_json: bool = False, quiet: bool = False) -> None:
    """Print what one of the committed stacks costs a month."""
    from ops.cost.estimate import estimate
    from ops.cost.show import lines, to_json
    from stacks.files import is_bootstrap
    from stacks.settings import Settings, stack_file

    settings = None if is_bootstrap(inventory.stack) else Settings.load(stack_file(inventory.stack))
    found = estimate(inventory, settings)
    if as_json:
        typer.echo(json.dumps(to_json(found), separators=(",", ":")))
        return
    for line in lines(found, quiet=quiet):
        typer.echo(line)
    if not quiet:
        typer.echo()


def write_diagram(inventory: Inventory, path: Path) -> None:
    """Draw `inventory` into `path`, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    from ops.plan.diagram import draw

    write_whole(path, draw(inventory))


def _check_diagram(path: Path, names: Sequence[str]) -> None:
    """Refuse before the work what would only fail after it."""
    check_writable(path)
    if path.suffix != ".svg":
        raise UserError(
            f"a diagram is an SVG file, and {path.name!r} is not named so", "--diagram", "End its name in .svg."
        )
    if len(names) != 1:
        raise UserError(
            f"a diagram shows one stack, and {len(names)} are planned",
            "--diagram",
            f"Name one of {', '.join(names)}.",
        )
