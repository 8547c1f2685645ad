"""The demo's step list: all steps with their marks on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from common.console import Outcome, Steps
from common.console import Step as DoneStep
from ops.demo.model import Part, State, Step
from ops.demo.wording import MARKS, duration

_STYLES = {
    State.PENDING: "dim",
    State.RUNNING: "bold",
    State.OK: "green",
    State.FOUND: "yellow",
    State.FAILED: "red",
    State.INTERRUPTED: "yellow",
}
_REFRESH_PER_SECOND = 8
_ECHO_WIDTH = len("^C^C") + 1
"""Room at the end of the last line: what a terminal echoes of a Ctrl-C must not wrap, or the list shows twice."""
_TIME_WIDTH = len("59 min 59 s")


@dataclass
class Stage:
    """The running step, as the code that does it sees it."""

    told: str = ""
    """The result in a few words, shown when the step ends."""
    findings: tuple[str, ...] = ()
    """What must not be; a step with findings is not green, and the demo goes on."""
    parts: list[Part] = field(default_factory=list)
    now: str = ""
    """What is being done at the moment."""
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the step began."""
        return time.monotonic() - self.started


class Board(Steps):
    """Holds the steps in their order, and shows them; also takes the steps of what a stage calls, as its parts.

    Use as a context: the list is shown while the block runs.
    """

    def __init__(self, planned: Sequence[tuple[str, str]], console: Console | None = None) -> None:
        super().__init__(console)
        self.steps = [Step(key, title) for key, title in planned]
        self._stage: Stage | None = None
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    def __enter__(self) -> Board:
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._render, console=self.console, refresh_per_second=_REFRESH_PER_SECOND
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    @contextmanager
    def stage(self, key: str) -> Iterator[Stage]:
        """Do the planned step `key` in the block; how it ends decides its mark."""
        position = next(i for i, step in enumerate(self.steps) if step.key == key)
        stage = self._stage = Stage()
        self.steps[position] = replace(self.steps[position], state=State.RUNNING)
        if not self.console.is_terminal:
            self.console.print(f"… {self._numbered(position)}", markup=False)
        state = State.FAILED
        try:
            yield stage
            state = State.FOUND if stage.findings else State.OK
        except KeyboardInterrupt:
            state = State.INTERRUPTED
            raise
        finally:
            self._stage = None
            self.steps[position] = replace(
                self.steps[position],
                state=state,
                seconds=round(stage.seconds, 3),
                told=stage.told,
                findings=tuple(stage.findings),
                parts=tuple(stage.parts),
            )
            if not self.console.is_terminal:
                self._print_ended(position)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A part of the running stage."""
        stage, start = self._stage, time.monotonic()
        before, outcome = stage.now if stage else "", "failed"
        if stage is not None:
            stage.now = title
        try:
            yield
            outcome = "ok"
        except KeyboardInterrupt:
            outcome = "interrupted"
            raise
        finally:
            self._end_part(stage, title, outcome, time.monotonic() - start)
            if stage is not None:
                stage.now = before

    def note(self, text: str) -> None:
        """What a part has to say: beside the running step on a terminal, a line of its own elsewhere."""
        if not self.console.is_terminal:
            self.console.print(f"      {text}", markup=False)
        elif self._stage is not None:
            self._stage.now = text

    def stopping(self) -> None:
        """Say that an interrupt was heard; safe to call from a signal handler."""
        if self._stage is not None:
            self._stage.now = "stopping everything; this takes a moment"

    def _end_part(self, stage: Stage | None, title: str, outcome: Outcome, seconds: float) -> None:
        self.done.append(DoneStep(title, outcome, seconds))
        if stage is not None:
            stage.parts.append(Part(title, outcome, round(seconds, 3)))
        if not self.console.is_terminal:
            mark = {"ok": "✓", "failed": "✗", "interrupted": "■"}[outcome]
            self.console.print(f"    {mark} {title}  {duration(seconds)}", markup=False)

    def _print_ended(self, position: int) -> None:
        step = self.steps[position]
        told = f"  {step.told}" if step.told else ""
        line = f"{MARKS[step.state]} {self._numbered(position)}  {duration(step.seconds)}{told}"
        self.console.print(line, markup=False, soft_wrap=True)
        for finding in step.findings:
            self.console.print(f"    ! {finding}", markup=False, soft_wrap=True)

    def _numbered(self, position: int) -> str:
        return f"[{position + 1}/{len(self.steps)}] {self.steps[position].title}"

    def _render(self) -> RenderableType:
        table = Table.grid(padding=(0, 2), pad_edge=False)
        table.width = max(1, self.console.width - _ECHO_WIDTH)
        table.add_column(width=1)
        table.add_column(no_wrap=True, width=max(len(step.title) for step in self.steps))
        table.add_column(justify="right", no_wrap=True, width=_TIME_WIDTH)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for step in self.steps:
            table.add_row(*self._row(step))
        return table

    def _row(self, step: Step) -> tuple[RenderableType, ...]:
        style = _STYLES[step.state]
        if step.state is State.RUNNING and self._stage is not None:
            taken, now = duration(self._stage.seconds), self._stage.now
            return self._spinner, Text(step.title, style), Text(taken, "dim"), Text(now, "dim")
        told = step.findings[0] if step.findings else step.told
        taken = "" if step.state is State.PENDING else duration(step.seconds)
        return (
            Text(MARKS[step.state], style),
            Text(step.title, "dim" if step.state is State.PENDING else ""),
            Text(taken, "dim"),
            Text(told, "" if step.state in (State.OK, State.PENDING) else style),
        )
