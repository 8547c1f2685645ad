"""The one screen of results at the end of a demo: wrapped to a terminal's width, whole lines elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from ops.demo import words
from ops.demo.model import Result

_MOST_FINDINGS: Final = 8
_MARGIN: Final = 14
"""Columns before a value: where its name stands."""


def show(result: Result, folder: Path, console: Console) -> None:
    """Print the results; `folder` is where the reports lie."""
    _print(console)
    for line in _wrapped(words.headline(result), console, 0):
        _print(console, line, f"bold {words.STYLES[result.ending]}")
    _print(console)
    for step in result.steps:
        for number, line in enumerate(_wrapped(step.result, console, _MARGIN)):
            _row(console, "" if number else step.key, line)
    for name, path in places(result, folder):
        # Never wrapped: a path is there to be copied.
        _row(console, name, str(path))
    if result.predictions:
        _print(console)
        _print(console, f"  {'predictions':<25}{'golden':>12}{'p50':>11}{'p95':>11}{'p99':>11}", "dim")
    for when, answers in result.predictions:
        title = f"{when}, {words.PROTOCOLS[answers.protocol]}"
        times = "".join(f"{time:>11}" for time in words.latencies(answers))
        _print(console, f"  {title:<25}{words.golden([answers]):>12}{times}", "" if answers.passed else "red")
    if result.findings:
        _print(console)
    for finding in result.findings[:_MOST_FINDINGS]:
        for line in _wrapped(f"! {finding}", console, 4):
            _print(console, f"  {line}", "yellow")
    if len(result.findings) > _MOST_FINDINGS:
        _print(console, f"  and {len(result.findings) - _MOST_FINDINGS} more, in the report")
    _print(console)


def places(result: Result, folder: Path) -> Iterator[tuple[str, Path]]:
    """Where the files lie."""
    for name, file in (("report", "report.html"), ("result", "result.json"), ("evidence", result.evidence[0])):
        if file in result.files:
            yield name, folder / file
    if any(file.startswith("logs/") for file in result.files):
        yield "logs", folder / "logs"


def _wrapped(text: str, console: Console, margin: int) -> list[str]:
    if not console.is_terminal:
        return [text] if text else []
    return textwrap.wrap(text, max(20, console.width - margin), break_long_words=False, break_on_hyphens=False)


def _row(console: Console, name: str, value: str) -> None:
    _print(console, Text.assemble((f"  {name:<{_MARGIN - 2}}", "dim"), value))


def _print(console: Console, line: str | Text = "", style: str = "") -> None:
    console.print(Text(line, style) if isinstance(line, str) else line, soft_wrap=True)
