"""`seawall plan`: what a stack's program asks for, as a table, as JSON and as a diagram, without credentials."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from common.errors import UserError
from policies.inventory import Inventory


def plan(
    stacks: Annotated[
        list[str] | None, typer.Argument(metavar="STACK", help="The stacks, as dev-aws; all when none is named.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per stack, one per line.")] = False,
    diagram: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Also draw the stack (of one stack at a time).")
    ] = None,
) -> None:
    """Show what each stack asks for, without credentials and without an engine.

    The real program runs, every input is checked against the installed SDKs, and nothing is created.

    With --json each line is one object (JSON Lines) with stack, settings, resources and outputs. Secrets are masked.

    Exit codes: 0 planned, 2 there is no such stack, or its settings or inputs are refused.

    Example: seawall plan prod-aws --diagram prod-aws.svg
    """
    from ops.plan.planner import checked_name  # the SDKs take a second to import
    from ops.plan.several import plan_stacks

    names = [checked_name(name) for name in dict.fromkeys(stacks or [])] or _all_stacks()
    if diagram is not None:
        _check_diagram(diagram, names)
    for inventory in plan_stacks(names):
        if as_json:
            typer.echo(json.dumps(inventory.to_json(), separators=(",", ":")))
        else:
            show(inventory)
        if diagram is not None:
            write_diagram(inventory, diagram)


def show(inventory: Inventory, console: Console | None = None) -> None:
    """Print one stack's resources as a tree with totals."""
    from ops.plan.table import summary, tree

    console = console or _console()
    console.print(tree(inventory))
    console.print(summary(inventory), highlight=False)
    console.print()


def write_diagram(inventory: Inventory, path: Path) -> None:
    """Draw `inventory` into `path`, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    from ops.plan.diagram import draw

    try:
        handle, partial = tempfile.mkstemp(dir=path.absolute().parent, prefix=".diagram-", suffix=".svg")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(draw(inventory))
            Path(partial).chmod(0o644)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"the diagram cannot be written: {error.strerror}",
            str(path),
            "name a file in a folder that you may write",
        ) from None


def _all_stacks() -> list[str]:
    from stacks.settings import stack_names

    names = stack_names()
    if not names:
        raise UserError("there is no stack to plan", "stacks/config", "add a Pulumi.<stack>.yaml")
    return list(names)


def _check_diagram(path: Path, names: list[str]) -> None:
    """Refuse before the work what would only fail after it."""
    if not path.absolute().parent.is_dir():
        raise UserError("the folder does not exist", str(path.absolute().parent), "make it, or name another")
    if path.suffix != ".svg":
        raise UserError(
            f"a diagram is an SVG file, and {path.name!r} is not named so", "--diagram", "end its name in .svg"
        )
    if len(names) != 1:
        raise UserError(
            f"a diagram shows one stack, and {len(names)} are planned", "--diagram", f"name one of {', '.join(names)}"
        )


def _console() -> Console:
    """As wide as the terminal; elsewhere wide enough that no line is cut."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)
