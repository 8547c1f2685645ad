"""`seawall capacity`: how a stack's service follows a load, before any load comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError
from ops.options import StackArgument, StackOption, platform_stack


def capacity(
    stack: StackArgument = None,
    named: StackOption = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="The service; may be left out where there is one.")
    ] = None,
    trace: Annotated[
        str,
        typer.Option(metavar="TRACE", help="diurnal, flash-crowd, or a CSV file of seconds,requests_per_second."),
    ] = "flash-crowd",
    request_ms: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=600_000,
            help="A request's time in the model, without its wait, as measured; 50 ms is assumed.",
        ),
    ] = None,
    peak_rps: Annotated[
        float | None,
        typer.Option(min=0.001, max=1_000_000, help="The trace's highest rate; a built-in one fits the stack."),
    ] = None,
    objective_ms: Annotated[
        int | None, typer.Option(min=1, help="Judge by this p99, in place of the service's objective.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Also draw the course.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the forecast as JSON.")] = False,
) -> None:
    """Simulate a service's replicas, queue and latency over time, with the very settings of the stack.

    The autoscaler is Kubernetes' own calculation, with the plan's targets, windows and steps; machines, image and
    release take the times that the stack counts on. Seconds, without credentials; `seawall rehearse` tries the same
    on the real controller. Exit 1 if the trace's p99 misses the objective.

    Exit codes: 0 the objective is kept, 1 it is missed, 2 the trace or the settings are refused.

    Example: seawall capacity prod-aws --trace flash-crowd --request-ms 12 --picture crowd.svg
    """
    chosen = platform_stack(stack, named, "seawall capacity")
    from common.files import check_writable, write_whole
    from ops.capacity.forecast import forecast, remedy
    from ops.capacity.report import picture as drawn
    from ops.capacity.report import text
    from ops.capacity.service import service_of
    from ops.plan.planner import plan_stack  # the SDKs take a second to import
    from stacks.settings import Settings, stack_file

    if picture is not None:
        if picture.suffix != ".svg":
            raise UserError(f"{picture.name!r} is not named as an SVG file", "--picture", "End its name in .svg.")
        check_writable(picture)
    settings = Settings.load(stack_file(chosen))
    asked = service_of(plan_stack(chosen), settings, service, objective_ms)
    told = forecast(asked, trace, request_ms=request_ms, peak_rps=peak_rps)
    if picture is not None:
        write_whole(picture, drawn(told))
    if as_json:
        typer.echo(json.dumps(told.to_json(), indent=1))
    else:
        typer.echo(text(told, "" if told.met else remedy(told)))
    raise typer.Exit(EXIT_CLEAN if told.met else EXIT_FOUND)
