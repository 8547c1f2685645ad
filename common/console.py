"""What commands print while they work: live steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.markup import escape

Outcome = Literal["ok", "failed", "interrupted"]


@dataclass(frozen=True)
class Step:
    """One finished step of a longer job."""

    title: str
    outcome: Outcome
    seconds: float


class Steps:
    """Prints a job's steps as they run, to standard error so that standard output stays the result's.

    Args:
        quiet: print none of it.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
        self.done: list[Step] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show `title` while the block runs, then how it ended and how long it took."""
        start = time.monotonic()
        outcome: Outcome = "failed"
        try:
            if self.console.is_terminal:
                with self.console.status(escape(title)):
                    yield
            else:
                self.console.print(f"… {escape(title)}")
                yield
            outcome = "ok"
        except KeyboardInterrupt:
            outcome = "interrupted"
            raise
        finally:
            finished = Step(title, outcome, time.monotonic() - start)
            self.done.append(finished)
            mark = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "interrupted": "[yellow]■[/]"}[outcome]
            self.console.print(f"{mark} {escape(title)}  [dim]{finished.seconds:.1f} s[/]")

    def note(self, text: str) -> None:
        """A plain line under the current step."""
        self.console.print(f"  {text}", markup=False)
