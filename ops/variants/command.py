"""`seawall variants`: what a shadow's and an experiment's logs say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from common.errors import EXIT_FOUND, UserError
from components.contracts.variants import STABLE
from ops.variants import compare as comparing
from ops.variants import exposures as counting
from ops.variants import report
from ops.variants.lines import lines_of

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Compare a shadow's answers with the stable variant's, and check an experiment's exposures.\n\n"
    "Both read logs: files, or - for standard input.\n\n"
    "Example: kubectl -n serving logs deploy/tumour-risk-recorder | seawall variants compare -",
)

Logs = Annotated[list[Path], typer.Argument(metavar="LOG", help="Files with JSON lines; - is standard input.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report, as Markdown, into this file too.")]
_LIMITS = comparing.Limits()


@app.command()
def compare(
    logs: Logs,
    pairs: Annotated[int, typer.Option("--min-pairs", min=1, help="Fewest pairs.")] = _LIMITS.pairs,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="Largest difference of a number that counts as the same.")
    ] = _LIMITS.tolerance,
    changed: Annotated[
        float, typer.Option("--max-changed-percent", min=0, max=100, help="Most answers that may differ.")
    ] = _LIMITS.changed_percent,
    failed: Annotated[
        float, typer.Option("--max-failed-percent", min=0, max=100, help="By how much more may fail, in points.")
    ] = _LIMITS.failed_percent,
    slower: Annotated[
        float, typer.Option("--max-slower-percent", min=0, help="By how much the p99 may be higher.")
    ] = _LIMITS.slower_percent,
    unmatched: Annotated[
        float, typer.Option("--max-unmatched-percent", min=0, max=100, help="Most ids that may have no pair.")
    ] = _LIMITS.unmatched_percent,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare what a shadow and the stable variant answered to the same requests.

    It reads the log of the shadow's recorder: predictions, flipped labels, latency and errors. It fails where they
    differ by more than the limits, where there are too few pairs, and where ids do not match.

    Example: seawall variants compare recorder.log --tolerance 0.01 --out shadow.md
    """
    limits = comparing.Limits(pairs, tolerance, changed, failed, slower, unmatched)
    found = comparing.compare(lines_of(logs, comparing.LOG), limits)
    _tell(report.comparison(found), found.to_json(), out, as_json)
    if not found.passed:
        raise typer.Exit(EXIT_FOUND)


@app.command()
def exposures(
    logs: Logs,
    share: Annotated[
        list[str], typer.Option("--share", metavar="NAME=PERCENT", help="A challenger's share, as in its settings.")
    ],
    experiment: Annotated[str | None, typer.Option("--experiment", help="Which, if the log has several.")] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Count who was shown what in an A/B test, and check that users were shared out as asked.

    It reads the door's log. It fails where the ratio of users cannot be chance (p < 0.001), and where users saw more
    than one variant.

    Example: seawall variants exposures door.log --share b=10
    """
    found = counting.count(lines_of(logs, counting.LOG), shares_of(share), experiment)
    _tell(report.exposures(found), found.to_json(), out, as_json)
    if not found.passed:
        raise typer.Exit(EXIT_FOUND)


def shares_of(given: list[str]) -> dict[str, float]:
    """The parts of all users, the stable variant's among them.

    Raises:
        UserError: one is not NAME=PERCENT, or they are more than all.
    """
    shares: dict[str, float] = {}
    for each in given:
        name, _, percent = each.partition("=")
        try:
            shares[name] = float(percent) / 100
        except ValueError:
            raise UserError(f"{each!r} is no share", "--share", "Write NAME=PERCENT, as b=10.") from None
    left = 1 - sum(shares.values())
    # What is not a number is beyond no bound.
    bounded = all(0 <= share <= 1 for share in shares.values()) and left >= -1e-9
    if STABLE in shares or "" in shares or not bounded or not len(given) == len(shares) <= counting.SHARES_MAX:
        raise UserError(
            f"the shares are {', '.join(given)}",
            "--share",
            f"Give the share of each challenger once, of {counting.SHARES_MAX} at most, at most 100 together; what"
            f" they leave is {STABLE}'s.",
        )
    return {STABLE: max(0.0, round(left, 9)), **shares}


def _tell(text: str, told: dict[str, object], out: Path | None, as_json: bool) -> None:
    if out is not None:
        out.write_text(text, encoding="utf-8")
    typer.echo(json.dumps(told, indent=2, default=dict) if as_json else text, nl=as_json)
