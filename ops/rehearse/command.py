"""`seawall rehearse`: try a stack on a real Kubernetes control plane, before a real cluster does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, when_interrupted
from ops.options import Quiet, StackArgument, StackOption, platform_stack


def rehearse(
    stack: StackArgument = None,
    named: StackOption = None,
    speed: Annotated[
        float, typer.Option(min=1, max=60, help="By how much time is compressed while the load runs.")
    ] = 20.0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AREA",
            help="Only this of admission, rights, flows, standing, placing, warm, rollouts, drains, zones, load; may "
            "be given again.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the report goes; out/ by default.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Lay a stack on a real control plane with simulated machines, and try what a cluster would.

    Admission, rights, network flows, what all services depend on, placing with warm replicas, rollouts, drains and a
    lost zone, and the real autoscaler under a simulated load, by way of the real metrics chain. Needs no account;
    builds Kubernetes once (some minutes). Exit 1 if a check fails. The report is text, JSON and a picture.

    Example: seawall rehearse dev-aws
    """
    chosen = platform_stack(stack, named, "seawall rehearse")
    from common.paths import out_dir
    from ops.rehearse.report import text, write
    from ops.rehearse.run import Plan, run_areas
    from ops.rehearse.run import rehearse as run

    plan = Plan(speed=speed, areas=run_areas(only))
    folder = (out or out_dir()) / f"rehearsal-{chosen}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    with when_interrupted("the control plane has been stopped, and no report was written"):
        report = run(chosen, folder, Steps(quiet=quiet), plan)
    paths = write(report, folder)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=1))
    else:
        typer.echo(text(report))
        typer.echo("\n".join(f"  report: {path}" for path in paths))
    raise typer.Exit(EXIT_CLEAN if report.ok else EXIT_FOUND)
