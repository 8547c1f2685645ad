"""`seawall bandit`: what the settings of a service's bandit would earn and lose against equal shares."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from common.console import Steps
from common.errors import UserError
from components.contracts.bandit_specs import Bandit
from components.contracts.services import variants_of
from ops.bandit.picture import picture
from ops.bandit.simulate import Course, World, simulate, uniform
from ops.options import Quiet, StackArgument, StackOption, one_stack
from stacks.problems import SettingsError
from stacks.settings import Settings, stack_file

MOST_STEPS = 200_000
"""Decisions of one call: each takes a few milliseconds."""


def bandit(
    stack: StackArgument = None,
    service: Annotated[str, typer.Option("--service", help="The service whose traffic strategy is bandit.")] = "",
    rewards: Annotated[
        list[str] | None,
        typer.Option("--reward", metavar="ARM=RATE[,RATE…]", help="An arm's rate, or its rates one after the other."),
    ] = None,
    named: StackOption = None,
    requests: Annotated[int, typer.Option("--requests-per-minute", min=1, max=1_000_000)] = 600,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=24 * 30)] = 12,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Runs that differ by chance.")] = 20,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw the courses.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a service's bandit with its own settings and the code that runs in the cluster.

    Regret counts the rewards that sending every request to the best arm would have earned beside.

    Example: seawall bandit dev-aws --service tumour-risk --reward stable=0.10 --reward b=0.12 --svg regret.svg
    """
    name = one_stack(stack, named, "seawall bandit")
    spec, arms = _asked(name, service)
    intervals = max(1, round(hours * 3600 / spec.interval_seconds))
    if intervals * seeds > MOST_STEPS:
        raise UserError(
            f"{intervals} intervals with {seeds} seeds are {intervals * seeds} decisions, more than {MOST_STEPS}",
            "--hours and --seeds",
            "Lower one of them.",
        )
    each = max(1, round(requests * spec.interval_seconds / 60))
    world = World(rates_of(rewards or [], arms), each, intervals)
    with Steps(quiet=quiet or as_json).step(f"Simulate {hours:g} h with {seeds} seeds"):
        courses = [simulate(spec, world, seed) for seed in range(seeds)]
    equal = uniform(world)
    if svg is not None:
        title = f"{service} on {name}: {requests} requests a minute, {seeds} seeds"
        svg.write_text(picture(title, courses, equal, hours), encoding="utf-8")
    told = summary(courses, equal)
    if as_json:
        typer.echo(json.dumps({"stack": name, "service": service, **told}, indent=2))
    else:
        typer.echo(
            f"{service} on {name}: in {hours:g} h the bandit loses {told['bandit_mean']:.0f} rewards "
            f"({told['bandit_p5']:.0f} to {told['bandit_p95']:.0f}) of what the best arm would earn; "
            f"equal shares lose {told['equal_shares']:.0f}"
        )


def rates_of(given: Sequence[str], arms: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The rates that `--reward` names, one for each arm.

    Raises:
        UserError: an arm is missing, or unknown, or a rate is no share.
    """
    found: dict[str, tuple[float, ...]] = {}
    for text in given:
        arm, _, numbers = text.partition("=")
        try:
            rates = tuple(float(number) for number in numbers.split(","))
        except ValueError:
            rates = (math.nan,)
        if arm not in arms or arm in found or not all(0 <= rate <= 1 for rate in rates):
            raise UserError(
                f"{text!r} is no reward of an arm",
                "--reward",
                f"Write each of {', '.join(arms)} once, as {arms[0]}=0.10; a rate lies between 0 and 1.",
            )
        found[arm] = rates
    missing = [arm for arm in arms if arm not in found]
    if missing:
        raise UserError(f"{', '.join(missing)} has no rate", "--reward", f"Add --reward {missing[0]}=0.10.")
    return {arm: found[arm] for arm in arms}


def summary(courses: Sequence[Course], equal: Sequence[float]) -> dict[str, float]:
    """Regret at the end, in rewards: of the bandit over all seeds, and of equal shares."""
    ends = sorted(course.regret[-1] for course in courses)
    last = len(ends) - 1
    return {
        "bandit_mean": round(sum(ends) / len(ends), 1),
        "bandit_p5": round(ends[round(0.05 * last)], 1),
        "bandit_p95": round(ends[round(0.95 * last)], 1),
        "equal_shares": round(equal[-1], 1),
    }


def _asked(stack: str, service: str) -> tuple[Bandit, list[str]]:
    """The bandit's settings and its arms.

    Raises:
        UserError: the settings are wrong, or have no such service with a bandit.
    """
    try:
        settings = Settings.load(stack_file(stack))
    except SettingsError as error:
        raise UserError(str(error), str(stack_file(stack)), "Change the settings as said above.") from error
    there = {name: spec for name, spec in settings.fleet.services.items() if isinstance(spec.traffic, Bandit)}
    if service not in there:
        known = (
            f"Name one of {', '.join(there)} with --service." if there else "Set traffic.strategy to bandit first."
        )
        raise UserError(f"{service or 'no service'} has no bandit", str(stack_file(stack)), known)
    spec = there[service]
    assert isinstance(spec.traffic, Bandit)  # noqa: S101 - chosen by it above
    return spec.traffic, [variant.name for variant in variants_of(service, spec)]
