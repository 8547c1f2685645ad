"""Runs the engine through Pulumi's Automation API so that an interrupt winds it down, and reads its events."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from pulumi.automation import CommandResult, OutputMap, PulumiCommand, Stack, UpdateSummary
from pulumi.automation.errors import create_command_error
from pulumi.automation.events import EngineEvent
from semver import VersionInfo

from localcloud.front import LANGUAGE_EXEC, clean_up, kept, session_members

Operation = Literal["up", "preview", "refresh", "destroy"]

CANCEL_SECONDS = 30.0
"""How long an interrupted engine may take to finish the operations in flight. None takes longer than a few seconds on
the local cloud; an engine whose disk is full does not end by itself."""
END_SECONDS = 10.0
"""How long an engine that is ended may take to go, with all that it started, before it is killed."""

_UNTOLD = frozenset(
    {
        "same",
        "read",
        "read-discard",
        "discard",
        "discard-replaced",
        "remove-pending-replace",
        # The two halves of a replacement, which is told once, as `replace`.
        "create-replacement",
        "delete-replaced",
    }
)
_COLOUR = re.compile(r"<\{%.*?%\}>")
_PLUGIN_ENDED = "exited prematurely"
_ENDING_LINES = 30


class EngineKilledError(Exception):
    """The engine was ended by a signal it could not handle, so its state may lag behind what it did.

    Args:
        by_user: it was in the way of an interrupt.
    """

    def __init__(self, what: str, *, by_user: bool = False) -> None:
        super().__init__(what)
        self.by_user = by_user


@dataclass(frozen=True)
class Change:
    """What happened, or would, to one resource."""

    urn: str
    type: str
    op: str
    """`create`, `update`, `replace`, `delete`, …"""
    properties: tuple[str, ...] = ()
    """Paths that changed."""
    replacing: tuple[str, ...] = ()
    """Those of them that force a replacement."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rsplit("::", 1)[-1]

    def __str__(self) -> str:
        return f"{self.op} {self.name}" + (f" ({', '.join(self.properties)})" if self.properties else "")


@dataclass(frozen=True)
class Trouble:
    """An error that the engine reported; `urn` is empty for one of the whole stack."""

    urn: str
    message: str


@dataclass
class Outcome:
    """What an operation did (up, destroy), would do (preview) or found (refresh)."""

    operation: Operation
    counts: dict[str, int] = field(default_factory=dict)
    """Resources by what happened: `create`, `update`, `replace`, `delete`, `same`."""
    changes: list[Change] = field(default_factory=list)
    errors: list[Trouble] = field(default_factory=list)
    retained: set[str] = field(default_factory=set)
    """URNs of the resources that the cloud keeps when the stack gives them up (`retain_on_delete`)."""
    seconds: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not self.changes

    def summary(self) -> str:
        """One line: `12 created, 118 same in 9.4 s`."""
        words = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced"}
        counted = {k: n for k, n in self.counts.items() if n and k != "same"}
        parts = [f"{n} {words.get(k, k)}" for k, n in counted.items()]
        same = self.counts.get("same", 0)
        parts += [f"{same} unchanged"] if same or not parts else []
        return f"{', '.join(parts)} in {self.seconds:.1f} s"


class EventReader:
    """Gathers the engine's events of one operation into an `Outcome`."""

    def __init__(self, operation: Operation) -> None:
        self.outcome = Outcome(operation)
        self._started = time.monotonic()

    def __call__(self, event: EngineEvent) -> None:
        self.outcome.seconds = time.monotonic() - self._started
        if event.resource_pre_event is not None and self.outcome.operation != "refresh":
            step = event.resource_pre_event.metadata
            self._change(step)
            if step.new is not None and step.new.retain_on_delete:
                self.outcome.retained.add(step.urn)
        if event.res_outputs_event is not None and self.outcome.operation == "refresh":
            self._change(event.res_outputs_event.metadata)
        diagnostic = event.diagnostic_event
        if diagnostic is not None and diagnostic.severity == "error":
            text = plain_text(diagnostic.message)
            if text:
                self.outcome.errors.append(Trouble(diagnostic.urn or "", text))
        violation = event.policy_event
        if violation is not None and violation.enforcement_level == "mandatory":
            text = plain_text(violation.message)
            self.outcome.errors.append(Trouble(violation.resource_urn or "", f"{violation.policy_name}: {text}"))
        if event.summary_event is not None:
            self.outcome.counts = {str(op): n for op, n in event.summary_event.resource_changes.items()}

    def _change(self, step: object) -> None:
        op = str(getattr(getattr(step, "op", ""), "value", getattr(step, "op", "")))
        if op in _UNTOLD or (op == "refresh" and not getattr(step, "detailed_diff", None)):
            return
        detailed = getattr(step, "detailed_diff", None) or {}
        change = Change(
            urn=getattr(step, "urn", ""),
            type=getattr(step, "type", ""),
            op=op,
            properties=tuple(detailed) or tuple(getattr(step, "diffs", None) or ()),
            replacing=tuple(getattr(step, "keys", None) or ()),
        )
        self.outcome.changes.append(change)


