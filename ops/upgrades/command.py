"""`seawall upgrades`: what is newer than what a stack's cluster asks for, from the pinned tables or the account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from common.console import Steps
from common.errors import EXIT_FOUND, UserError
from components.contracts.cluster import Channel
from components.contracts.vocabulary import Cloud
from ops.options import Quiet, StackArgument, StackOption, one_stack
from ops.upgrades.findings import Newest, Part, compare, from_tables
from stacks.problems import SettingsError
from stacks.settings import Settings, stack_file


def upgrades(
    stack: StackArgument = None,
    named: StackOption = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the account what it offers, read-only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Show what is newer than the versions that a stack's cluster asks for, in the order of an upgrade.

    Offline it compares with the tables of this version of Seawall; with --live, with what the account offers today.
    docs/upgrades.md says how to go on. Exit code 1 if something is newer, or support ends within 90 days.

    Example: seawall upgrades prod-aws --live
    """
    settings = _settings(one_stack(stack, named, "seawall upgrades"))
    newest = _asked(settings, Steps(quiet=quiet)) if live else from_tables(settings.cloud, settings.cluster.version)
    parts = compare(settings.cloud, settings.cluster, newest, date.today())
    if as_json:
        told = {
            "stack": settings.place.stack,
            "source": newest.source,
            "newer": any(part.newer for part in parts),
            "parts": [part.to_json() for part in parts],
        }
        typer.echo(json.dumps(told, indent=2))
    else:
        _print(settings.place.stack, newest, parts)
    if any(part.newer for part in parts):
        raise typer.Exit(EXIT_FOUND)


def _settings(stack: str) -> Settings:
    try:
        return Settings.load(stack_file(stack))
    except SettingsError as error:
        raise UserError(str(error), str(stack_file(stack)), "Change the settings as said above.") from error


def _asked(settings: Settings, steps: Steps) -> Newest:
    from ops.upgrades.live import from_aws, from_gcp

    place, version = settings.place, settings.cluster.version
    with steps.step(f"Ask {place.account} which versions {place.region} offers"):
        if settings.cloud is Cloud.AWS:
            import boto3

            session = boto3.session.Session(region_name=place.region)
            return from_aws(session.client("eks"), session.client("ssm"), version)
        from common.gcp_api import GcpApi
        from common.target import REAL_CLOUD

        channel = settings.cluster.channel or Channel.REGULAR
        return from_gcp(GcpApi(REAL_CLOUD, place.account), place.region, channel, version)


def _print(stack: str, newest: Newest, parts: Sequence[Part]) -> None:
    rows = [("part", "asked for", "newest", "")]
    rows += [(part.part, part.asked, part.newest if part.newer else "same", part.note) for part in parts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for *cells, note in rows:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo(f"{padded}  {note}".rstrip())
    count = sum(part.newer for part in parts)
    typer.echo(f"{stack}: {count or 'nothing'} to upgrade, by {newest.source}")
