"""What a long build shows: a title with the elapsed time, and the last line of its log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.markup import escape

from common.console import Steps

_LINE_EVERY_SECONDS = 30.0
_TIME_WIDTH = 14
"""Columns that the spinner, the elapsed time and the margins take."""


@contextmanager
def shown(title: str, steps: Steps) -> Iterator[Callable[[str], None]]:
    """Show `title` as a step; the function handed out takes the newest line of the build's log.

    On a terminal that line replaces the one before; elsewhere one is printed every 30 seconds.
    """
    start = time.monotonic()
    width = max(20, steps.console.width - _TIME_WIDTH)
    with steps.step(title):
        if steps.console.is_terminal:
            with steps.console.status("") as status:
                yield lambda line: status.update(f"[dim]{_elapsed(start)}  {escape(line[:width])}[/]")
        else:
            printed = start

            def print_sometimes(line: str) -> None:
                nonlocal printed
                now = time.monotonic()
                if now - printed >= _LINE_EVERY_SECONDS:
                    printed = now
                    steps.note(f"{_elapsed(start)}  {line[:width]}")

            yield print_sometimes


def _elapsed(start: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - start), 60)
    return f"{minutes}:{seconds:02d}"
