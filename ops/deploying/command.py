"""`seawall deploy` and `seawall drift`: a reviewed plan and nothing else, and what changed beside the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError, when_interrupted
from common.files import check_writable, write_whole
from ops.deploying.driver import Place, driver_of
from ops.gates.command import ApprovalsOption, AuthorsOption, SignersOption
from ops.options import (
    Quiet,
    StackArgument,
    StackOption,
    StacksArgument,
    StacksOption,
    one_stack,
    several_stacks,
)

FoundationOption = Annotated[bool, typer.Option("--foundation", help="All but what runs on the cluster.")]
TargetOption = Annotated[Place, typer.Option(help="Where the stack is: in its account, or on the local cloud.")]


def deploy(
    stack: StackArgument = None,
    named: StackOption = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="The plan that was reviewed.")] = None,
    save_plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan of now, to be reviewed; deploy nothing.")
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option(metavar="SHA256", help="The fingerprint that was reviewed; refuse any other plan.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The commit whose gates count; by default the one that is deployed."),
    ] = None,
    approvals: ApprovalsOption = None,
    allowed_signers: SignersOption = None,
    author: AuthorsOption = None,
    foundation: FoundationOption = False,
    unconstrained: Annotated[
        bool,
        typer.Option(
            "--unconstrained", help="Compare the plan, but do not hold the engine to it (experimental there)."
        ),
    ] = False,
    target: TargetOption = Place.CLOUD,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    quiet: Quiet = False,
) -> None:
    """Deploy a plan that was reviewed, and nothing else.

    The engine's own preview is taken again, with a refresh. If it is another than the reviewed one, because something
    drifted or the commit is another, nothing is done, and the difference is told. Nothing is done without the
    approvals that the gates of the deployed commit ask for. Then the engine is held to that very preview.

    With --save-plan the plan is written to be reviewed and approved, and nothing is deployed.

    Exit codes: 0 deployed, or nothing to do, or saved; 1 the plan is stale or lacks approvals; 2 it could not run.

    Example: seawall deploy prod-aws --plan plan.json --approvals approvals
    """
    from ops.deploying.deciding import Verdict, decided, read_reviewed
    from ops.deploying.taking import apply, taken  # with these come the SDKs
    from ops.gates.judging import Evidence, judge, lines

    chosen, steps = one_stack(stack, named, "seawall deploy"), Steps(quiet=quiet)
    if (plan is None) == (save_plan is None):
        raise UserError(
            "name the plan that was reviewed, or where to save one",
            "seawall deploy",
            f"Run `seawall deploy {chosen} --save-plan FILE`, have it reviewed, then deploy it with --plan FILE.",
        )
    reviewed = read_reviewed(plan, chosen, fingerprint) if plan is not None else None
    if save_plan is not None:
        save_plan.parent.mkdir(parents=True, exist_ok=True)
        check_writable(save_plan)
    evidence = Evidence(approvals, allowed_signers, tuple(author or ()))
    left = f"{chosen} may be as far as it came; run `seawall drift {chosen}`, and take a new plan"
    with (
        when_interrupted(left),
        driver_of(chosen, target, steps) as driver,
        taken(driver, target, steps, base=base, foundation=foundation) as now,
    ):
        judged = judge(now.plan, now.requirements, now.gates, evidence, now.plan.base, None)
        found = decided(reviewed, now.plan, judged)
        if save_plan is not None:
            write_whole(save_plan, json.dumps(now.plan.to_json(), indent=1, ensure_ascii=False) + "\n")
        if as_json:
            typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
        else:
            typer.echo("\n".join([*lines(now.plan, judged, now.gates_from), *found.lines()]))
        if found.verdict is Verdict.DEPLOY:
            apply(driver, now, steps, foundation=foundation, unconstrained=unconstrained)
    if found.refused:
        typer.echo(f"{chosen} was not changed: {found.refused}", err=True)
    raise typer.Exit(EXIT_FOUND if found.refused else EXIT_CLEAN)


def drift(
    stacks: StacksArgument = None,
    stack: StacksOption = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.md", help="Write the Markdown to a file as well.")] = None,
    foundation: FoundationOption = False,
    target: TargetOption = Place.CLOUD,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find resources that are otherwise than the stacks' state has them, by asking the cloud; nothing is changed.

    Exit codes: 0 nothing drifted, 1 something did, 2 a stack could not be looked at.

    Example: seawall drift prod-aws prod-gcp
    """
    from ops.deploying.drift import Report, find_drift, markdown
    from ops.deploying.drift import as_json as record

    steps = Steps(quiet=quiet)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        check_writable(out)
    reports: list[Report] = []
    first: UserError | None = None
    for name in several_stacks(stacks, stack, "seawall drift"):
        try:
            with driver_of(name, target, steps) as driver, steps.step(f"Ask the cloud about {name}"):
                reports.append(find_drift(driver, foundation=foundation))
        except UserError as error:
            first = first or error
            reports.append(Report(name, failed=error.what))
    text = markdown(reports)
    typer.echo(json.dumps(record(reports), ensure_ascii=False) if as_json else text, nl=as_json)
    if out is not None:
        write_whole(out, text)
    if first is not None:
        raise first
    raise typer.Exit(EXIT_CLEAN if all(report.is_clean for report in reports) else EXIT_FOUND)
