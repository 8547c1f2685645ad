"""What the engine tells in events becomes what a person is told."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation.errors import CommandError
from pulumi.automation.events import EngineEvent

from ops.local.runs import (
    EngineKilledError,
    EventReader,
    GuardedCommand,
    Outcome,
    Trouble,
    first_trouble,
    last_words,
    wind_down,
)

URN = "urn:pulumi:dev-aws::seawall::aws:s3/bucket:Bucket::models"


def event(**members: Any) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, **members})


def step(op: str, **more: Any) -> EngineEvent:
    metadata = {"op": op, "urn": URN, "type": "aws:s3/bucket:Bucket", "provider": "p", **more}
    return event(resourcePreEvent={"metadata": metadata})


def diagnostic(severity: str, message: str, urn: str = "") -> EngineEvent:
    told = {"message": message, "color": "never", "severity": severity, "urn": urn}
    return event(diagnosticEvent=told)


def outcome_of(*events: EngineEvent) -> Outcome:
    reader = EventReader("up")
    for e in events:
        reader(e)
    return reader.outcome


def test_what_stays_the_same_is_no_change() -> None:
    assert outcome_of(step("same")).is_empty


def test_a_replacement_is_told_once_with_what_forces_it() -> None:
    told = outcome_of(step("create-replacement"), step("replace", keys=["bucket"]), step("delete-replaced"))
    assert [(c.op, c.name, c.replacing) for c in told.changes] == [("replace", "models", ("bucket",))]


def test_an_error_is_told_without_colours() -> None:
    told = outcome_of(diagnostic("error", "<{%fg 1%}>refused<{%reset%}>\n", URN))
    assert told.errors == [Trouble(URN, "refused")]


def test_a_warning_is_no_error() -> None:
    assert outcome_of(diagnostic("warning", "careful")).errors == []


def test_a_resources_error_comes_before_the_stacks() -> None:
    stack = "urn:pulumi:dev-aws::seawall::pulumi:pulumi:Stack::seawall-dev-aws"
    told = outcome_of(diagnostic("error", "update failed", stack), diagnostic("error", "refused", URN))
    assert first_trouble(told, "") == Trouble(URN, "refused")


def test_without_an_error_event_the_last_printed_error_is_told() -> None:
    printed = "code: 255\nstdout: \nstderr: error: no such stack\nlater"
    assert first_trouble(Outcome("up"), printed).message == "no such stack"


ENDED = "Detected that /plugins/aws/pulumi-resource-aws exited prematurely."


def test_a_plugin_that_ended_with_the_run_is_not_told_as_its_cause() -> None:
    both = outcome_of(diagnostic("error", ENDED, URN), diagnostic("error", "resource violates plan"))
    assert first_trouble(both, "").message == "resource violates plan"
    assert last_words(f"error: resource violates plan\nerror: {ENDED}\n") == "resource violates plan"


def test_a_plugin_that_ended_is_told_where_nothing_else_is_said() -> None:
    assert first_trouble(outcome_of(diagnostic("error", ENDED, URN)), "").message == ENDED
    assert last_words(f"error: {ENDED}\n") == ENDED


def test_an_engine_that_says_nothing_is_told_of_too() -> None:
    assert last_words(" \n ") == "the engine failed without a word"


def test_a_summary_counts_in_words() -> None:
    outcome = Outcome("up", {"create": 3, "same": 9, "replace": 1}, seconds=1.25)
    assert outcome.summary() == "3 created, 1 replaced, 9 unchanged in 1.2 s"


def test_a_summary_of_nothing_says_so() -> None:
    assert Outcome("up").summary() == "0 unchanged in 0.0 s"


def test_a_failed_run_is_told_by_its_end_and_not_by_a_line_for_each_resource(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text("#!/bin/sh\nseq 1 5000 | sed 's/^/created /'\necho 'error: refused' >&2\nexit 1\n")
    engine.chmod(0o755)
    with pytest.raises(CommandError) as failed:
        GuardedCommand(engine, "3.0.0").run(["up"], str(tmp_path), {})
    told = str(failed.value)
    assert "created 5000" in told
    assert "created 4000" not in told
    assert last_words(told) == "refused"


STUBBORN = (
    "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; print(flush=True); time.sleep(60)"
)
"""A program that neither an interrupt nor a request to end stops."""


def test_an_engine_that_does_not_end_is_killed_at_its_deadline() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(EngineKilledError) as killed:
            wind_down(process, seconds=0.1, end_seconds=0.1)
        assert killed.value.by_user
    assert process.returncode == -signal.SIGKILL
