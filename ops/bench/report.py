"""Tells the results: as a table, as JSON, and as the lines that the README holds."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from common.errors import UserError
from common.paths import repo_root
from ops.bench.model import Result

README_BEGIN: Final = "<!-- bench: begin, written by `python -m ops.bench --record` -->"
README_END: Final = "<!-- bench: end -->"


def recorded_file() -> Path:
    """The run whose figures the README shows."""
    return repo_root() / "docs" / "bench.json"


def document(results: Sequence[Result]) -> dict[str, Any]:
    """All results, with what they were measured on."""
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "results": [result.to_json() for result in results],
    }


def table(results: Sequence[Result]) -> Table:
    """The results for a terminal."""
    shown = Table("measured", "compared", "figure", "target", "", "min / median / max")
    for result in results:
        mark = "[green]✓[/]" if result.is_met else "[red]✗[/]"
        figure = f"{result.figure:.2f} {result.target.unit}"
        spreads = "\n".join(_spread(series.to_json()) for series in result.series)
        shown.add_row(result.name, result.compared, figure, str(result.target), mark, spreads)
    return shown


def _spread(series: Mapping[str, Any]) -> str:
    times = (series["min_s"], series["median_s"], series["max_s"])
    if times[1] < 0.1:
        return f"{series['what']}: {' / '.join(f'{each * 1000:.1f}' for each in times)} ms"
    return f"{series['what']}: {' / '.join(f'{each:.2f}' for each in times)} s"


def markdown(told: Mapping[str, Any]) -> str:
    """The table of the README, from a recorded run."""
    machine = told["machine"]
    lines = [
        f"Measured on {told['measured']}: {machine['system']}, {machine['cores']} cores, Python {machine['python']}.",
        "",
        "| measured | compared | figure | target | met |",
        "|---|---|--:|--:|---|",
    ]
    for result in told["results"]:
        target = result["target"]
        figure = f"{result['figure']:.2f} {target['unit']}"
        bound = f"{target['bound']} {target['value']:g} {target['unit']}"
        met = "yes" if result["is_met"] else "no"
        lines.append(f"| {result['name']} | {result['compared']} | {figure} | {bound} | {met} |")
    lines += ["", "| moved | by | objects/s | MB/s |", "|---|---|--:|--:|"]
    for result in told["results"]:
        for side, rates in result.get("rates", {}).items():
            if "objects_per_s" not in rates:
                continue
            load = result["name"].partition(", ")[2]
            lines.append(f"| {load} | {side} | {rates['objects_per_s']:.0f} | {rates['mb_per_s']:.1f} |")
    return "\n".join(lines)


def with_figures(readme: str, told: Mapping[str, Any]) -> str:
    """The README with the recorded figures between its two marks.

    Raises:
        UserError: the marks are not there.
    """
    pattern = re.compile(f"{re.escape(README_BEGIN)}.*?{re.escape(README_END)}", re.DOTALL)
    if not pattern.search(readme):
        raise UserError(
            "the README has no place for the figures", "README.md", f"Put {README_BEGIN!r} and the end back."
        )
    return pattern.sub(lambda _: f"{README_BEGIN}\n{markdown(told)}\n{README_END}", readme, count=1)


def as_json(told: Mapping[str, Any]) -> str:
    """The document as text."""
    return json.dumps(told, indent=1) + "\n"
