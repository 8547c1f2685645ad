"""The one screen of results at the end of a demo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.demo import wording
from ops.demo.model import Ending, Predictions, Result

_STYLES = {
    Ending.PASSED: "bold green",
    Ending.FOUND: "bold yellow",
    Ending.FAILED: "bold red",
    Ending.INTERRUPTED: "bold yellow",
}
_MOMENTS = {"before": "before the loss", "after": "after the restore"}
_MOST_FINDINGS = 8
_NAME_WIDTH = 10


def show(result: Result, folder: Path, console: Console) -> None:
    """Print the results; `folder` is where the reports lie."""
    console.print()
    console.print(Text(wording.headline(result), _STYLES[result.ending]))
    console.print()
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows(result):
        table.add_row(Text(f"  {name:<{_NAME_WIDTH}}", "dim"), Text(value))
    console.print(table)
    for name, value in places(result, folder):
        # Never folded: a path is there to be copied.
        console.print(Text.assemble((f"  {name:<{_NAME_WIDTH}}", "dim"), f"  {value}"), soft_wrap=True)
    if result.predictions:
        console.print()
        console.print(_predictions(result.predictions))
    for line in finding_lines(result):
        console.print(Text(line, "yellow"), soft_wrap=True)
    console.print()


def rows(result: Result) -> Iterator[tuple[str, str]]:
    """What is known, name and value; nothing for what was not reached."""
    if result.resources:
        yield "resources", wording.resources_told(result.resources)
    if result.preview:
        yield "preview", wording.preview_told(result.preview)
    if result.policies:
        yield "policies", f"{wording.policies_told(result.policies)}; {wording.engine_told(result.policies)}"
    if result.release:
        release = result.release
        yield "model", f"{release.version}, {release.files} files, {wording.size(release.bytes)}, {release.uri}"
        yield "features", f"{release.feature_rows} rows in {release.feature_store}"
    if result.drill:
        yield "restore", wording.drill_told(result.drill)
        note = ": emulated, not those of a real cloud" if result.drill.mode == "emulated" else ""
        yield "objectives", f"{wording.objectives_told(result.drill)}{note}"


def places(result: Result, folder: Path) -> Iterator[tuple[str, str]]:
    """Where the files lie."""
    for name, file in (("report", "report.html"), ("result", "result.json")):
        if file in result.files:
            yield name, str(folder / file)
    if result.drill:
        yield "evidence", str(folder / result.drill.evidence_json)
    if any(file.startswith("logs/") for file in result.files):
        yield "logs", str(folder / "logs")


def finding_lines(result: Result) -> list[str]:
    """The findings, cut to a number that fits on a screen."""
    found = result.findings
    if not found:
        return []
    more = len(found) - _MOST_FINDINGS
    lines = ["", *(f"  ! {finding}" for finding in found[:_MOST_FINDINGS])]
    return [*lines, f"  and {more} more, in the report"] if more > 0 else lines


def _predictions(predictions: tuple[Predictions, ...]) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    table.add_column("  predictions", no_wrap=True)
    for name in ("golden", "p50", "p95", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    for p in predictions:
        times = (wording.milliseconds(value) for value in (p.p50_ms, p.p95_ms, p.p99_ms))
        title = f"  {_MOMENTS[p.moment]}, {wording.NAMES.get(p.protocol, p.protocol)}"
        table.add_row(title, Text(f"{p.matching} of {p.requests}", "" if p.passed else "red"), *times)
    return table
