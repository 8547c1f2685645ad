"""The demo's step list: all steps with their marks on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from common.console import Step as Part
from common.console import Steps
from ops.demo.model import State, Step
from ops.demo.words import MARKS, STYLES, duration

_PART_MARKS: Final = {"ok": "✓", "failed": "✗", "interrupted": "■"}
_REFRESH_PER_SECOND: Final = 8
_ECHO_WIDTH: Final = len("^C^C") + 1
"""Room at the end of the last line: what a terminal echoes of a Ctrl-C must not wrap, or the list shows twice."""
_TIME_WIDTH: Final = len("59 min 59 s")


class Board(Steps):
    """Holds the steps in their order, and shows them; also takes the steps of what a stage calls, as its parts."""

    def __init__(
        self, planned: Sequence[tuple[str, str]], console: Console | None = None, *, quiet: bool = False
    ) -> None:
        super().__init__(console, quiet=quiet)
        self.steps = [Step(key, title) for key, title in planned]
        self._running: Step | None = None
        self._started = 0.0
        self._now = ""
        self._spinner = Spinner("dots")

    def shown(self) -> AbstractContextManager[object]:
        """Show the list on a terminal for the length of a block."""
        if not self.console.is_terminal:
            return nullcontext()
        return Live(get_renderable=self.table, console=self.console, refresh_per_second=_REFRESH_PER_SECOND)

    @contextmanager
    def stage(self, step: Step) -> Iterator[None]:
        """Do a planned step in the block; how it ends decides its mark."""
        self._running, self._started, self._now = step, time.monotonic(), ""
        step.state = State.RUNNING
        number = f"[{self.steps.index(step) + 1}/{len(self.steps)}] {step.title}"
        self._line(f"… {number}")
        ended = State.FAILED
        try:
            yield
            ended = State.FOUND if step.findings else State.PASSED
        except KeyboardInterrupt:
            ended = State.INTERRUPTED
            raise
        finally:
            self._running, step.state = None, ended
            step.seconds = round(time.monotonic() - self._started, 3)
            self._line(f"{MARKS[ended]} {number}  {duration(step.seconds)}{step.result and f'  {step.result}'}")
            for finding in step.findings:
                self._line(f"    ! {finding}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A part of the running stage."""
        before, self._now = self._now, title
        start, outcome = time.monotonic(), "failed"
        try:
            yield
            outcome = "ok"
        except KeyboardInterrupt:
            outcome = "interrupted"
            raise
        finally:
            self._now = before
            self._end(Part(title, outcome, round(time.monotonic() - start, 3)))

    def note(self, text: str) -> None:
        """What a part has to say: beside the running step on a terminal, a line of its own elsewhere."""
        self._now = text
        self._line(f"      {text}")

    def stopping(self) -> None:
        """Say that an interrupt was heard; safe to call from a signal handler."""
        self._now = "stopping everything; this takes a moment"

    def _end(self, part: Part) -> None:
        self.done.append(part)
        if self._running is not None:
            self._running.parts.append(part)
        self._line(f"    {_PART_MARKS[part.outcome]} {part.title}  {duration(part.seconds)}")

    def _line(self, text: str) -> None:
        if not self.console.is_terminal:
            self.console.print(text, markup=False, soft_wrap=True)

    def table(self) -> Table:
        """All steps, as a terminal shows them."""
        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.width = max(1, self.console.width - _ECHO_WIDTH)
        table.add_column(width=1)
        table.add_column(no_wrap=True, width=max(len(step.title) for step in self.steps))
        table.add_column(justify="right", no_wrap=True, width=_TIME_WIDTH)
        table.add_column(overflow="fold", ratio=1)
        for step in self.steps:
            table.add_row(*self._row(step))
        return table

    def _row(self, step: Step) -> tuple[RenderableType, ...]:
        style = STYLES[step.state]
        if step is self._running:
            now = Text(self._now, "dim", no_wrap=True, overflow="ellipsis")
            return (
                self._spinner,
                Text(step.title, style),
                Text(duration(time.monotonic() - self._started), "dim"),
                now,
            )
        pending = step.state is State.PENDING
        return (
            Text(MARKS[step.state], style),
            Text(step.title, "dim" if pending else ""),
            Text("" if pending else duration(step.seconds), "dim"),
            Text(step.findings[0] if step.findings else step.head, "" if step.state is State.PASSED else style),
        )
