"""`seawall local` as a user runs it: exit codes, interrupts, kills, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.local.command import exit_code

DRIVER = """
import sys
from pathlib import Path
import ops.local.command, ops.local.session
root = Path(sys.argv.pop(1))
ops.local.command.repo_root = ops.local.session.repo_root = lambda: root
from ops.cli import main
main()
"""
"""The command, on a test's checkout in place of this one."""

SLOW = """
import time
namespace.id.apply(lambda _: time.sleep(60))
"""
"""Keeps the program busy once its last resource exists; a sleep outside `apply` would come before the first."""

Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def command(project: Any, own_local_cloud: Path, tmp_path: Path) -> Iterator[Command]:
    """Starts `seawall local …` in a process group of its own, as a shell does."""
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(driver), str(project.root), "local", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "SEAWALL_LOCAL": str(own_local_cloud), "NO_COLOR": "1"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def processes_of(folder: Path) -> list[str]:
    """Commands of processes that know this folder, by their arguments or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if str(folder).encode() in command + (entry / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


def namespace_is_up(folder: Path) -> Callable[[], bool]:
    """Whether the last resource of the program exists: the engine writes its own state only when it ends."""

    def is_up() -> bool:
        file = folder / "dev-aws" / "live" / "store.sqlite3"
        if not file.exists():
            return False
        with contextlib.closing(sqlite3.connect(file)) as store, contextlib.suppress(sqlite3.OperationalError):
            return bool(store.execute("SELECT 1 FROM resources WHERE token LIKE '%:Namespace'").fetchall())
        return False

    return is_up


@pytest.mark.parametrize(("pulumi", "ours"), [(0, 0), (7, 1), (5, 1), (1, 2), (255, 2), (-9, 130)])
def test_pulumis_exit_codes_are_told_in_ours(pulumi: int, ours: int) -> None:
    assert exit_code(pulumi) == ours


def test_an_unknown_stack_is_refused_with_the_known_ones(command: Command) -> None:
    code, _, err = finish(command("up", "dev-azure"))
    assert code == 2
    assert "there is no stack 'dev-azure'" in err and "dev-aws" in err and "Traceback" not in err


def test_refused_settings_are_told_before_anything_starts(
    command: Command, project: Any, own_local_cloud: Path
) -> None:
    file = project.root / "config" / "Pulumi.dev-aws.yaml"
    file.write_text(re.sub(r"(?m)^    region: .*$", "    region: eu-west-9", file.read_text()))
    code, _, err = finish(command("up", "dev-aws"))
    assert code == 2
    assert "eu-west-9" in err and "Traceback" not in err
    assert not own_local_cloud.exists()


@pytest.mark.engine
def test_the_whole_life_of_a_stack(command: Command, own_local_cloud: Path) -> None:
    code, out, err = finish(command("up", "dev-aws", "--json"))
    assert code == 0, err
    told = json.loads(out)
    assert (told["counts"], told["outputs"]["bucket"]) == ({"create": 8}, "models-of-a-test")
    assert finish(command("pulumi", "dev-aws", "--", "preview", "--expect-no-changes"))[0] == 0
    code, out, _ = finish(command("pulumi", "dev-aws", "--", "stack", "output", "bucket"))
    assert (code, out.strip()) == (0, "models-of-a-test")
    assert finish(command("pulumi", "dev-aws", "--", "no-such-command"))[0] == 2
    code, _, err = finish(command("down", "dev-aws"))
    assert code == 0, err
    assert list(own_local_cloud.iterdir()) == []
    assert processes_of(own_local_cloud) == []


@pytest.mark.engine
def test_changes_where_none_are_expected_are_found(running: Any, command: Command) -> None:
    running.append('aws.sns.Topic("alerts", opts=default)')
    assert finish(command("pulumi", "dev-aws", "--", "preview", "--expect-no-changes"))[0] == 1


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_update_keeps_what_it_made_and_goes_on(
    command: Command, project: Any, own_local_cloud: Path, number: signal.Signals
) -> None:
    project.append(SLOW)
    process = command("up", "dev-aws")
    wait_until(namespace_is_up(own_local_cloud))
    os.killpg(process.pid, number)
    code, _, err = finish(process)
    assert (code, "Traceback" in err) == (130, False), err
    assert processes_of(own_local_cloud) == []
    project.change(SLOW, "")
    code, out, err = finish(command("up", "dev-aws", "--json"))
    assert code == 0, err
    assert json.loads(out)["counts"].get("create", 0) <= 1


@pytest.mark.engine
def test_a_killed_command_leaves_no_process_and_is_taken_back(
    command: Command, project: Any, own_local_cloud: Path
) -> None:
    slow = SLOW.replace("60", "8")
    project.append(slow)
    process = command("up", "dev-aws")
    wait_until(namespace_is_up(own_local_cloud))
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 30
    while left := processes_of(own_local_cloud):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    project.change(slow, "")
    code, out, err = finish(command("up", "dev-aws", "--json"))
    assert code == 0, err
    assert "was killed; its changes were taken back" in err
    assert json.loads(out)["counts"] == {"create": 8}


@pytest.mark.engine
def test_two_commands_at_once_break_nothing(command: Command, project: Any, own_local_cloud: Path) -> None:
    go = own_local_cloud.with_name("go")
    project.append(f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists():\n    time.sleep(0.1)\n")
    first = command("up", "dev-aws")
    wait_until(lambda: (own_local_cloud / "dev-aws" / "holder.json").exists())
    code, _, err = finish(command("up", "dev-aws"))
    assert (code, f"process {first.pid}" in err) == (2, True), err
    go.touch()
    assert finish(first)[0] == 0
