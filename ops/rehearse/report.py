"""A rehearsal's report: JSON, text and picture, in a folder of `out/`."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

from common.files import write_whole
from ops.rehearse.model import Report
from ops.rehearse.picture import picture


def text(report: Report) -> str:
    """Area by area, each check with what was seen; then what was not judged."""
    failed = len(report.failed)
    verdict = "passed" if report.ok else f"failed: {failed} of {len(report.checks)} checks" if failed else "failed"
    lines = [
        f"{report.stack} on Kubernetes {report.kubernetes}: rehearsal {verdict} ({report.seconds:.0f} s)",
        f"  time under load compressed {report.tempo.factor:g}-fold",
    ]
    if report.course:
        lines.append(f"  longest while of the load in which nobody could look: {report.unseen_seconds:.0f} s")
    for area, checks in groupby(report.checks, key=lambda check: check.area):
        lines.append(f"  {area}")
        lines += [f"    {'✓' if check.ok else '✗'} {check.name}: {check.seen}" for check in checks]
    lines += ["  not judged", *(f"    {what}" for what in report.not_judged)] if report.not_judged else []
    return "\n".join(lines)


def write(report: Report, folder: Path) -> tuple[Path, Path, Path]:
    """Write `rehearsal.json`, `rehearsal.txt` with the tables, and `rehearsal.svg`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"rehearsal.{kind}" for kind in ("json", "txt", "svg"))
    write_whole(paths[0], json.dumps(report.to_json(), indent=1) + "\n")
    write_whole(paths[1], "\n\n".join([text(report), *_tables(report)]) + "\n")
    write_whole(paths[2], picture(report))
    return paths[0], paths[1], paths[2]


def _tables(report: Report) -> list[str]:
    found = []
    for table in report.tables:
        widths = [max(len(row[i]) for row in (table.head, *table.rows)) for i in range(len(table.head))]
        rows = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (table.head, *table.rows)
        ]
        found.append("\n".join([table.title, *(f"  {row}" for row in rows)]))
    return found
