"""`seawall models prune`: says which releases are old, and removes them once it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from common.console import Steps
from common.errors import EXIT_FOUND, when_interrupted
from common.paths import out_dir
from ops.deployed import DeployedStack, TargetName, model_bucket, open_stack
from ops.models import pruning
from ops.models.needs import needs_of
from ops.models.pruning import Pruned, Rules, Verdict
from ops.objects.store import ObjectStore
from ops.options import Quiet, StackArgument, StackOption, platform_stack


def prune(
    stack: StackArgument = None,
    named: StackOption = None,
    keep: Annotated[
        int, typer.Option(min=1, help="How many of the newest stay, and of those that were current last.")
    ] = 5,
    older_than_days: Annotated[int, typer.Option(min=0, help="Remove none that is younger.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; without it, only say which would go.")] = False,
    evidence: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where drills wrote their evidence; out/ by default.")
    ] = None,
    target: Annotated[
        TargetName, typer.Option("--target", help="The real cloud, or the local one that `seawall local up` made.")
    ] = "cloud",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Remove old releases from a stack's bucket; without --yes, say which would go, and why each other stays.

    Never removed: what the settings of a stack pin or its fleet serves, the current release and those that a rollback
    goes to, what recent evidence of a drill is about, and what may be being published. Ends with 1 if a release that
    was to go is there still. After an interruption, run it again: what is half removed is no release for any reader.

    Example: seawall models prune dev-aws --keep 3 --target local
    """
    chosen, steps = platform_stack(stack, named, "seawall models prune"), Steps(quiet=quiet)
    again = f"seawall models prune {chosen} --target {target} --yes"
    with (
        when_interrupted(f"each release is whole, or gone for every reader; run `{again}` again to go on"),
        open_stack(chosen, target, steps, writes=yes) as opened,
    ):
        rules, now = _rules(opened, keep, older_than_days, evidence or out_dir()), datetime.now(UTC)
        bucket = model_bucket(opened)
        verdicts = pruning.begin(bucket, rules, now) if yes else pruning.plan(bucket, rules, now)
        done = _removed(bucket, verdicts, now, steps) if yes else []
    if as_json:
        import json

        typer.echo(json.dumps(_as_json(chosen, verdicts, done, dry_run=not yes), indent=2, sort_keys=True))
    else:
        _show(verdicts, done, f"{again} --keep {keep} --older-than-days {older_than_days}", dry_run=not yes)
    if any(each.kept_after_all for each in done):
        raise typer.Exit(EXIT_FOUND)


def _rules(stack: DeployedStack, keep: int, older_than_days: int, evidence: Path) -> Rules:
    return Rules(keep, timedelta(days=older_than_days), needs_of(stack, evidence, datetime.now(UTC)))


def _removed(bucket: ObjectStore, verdicts: Sequence[Verdict], now: datetime, steps: Steps) -> list[Pruned]:
    done: list[Pruned] = []
    for verdict in verdicts:
        release = verdict.release
        if verdict.goes:
            with steps.step(f"Remove {release.version}"):
                done.append(pruning.remove(bucket, release, now))
        elif release.state == "removal begun" and not pruning.take_back(bucket, release):
            done.append(Pruned(release.version, 0, 0, None, "another run goes on with its removal"))
    return done


def _as_json(stack: str, verdicts: Sequence[Verdict], done: Sequence[Pruned], *, dry_run: bool) -> dict[str, Any]:
    return {
        "stack": stack,
        "dry_run": dry_run,
        "releases": [
            {
                "version": each.release.version,
                "state": each.release.state,
                "manifest_sha256": each.release.manifest_sha256,
                "at": each.release.at.isoformat(),
                "size": each.release.size,
                "goes": each.goes,
                "why": list(each.why),
            }
            for each in verdicts
        ],
        "removed": [asdict(each) for each in done if not each.kept_after_all],
        "kept_after_all": [asdict(each) for each in done if each.kept_after_all],
    }


def _show(verdicts: Sequence[Verdict], done: Sequence[Pruned], again: str, *, dry_run: bool) -> None:
    rows = [("release", "since", "bytes", "", "why")]
    for each in verdicts:
        release, does = each.release, "goes" if each.goes else "stays"
        rows.append((release.version, f"{release.at:%Y-%m-%d}", str(release.size), does, "; ".join(each.why)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if verdicts else [("no releases",)]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())
    going = [each.release for each in verdicts if each.goes]
    if dry_run and going:
        size = sum(release.size for release in going)
        typer.echo(f"{len(going)} would go ({size} bytes); nothing was removed. To remove them: `{again}`")
    elif not going:
        typer.echo("none goes")
    for gone in done:
        typer.echo(f"{gone.version}: {_told(gone)}")


def _told(gone: Pruned) -> str:
    if gone.kept_after_all:
        return f"still there: {gone.kept_after_all}"
    removed = f"removed, {gone.objects} objects ({gone.size} bytes)"
    if gone.old_versions is None:
        return f"{removed}; whether the bucket keeps old versions of them is not known: they cannot be listed"
    if gone.old_versions:
        lasting = "stay until the bucket's lifecycle removes them, and are paid for until then"
        return f"{removed}; {gone.old_versions} old versions {lasting}"
    return removed