class GuardedCommand(PulumiCommand):
    """Pulumi's command, in a session of its own: an interrupt is passed on once, and awaited.

    The Automation API's own runner gives an interrupted engine a quarter of a second, and leaves it running
    when the command is killed.
    """

    def __init__(self, cli: Path, version: str) -> None:
        # No call of the base class: it would run `pulumi version` against the user's own home.
        self.command = str(cli)
        self.version = VersionInfo.parse(version)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """Run it to its end. Raises CommandError if it fails, EngineKilledError if a signal ended it."""
        with subprocess.Popen(
            kept([self.command, "--non-interactive", *args], interrupt="forward"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**outer_environment(), **additional_env, "PULUMI_AUTOMATION_API": "true"},
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            out: list[str] = []
            err: list[str] = []
            readers = [
                _reader(stream, call, lines)
                for stream, call, lines in ((process.stdout, on_output, out), (process.stderr, on_error, err))
                if stream is not None
            ]
            try:
                process.wait()
            except KeyboardInterrupt:
                wind_down(process)
                raise
            finally:
                process.wait()
                clean_up(process)
                for reader in readers:
                    reader.join(timeout=5)
        result = CommandResult("\n".join(out), "\n".join(err), process.returncode)
        if process.returncode < 0:
            raise EngineKilledError(f"the engine was ended by {signal.Signals(-process.returncode).name}")
        if process.returncode:
            raise create_command_error(_ending(result))
        return result


class LeanStack(Stack):
    """A stack without the three further runs of the command line that fill in results which nobody reads here."""

    def outputs(self) -> OutputMap:
        """Nothing: `up` asks for them each time. See `LocalCloud.outputs`."""
        return {}

    def info(self, show_secrets: bool = False) -> UpdateSummary:  # noqa: ARG002 - the base class has it
        """A summary without content; the events have what it would tell."""
        return UpdateSummary("update", datetime.now(UTC), "", environment={}, config={}, result="succeeded")


def outer_environment() -> dict[str, str]:
    """The process's environment without the user's cloud settings: a profile or key of theirs has no place here."""
    foreign = ("AWS_", "GOOGLE_", "CLOUDSDK_", "KUBECONFIG", "PULUMI_")
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign)}


def _ending(result: CommandResult) -> CommandResult:
    """The end of what a run printed: its errors are there, after a line for each resource."""
    out, err = ("\n".join(text.splitlines()[-_ENDING_LINES:]) for text in (result.stdout, result.stderr))
    return CommandResult(out, err, result.code)


def _reader(stream: IO[str], call: Callable[[str], object] | None, lines: list[str]) -> threading.Thread:
    def read() -> None:
        for line in stream:
            lines.append(line.rstrip())
            if call:
                call(line.rstrip())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def wind_down(
    process: subprocess.Popen[str], seconds: float = CANCEL_SECONDS, end_seconds: float = END_SECONDS
) -> None:
    """Have the engine cancel, wait until it has, and end it if it takes too long or the user insists.

    Raises EngineKilledError if it had to be ended.
    """
    try:
        process.send_signal(signal.SIGINT)
        _interrupt_program(process.pid)
        process.wait(seconds)
        return
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.terminate()
        try:
            process.wait(end_seconds)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
    raise EngineKilledError("the engine was ended before it had finished what was in flight", by_user=True)


def _interrupt_program(session: int) -> None:
    """End the stack's program, which the engine waits for; all that the keeper starts is in its session."""
    for pid in session_members(session):
        with contextlib.suppress(OSError):
            if LANGUAGE_EXEC.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)


def plain_text(message: str) -> str:
    """One of the engine's messages, without the colours that it is sent with."""
    return _COLOUR.sub("", message).strip()


def first_trouble(outcome: Outcome, fallback: str) -> Trouble:
    """The error to show: one of a resource if there is one, else the stack's, else `fallback`'s last."""
    causes = [t for t in outcome.errors if is_cause(t.message)]
    errors = causes or outcome.errors
    named = [t for t in errors if t.urn and "pulumi:pulumi:Stack" not in t.urn]
    if errors:
        return (named or errors)[0]
    return Trouble("", last_words(fallback))


def is_cause(message: str) -> bool:
    """Whether an error can be why a run failed: the engine also tells of plugins that ended with a run it gave up."""
    return _PLUGIN_ENDED not in message


def last_words(text: str) -> str:
    """The last error in what a command printed that can be its cause, else the last error, else the last line."""
    lines = [line.strip().removeprefix("stderr:").strip() for line in text.splitlines()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error:")]
    causes = [error for error in errors if is_cause(error)]
    return (causes or errors or [line for line in lines if line] or ["the engine failed without a word"])[-1]
