"""`seawall images`: what a stack's registries lack of the images that it runs, and the copying of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, when_interrupted
from localcloud.front import ensure_crane
from ops.images.logins import logins
from ops.images.registry import crane
from ops.images.sync import sync as bring
from ops.images.wanted import Found, State, judge, wanted_images
from ops.options import Quiet, StackArgument, StackOption, platform_stack
from stacks.settings import Settings, stack_file

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Copy the images that a stack runs into its own registries, in both regions, and say what they lack.\n\n"
    "Example: seawall images sync prod-aws",
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def sync(stack: StackArgument = None, named: StackOption = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Copy what is missing, by tag, and verify its digest; tag what would expire.

    Public images come from their public registries, the backup region's from the primary's. The serving image is
    pushed by whoever builds it; the sync tags it, so that no rule removes it, and copies it to the backup region.
    Exit code 1 if something is still missing.

    Example: seawall images sync prod-aws
    """
    chosen, steps = platform_stack(stack, named, "seawall images sync"), Steps(quiet=quiet)
    settings = Settings.load(stack_file(chosen))
    with (
        when_interrupted(f"what was copied stays; run `seawall images sync {chosen}` again to go on"),
        crane(ensure_crane(steps), logins(settings)) as registry,
    ):
        found = bring(wanted_images(settings), registry, steps)
    _end(chosen, found, as_json=as_json)


@app.command()
def check(
    stack: StackArgument = None, named: StackOption = None, as_json: Json = False, quiet: Quiet = False
) -> None:
    """Say what the registries lack; nothing is written. Exit code 1 if something is missing.

    Example: seawall images check prod-aws --json
    """
    chosen, steps = platform_stack(stack, named, "seawall images check"), Steps(quiet=quiet)
    settings = Settings.load(stack_file(chosen))
    with crane(ensure_crane(steps), logins(settings)) as registry, steps.step("Ask the registries"):
        found = judge(wanted_images(settings), registry.digest)
    _end(chosen, found, as_json=as_json)


def as_record(found: Found, stack: str) -> dict[str, Any]:
    """One image as `--json` prints it."""
    image = found.image
    return {
        "name": image.name,
        "region": image.region,
        "repository": image.repository,
        "tag": image.tag,
        "digest": image.digest,
        "state": str(found.state),
        "detail": found.detail,
        "remedy": found.remedy.replace("STACK", stack),
    }


def as_text(found: Sequence[Found], stack: str) -> str:
    """The images as a person reads them, and what to do about those that are not as they should be."""
    rows = [("image", "tag", "region", "state")]
    rows += [(one.image.name, one.image.tag, one.image.region, str(one.state)) for one in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for one in found:
        if one.state is not State.PRESENT:
            lines += ["", f"{one.image.tagged}: {one.state}"]
            lines += [f"  {text}" for text in (one.detail, one.remedy.replace("STACK", stack)) if text]
    return "\n".join(lines)


def _end(stack: str, found: Sequence[Found], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"stack": stack, "images": [as_record(one, stack) for one in found]}, indent=2))
    else:
        typer.echo(as_text(found, stack))
    raise typer.Exit(EXIT_CLEAN if all(one.state is State.PRESENT for one in found) else EXIT_FOUND)
