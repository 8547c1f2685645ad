"""`seawall demo`: the main job, from a preview to a proven restore, on the local cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    stack: Annotated[str, typer.Option(metavar="STACK", help="The stack to show, as dev-gcp.")] = "dev-aws",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where reports go; out/ by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Bring a stack up, serve a model from it, lose its region, restore it, and predict again.

    Example: seawall demo --stack dev-gcp
    """
    from ops.demo.leftovers import adopt_orphans
    from ops.demo.run import run_demo  # with it comes Pulumi's whole SDK

    adopt_orphans()
    raise typer.Exit(run_demo(stack, out, as_json=as_json))
