"""`seawall demo`: the main job, from a preview to a proven restore, on the local cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ops.options import Quiet, StackArgument, StackOption, platform_stack

DEFAULT_STACK: Final = "dev-aws"


def demo(
    stack: StackArgument = None,
    named: StackOption = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where reports go; out/ by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Bring a stack up, serve a model from it, lose its region, restore it, and predict again.

    Without a stack it shows dev-aws.

    Example: seawall demo dev-gcp
    """
    chosen = platform_stack(stack, named, "seawall demo", default=DEFAULT_STACK)
    from ops.demo.leftovers import adopt_orphans
    from ops.demo.run import run_demo  # with it comes Pulumi's whole SDK

    adopt_orphans()
    raise typer.Exit(run_demo(chosen, out, as_json=as_json, quiet=quiet))
