"""`seawall render`: a stack's Kubernetes objects as files for GitOps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError
from ops.options import Quiet, StackArgument, StackOption, platform_stack

if TYPE_CHECKING:
    from ops.render.manifests import Rendering


def render(
    stack: StackArgument = None,
    named: StackOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the files go: a new folder, or that of a rendering.")
    ] = None,
    source: Annotated[
        Literal["plan", "local", "cloud"],
        typer.Option(
            "--from",
            help="Where values come from that only a deployment knows: nowhere, the local stack that is up, or the "
            "real one by your own Pulumi login.",
        ),
    ] = "plan",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where the folder is not what would be written.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a stack's Kubernetes objects, one file each, for whoever applies them by GitOps.

    They are the objects of the plan, held to the schemas of the cluster's Kubernetes version. What only a deployment
    knows is marked and listed, or taken from one with --from. Objects with secrets are listed, and never written.
    Definitions of kinds lie in a folder of their own, to be applied first; so does what Helm needs for each chart.

    Exit codes: 0 written, valid and complete; 1 an object is not valid, a value is not known yet, or --check found a
    difference; 2 the folder or the settings are refused.

    Example: seawall render prod-aws --out manifests/prod-aws
    """
    chosen = platform_stack(stack, named, "seawall render")
    if out is None:
        raise UserError("no folder is named", "--out", f"Name one, as in `seawall render {chosen} --out manifests`.")
    from ops.plan.planner import plan_stack  # the SDKs take a second to import
    from ops.render import folder
    from ops.render.manifests import render as rendered
    from ops.render.report import text
    from ops.render.validation import validate
    from stacks.settings import Settings, stack_file

    if not check:
        folder.check_ours(out, chosen)
    version = Settings.load(stack_file(chosen)).cluster.version
    live = None if source == "plan" else deployed(chosen, source, Steps(quiet=quiet))
    made = rendered(plan_stack(chosen), version, live)
    found = validate(made, brought_by(made, Steps(quiet=quiet)))
    differing: list[str] = []
    if check:
        differing = folder.differences(out, made)
    elif not found.faults:
        folder.write(out, made)
    typer.echo(text(made, found, out, differing, checked=check))
    clean = not (found.faults or made.unknown or differing)
    raise typer.Exit(EXIT_CLEAN if clean else EXIT_FOUND)


def brought_by(made: Rendering, steps: Steps) -> list[dict[str, Any]]:
    """The definitions that the charts bring; none where they cannot be had here, so that their objects are listed."""
    from localcloud.cluster import chart_definitions

    found: list[dict[str, Any]] = []
    for chart in made.charts.values():
        try:
            found += chart_definitions(str(chart["chart"]), steps)
        except UserError as error:
            typer.echo(f"  no definitions of {chart['name']}: {error.what}", err=True)
    return found


def deployed(stack: str, source: Literal["local", "cloud"], steps: Steps) -> Mapping[str, dict[str, Any]]:
    """URN → inputs of the stack as it is deployed; what is secret stays encrypted there, and is not used.

    Raises:
        UserError: it is not up, or cannot be read.
    """
    from ops.deployed import check_up, cloud_resources

    if source == "cloud":
        found = [(r.urn, r.inputs) for r in cloud_resources(stack, steps)]
    else:
        check_up(stack)
        from ops.local.session import open_local  # with it comes Pulumi's whole SDK

        with open_local(stack, steps, keep=False) as local:
            found = [(r.urn, r.inputs) for r in local.resources()]
    # Charts are among them, whose inputs name no API.
    return {urn: dict(inputs) for urn, inputs in found}
