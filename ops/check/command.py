"""`seawall check`: whether each stack keeps the policies, for people, CI and code scanning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import UserError
from common.sdk.schema import PROVIDER_PREFIX
from ops.check import coverage, formats
from ops.check.github import as_github
from ops.check.junit import as_junit
from ops.check.markdown import as_markdown
from ops.check.plans import chosen, read_plans
from ops.check.report import CheckReport, as_text
from ops.check.sarif import as_sarif
from ops.options import StacksArgument, StacksOption, named_stacks, several_stacks
from policies import waivers as waiving
from policies.controls import Catalogue
from policies.inventory import Inventory
from policies.verdicts import StackVerdict, judge
from policies.waivers import Waiver, WaiversFileError


def check(
    stacks: StacksArgument = None,
    stack: StacksOption = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="NAME[=FILE]",
            help=f"{', '.join(formats.FORMATS)}; printed, or written to the file. May be given again.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file of the one format without one.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="As text, what fails and nothing else.")] = False,
    details: Annotated[bool, typer.Option("--details", help="As text, also the counts of each rule.")] = False,
    framework: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Tell a framework's controls instead, as cis-gke: text, json or markdown."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Judge what `seawall plan --json` wrote (- for standard input)."),
    ] = None,
    waivers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The accepted violations; policies/waivers.yaml by default.")
    ] = None,
) -> None:
    """Judge each stack by the policies, without credentials and without an engine.

    The rules are in docs/policies.md. Exit code 1 if a rule is violated or a waiver is invalid, whatever is
    printed; in production, a value that only the provider knows counts as a violation. A plan without a resource
    to judge is an error. --framework prints what the rules say of each control of CIS AWS, EKS and GKE, NIST 800-53,
    SOC 2, HIPAA and GDPR, and what they do not cover; the exit code is that of the whole check.

    Example: seawall check prod-aws --format text --format sarif=check.sarif
    """
    catalogue = coverage.catalogue_named(framework) if framework is not None else None
    wanted = formats.targets(format or (), output, coverage.FORMATS if catalogue else formats.FORMATS)
    accepted = load_waivers(waivers)
    steps = Steps(quiet=quiet)
    if plan is None:
        inventories = _planned(several_stacks(stacks, stack, "seawall check"), steps)
    else:
        inventories = chosen(read_plans(plan), named_stacks(stacks, stack, "seawall check"), str(plan))
    others = _planned(waived_elsewhere(accepted, inventories, date.today()), steps)
    report = check_inventories(inventories, accepted, date.today(), others)
    renderers = (
        _of_framework(catalogue, report) if catalogue else _renderers(report, steps, quiet=quiet, details=details)
    )
    formats.write(wanted, renderers, typer.echo)
    raise typer.Exit(report.exit_code)


def _renderers(report: CheckReport, steps: Steps, *, quiet: bool, details: bool) -> Mapping[str, Callable[[], str]]:
    def sarif() -> str:
        made = as_sarif(report)
        for said in made.left_out:
            steps.note(f"Left out of the SARIF, by the limits of code scanning: {said}.")
        return made.text

    return {
        "text": lambda: as_text(report, quiet=quiet, details=details),
        "json": lambda: formats.as_json(report.to_json()),
        "sarif": sarif,
        "junit": lambda: as_junit(report),
        "github": lambda: as_github(report),
        "markdown": lambda: as_markdown(report),
    }


def _of_framework(catalogue: Catalogue, report: CheckReport) -> Mapping[str, Callable[[], str]]:
    table = coverage.tabled(catalogue, report)
    return {
        "text": lambda: coverage.as_text(table),
        "json": lambda: formats.as_json(coverage.as_json(table, report)),
        "markdown": lambda: coverage.as_markdown(table),
    }


def check_inventories(
    inventories: Sequence[Inventory], waivers: Sequence[Waiver], today: date, others: Sequence[Inventory] = ()
) -> CheckReport:
    """Judge planned stacks as of `today`; an invalid waiver is found whichever stack it is of.

    Args:
        others: stacks that are not asked for, of which only the waivers are judged.

    Raises:
        UserError: a plan has no resource to judge.
    """
    from stacks.promises import promises_in
    from stacks.settings import stack_names

    for inventory in inventories:
        check_holds_resources(inventory)
    known = {*stack_names(), *(inventory.stack for inventory in inventories)}
    started, seconds, verdicts = datetime.now(UTC), dict[str, float](), list[StackVerdict]()
    for inventory in inventories:
        begun = time.perf_counter()
        verdicts.append(judge(inventory, waivers, today))
        seconds[inventory.stack] = time.perf_counter() - begun
    judged = {inventory.stack for inventory in inventories}
    elsewhere = [judge(inventory, waivers, today) for inventory in others if inventory.stack not in judged]
    strays = [problem for verdict in elsewhere for problem in verdict.waived.problems]
    seen = judged | {verdict.stack for verdict in elsewhere}
    unknown = waiving.unknown_stacks(waivers, known)
    seen |= {problem.waiver.stack for problem in unknown}
    return CheckReport(
        version=version("seawall"),
        date=today,
        verdicts=tuple(verdicts),
        stray_waivers=(*unknown, *strays, *waiving.invalid_elsewhere(waivers, seen, today)),
        promises={inventory.stack: promises_in(inventory.settings) for inventory in inventories},
        inventories={inventory.stack: inventory for inventory in inventories},
        started=started,
        seconds=seconds,
    )


def check_holds_resources(inventory: Inventory) -> None:
    """Refuse a plan in which there is nothing to judge: it would pass by being empty.

    Raises:
        UserError: it has no resource but components and providers.
    """
    if not any(r.custom and not r.type.startswith(PROVIDER_PREFIX) for r in inventory.resources):
        raise UserError(
            "the plan has no resources, so that nothing can be judged",
            f"stack {inventory.stack}",
            "Plan the whole stack again with `seawall plan --json`, and see that its program makes something.",
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


def waived_elsewhere(waivers: Iterable[Waiver], judged: Sequence[Inventory], today: date) -> tuple[str, ...]:
    """Committed stacks that are not judged and have waivers of which a plan alone shows whether they still match."""
    from stacks.settings import stack_names

    sound = {waiver.stack for waiver in waivers if not waiving.problem_in_itself(waiver, today)}
    waived = sound - {inventory.stack for inventory in judged}
    return tuple(stack for stack in stack_names() if stack in waived)


def _planned(stacks: Sequence[str], steps: Steps) -> tuple[Inventory, ...]:
    from ops.plan.several import plan_stacks  # the SDKs take a second to import

    if not stacks:
        return ()
    with steps.step(f"Plan {', '.join(stacks)}"):
        return plan_stacks(stacks)
