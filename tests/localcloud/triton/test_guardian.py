"""The guardian: a server never outlives the process that asked for it, and nothing of it stays behind."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud.triton import guardian

WAIT_S = 20.0


@pytest.fixture
def prefix() -> Iterator[str]:
    name = f"seawall-test-{secrets.token_hex(6)}-"
    yield name
    for left in guardian.SHARED_MEMORY.glob(f"{name}*"):
        left.unlink()


@pytest.fixture
def start(tmp_path: Path, prefix: str) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts a guardian over a Python script; the script gets the folder as its argument."""
    started: list[subprocess.Popen[bytes]] = []

    def run(script: str) -> subprocess.Popen[bytes]:
        folder = tmp_path / "guarded"
        folder.mkdir()
        (guardian.SHARED_MEMORY / f"{prefix}segment").write_bytes(b"")
        command = [sys.executable, "-I", "-S", guardian.__file__, str(folder), prefix, "0.5"]
        process = subprocess.Popen(
            [*command, sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


SERVER = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1], "pid.new").write_text(str(os.getpid()))
os.rename(sys.argv[1] + "/pid.new", sys.argv[1] + "/pid")
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER


def started_pid(tmp_path: Path) -> int:
    wait_for((tmp_path / "pid").exists, "the server started")
    return int((tmp_path / "pid").read_text())


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("script", [SERVER, STUBBORN], ids=["willing", "stubborn"])
def test_the_server_ends_when_the_pipe_closes(
    script: str, start: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path, prefix: str
) -> None:
    process = start(script)
    pid = started_pid(tmp_path)
    assert process.stdin is not None
    process.stdin.close()
    process.wait(WAIT_S)
    assert not is_alive(pid)
    assert not (tmp_path / "guarded").exists(), "the folder went"
    assert not list(guardian.SHARED_MEMORY.glob(f"{prefix}*")), "the shared memory went"


def test_the_server_dies_with_a_guardian_that_is_killed(
    start: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = start(SERVER)
    pid = started_pid(tmp_path)
    process.kill()
    wait_for(lambda: not is_alive(pid), "the server died with its guardian")


def test_a_terminal_interrupt_does_not_reach_the_server(
    start: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process = start(SERVER)
    pid = started_pid(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert is_alive(pid) and process.poll() is None


def test_a_server_that_ends_by_itself_gives_its_status(
    start: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    assert start("raise SystemExit(3)").wait(WAIT_S) == 3
    assert not (tmp_path / "guarded").exists()
