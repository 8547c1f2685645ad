"""`seawall drill`: prove that the backups bring the service back, down to a correct prediction."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from common.console import Steps
from common.errors import EXIT_CLEAN, EXIT_FOUND, UserError, when_interrupted
from ops.options import Quiet, StackArgument, StackOption, platform_stack


class DrillTarget(StrEnum):
    """Where a drill may run."""

    LOCAL = "local"
    """On a copy of the local cloud's stack, which stays as it is."""
    CLOUD = "cloud"
    """On the real account. Refused: the scenario destroys the primary region's data."""


def drill(
    stack: StackArgument = None,
    named: StackOption = None,
    target: Annotated[DrillTarget, typer.Option(help="Where to drill.")] = DrillTarget.LOCAL,
    as_json: Annotated[bool, typer.Option("--json", help="Print the evidence as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where evidence goes; out/ by default.")] = None,
    check: Annotated[
        Path | None, typer.Option("--verify", metavar="FILE.json", help="Check the signature of evidence instead.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Lose the primary region, restore from the other one, and compare golden predictions.

    The stack must be up on the local cloud with a published model; the drill works on a copy, so the stack stays
    as it was. Evidence is written as signed JSON and as Markdown. Exit 1 if the restore is not proven.

    Example: seawall drill dev-aws --target local
    """
    if check is not None:
        _verify(check)
        return
    chosen = platform_stack(stack, named, "seawall drill")
    if target is DrillTarget.CLOUD:
        raise UserError(
            "a drill destroys the data of the primary region, so it does not run on a real account",
            "--target cloud",
            f"Run `seawall drill {chosen} --target local`, which drills a copy of the stack on the local cloud.",
        )
    from common.paths import out_dir
    from ops.drill.local import drill_local  # with it comes Pulumi's whole SDK

    with when_interrupted(f"{chosen} is as it was, and no evidence was written"):
        document, paths = drill_local(chosen, out or out_dir(), Steps(quiet=quiet))
    if as_json:
        typer.echo(json.dumps(document, indent=1))
    else:
        _show(document, paths)
    raise typer.Exit(EXIT_CLEAN if document["verdict"] == "proven" else EXIT_FOUND)


def _verify(path: Path) -> None:
    from ops.drill.evidence import verify

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or not {"stack", "verdict"} <= set(document):
            raise ValueError("it is something else")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else _unreadable(error)
        raise UserError(
            f"the evidence cannot be read: {why}", str(path), "Name the JSON that a drill wrote."
        ) from None
    typer.echo(f"{path}: unchanged since it was signed by {verify(document)}; verdict: {document['verdict']}")


def _unreadable(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON, or cut off (line {error.lineno}, column {error.colno})"
    return "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)


def _show(document: dict[str, Any], paths: tuple[Path, Path]) -> None:
    from ops.drill.reading import objectives

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{document['stack']}: restore {document['verdict']} (mode: {document['mode']})", markup=False)
    for each in objectives(document):
        told = f"{each.name} {each.measured_s:.1f} s of {each.allowed_s:.0f} s allowed"
        console.print(f"  {told}", markup=False)
    for finding in document["findings"]:
        console.print(f"  finding: {finding}", markup=False)
    for path in paths:
        console.print(f"  evidence: {path}", markup=False)
