"""`seawall engine`: which Pulumi engine is used, where it came from, and why not another."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from common.console import Steps
from common.errors import when_interrupted
from localcloud.front import Engine, ensure_engine
from ops.options import Quiet


def engine(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find, download or build the Pulumi engine, and say which one is used.

    The order: pulumi on PATH with its Python language host; the cache; Pulumi's official download; a build with Go.
    SEAWALL_ENGINE=path|cache|download|build allows one way only, SEAWALL_CACHE moves the cache.

    Example: seawall engine --json
    """
    with when_interrupted("nothing is left half installed; run `seawall engine` again to go on"):
        found = ensure_engine(Steps(quiet=quiet))
    if as_json:
        typer.echo(json.dumps(as_record(found), indent=2))
    else:
        Console(highlight=False, soft_wrap=True).print(as_text(found), markup=False)


def as_record(engine: Engine) -> dict[str, object]:
    """The engine as `--json` prints it."""
    return {
        "version": engine.version,
        "origin": engine.origin,
        "cli": str(engine.cli),
        "language_host": str(engine.language_host),
        "reason": engine.reason,
        "passed_over": [{"way": attempt.way, "reason": attempt.reason} for attempt in engine.passed_over],
    }


def as_text(engine: Engine) -> str:
    """The engine as a person reads it."""
    lines = [
        f"Pulumi {engine.version}",
        f"  origin         {engine.origin}: {engine.reason}",
        f"  command line   {engine.cli}",
        f"  language host  {engine.language_host}",
    ]
    lines += [f"  not by {attempt.way:<8} {attempt.reason}" for attempt in engine.passed_over]
    return "\n".join(lines)
