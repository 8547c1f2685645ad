"""`seawall features`: writes feature rows into a stack's store, and checks that they are there."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from common.console import Steps
from common.errors import EXIT_FOUND, UserError, when_interrupted
from ops.deployed import TargetName, open_stack
from ops.features import compare, file
from ops.features.loads import note_load
from ops.features.rows import in_batches
from ops.features.store import FeatureStore, open_rows
from ops.options import Quiet, StackArgument, StackOption, one_stack

BATCH = 1000
"""Rows that are written at once: what an interrupted load may have written beyond what it says."""
REPORT_EVERY_S = 5.0

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Write feature rows into a stack's feature store, and check that they are there.\n\n"
    "A file has one JSON object a line: an `entity_id`, a list `features`, and perhaps `expires_at` (seconds since "
    "1970). Memorystore and Valkey have private addresses: run it on a machine in the stack's network.\n\n"
    "Example: seawall features load rows.jsonl dev-aws --target local",
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Feature rows, as JSON Lines.")]
TargetOption = Annotated[
    TargetName, typer.Option("--target", help="The real cloud, or the local one that `seawall local up` made.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def load(
    path: File,
    stack: StackArgument = None,
    named: StackOption = None,
    target: TargetOption = "cloud",
    ttl_hours: Annotated[
        int | None, typer.Option("--ttl-hours", min=1, help="Hours until rows expire; the stack's own by default.")
    ] = None,
    skip: Annotated[int, typer.Option("--skip", min=0, help="Rows at the beginning that are written already.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write every row of a file, over older ones of the same entities.

    The whole file is judged before anything is written. To write a row again changes nothing, so it can be run again
    after an interruption, or go on with `--skip`.

    Example: seawall features load rows.jsonl dev-aws --target local
    """
    chosen, steps = one_stack(stack, named, "seawall features load"), Steps(quiet=quiet)
    contents = file.judge(path)  # before a cloud is started or asked
    if skip > contents.rows:
        raise UserError(f"--skip is {skip}, and the file has {contents.rows} rows", str(path), "Lower it.")
    written = skip

    def so_far() -> str:
        again = f"seawall features load {path} {chosen} --target {target} --skip {written}"
        return f"{written} of {contents.rows} rows are written; run `{again}` to go on"

    started = time.monotonic()
    with when_interrupted(so_far), open_stack(chosen, target, steps, writes=True) as opened:
        hours = ttl_hours or opened.outputs.feature_store.entry_ttl_hours
        store = open_rows(FeatureStore.of(opened.outputs), opened.target)
        told = time.monotonic()
        with steps.step(f"Write {contents.rows - skip} rows"):
            for batch in in_batches(file.rows(path, int(time.time() + hours * 3600), skip), BATCH):
                try:
                    store.write(dict(batch))
                except UserError as error:
                    raise UserError(f"{error.what}; {so_far()}", error.where, error.remedy) from error
                written += len(batch)
                if time.monotonic() - told > REPORT_EVERY_S:
                    told = time.monotonic()
                    steps.note(f"{written} of {contents.rows} rows")
        note_load(store, contents.rows, int(time.time() + hours * 3600))
    result = {"stack": chosen, "rows": contents.rows, "written": written - skip, "width": contents.width}
    if as_json:
        _print_json({**result, "seconds": round(time.monotonic() - started, 3)})
    else:
        typer.echo(f"{written - skip} rows of {contents.width} features are in the feature store of {chosen}")


@app.command()
def check(
    path: File,
    stack: StackArgument = None,
    named: StackOption = None,
    target: TargetOption = "cloud",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read every row of a file from the store, and compare. Ends with 1 if one is missing, other or expired.

    Example: seawall features check rows.jsonl dev-aws --target local
    """
    chosen, steps = one_stack(stack, named, "seawall features check"), Steps(quiet=quiet)
    contents = file.judge(path)
    with open_stack(chosen, target, steps, writes=False) as opened:
        store = open_rows(FeatureStore.of(opened.outputs), opened.target)
        with steps.step(f"Compare {contents.rows} rows"):
            report = compare.compare(store, file.rows(path, None), time.time())
    if as_json:
        _print_json({"stack": chosen, **asdict(report), "is_whole": report.is_whole})
    else:
        typer.echo(f"{report.same} of {report.expected} rows are in the feature store of {chosen} as in the file")
        for kind, named_ones in report.examples.items():
            count = getattr(report, kind)
            more = f", and {count - len(named_ones)} more" if count > len(named_ones) else ""
            typer.echo(f"  {count} {kind}: {', '.join(named_ones)}{more}")
    if not report.is_whole:
        raise typer.Exit(EXIT_FOUND)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, sort_keys=True))
