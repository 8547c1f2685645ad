"""Servers and engines never outlive what started them, and a dead one says why."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.processes.servers import ServerProcess, kept, leashed

SERVE = "import time; print('listening on 4711', flush=True); time.sleep(60)"
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def server(tmp_path: Path, code: str, start_seconds: float = 20) -> ServerProcess:
    command = [sys.executable, "-c", code]
    return ServerProcess(
        "the server", command, tmp_path / "log", remedy="start it again", start_seconds=start_seconds
    )


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_a_started_server_has_told_its_port(tmp_path: Path) -> None:
    started = server(tmp_path, SERVE)
    port = started.start()
    started.stop()
    assert port == 4711


def test_a_stopped_server_is_gone_with_what_it_started(tmp_path: Path) -> None:
    code = f"import subprocess; print(subprocess.Popen({SLEEP!r}).pid, flush=True)\n{SERVE}"
    started = server(tmp_path, code)
    started.start()
    child = int((tmp_path / "log").read_text().split()[0])
    started.stop()
    wait_until(lambda: not is_running(child))


def test_a_server_that_fails_to_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"(?s)ended with exit code 3.*no disk left") as told:
        server(tmp_path, "import sys; print('no disk left'); sys.exit(3)").start()
    assert (told.value.where, told.value.remedy) == (str(tmp_path / "log"), "start it again")


def test_a_server_that_never_listens_is_ended(tmp_path: Path) -> None:
    silent = server(tmp_path, "import time; time.sleep(60)", start_seconds=0.3)
    with pytest.raises(UserError, match="did not start within"):
        silent.start()
    assert silent.pid is None


def test_a_missing_program_is_told_by_name(tmp_path: Path) -> None:
    missing = ServerProcess("the server", ["/no/such/server"], tmp_path / "log", remedy="install it")
    with pytest.raises(UserError, match="/no/such/server"):
        missing.start()


def test_a_killed_server_is_noticed(tmp_path: Path) -> None:
    started = server(tmp_path, SERVE)
    started.start()
    assert started.pid is not None
    os.kill(started.pid, signal.SIGKILL)
    with pytest.raises(UserError, match="was killed by SIGKILL"):
        for _ in range(200):
            started.check()
            time.sleep(0.02)
    started.stop()


def parent_of(tmp_path: Path, command: str) -> tuple[subprocess.Popen[str], int]:
    """A process that starts `command` (an expression), and the pid that the command printed."""
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
        import subprocess, sys, time
        from localcloud.processes.servers import kept, leashed
        code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        subprocess.Popen({command}, start_new_session=True)
        time.sleep(60)
        """)
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.mark.parametrize(
    "command",
    [
        "leashed([sys.executable, '-c', code])",
        "kept([sys.executable, '-c', code], forward_interrupt=True)",
        "kept(['sh', '-c', 'setsid \"$0\" -c \"$1\" & wait', sys.executable, code], forward_interrupt=True)",
    ],
    ids=["leashed", "kept", "kept-detached"],
)
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path, command: str) -> None:
    parent, child = parent_of(tmp_path, command)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_running(child))


@pytest.mark.parametrize("code", [0, 3])
def test_a_kept_program_ends_with_its_own_exit_code(code: int) -> None:
    command = [sys.executable, "-c", f"raise SystemExit({code})"]
    assert subprocess.run(kept(command, forward_interrupt=True), check=False).returncode == code


def test_a_kept_program_that_is_killed_ends_as_killed() -> None:
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert subprocess.run(kept(command, forward_interrupt=True), check=False).returncode == -signal.SIGKILL


def test_what_a_kept_program_leaves_behind_is_ended() -> None:
    code = f"import subprocess; print(subprocess.Popen({SLEEP!r}, start_new_session=True).pid)"
    done = subprocess.run(
        kept([sys.executable, "-c", code], forward_interrupt=True), check=True, capture_output=True, text=True
    )
    assert not is_running(int(done.stdout))


@pytest.mark.parametrize(("forward", "code"), [(True, 7), (False, 0)])
def test_an_interrupt_is_passed_on_only_when_asked(forward: bool, code: int) -> None:
    program = """
        import signal, sys, time
        signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
        print("ready", flush=True)
        time.sleep(1.5)
    """
    command = kept([sys.executable, "-c", textwrap.dedent(program)], forward_interrupt=forward)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == code


def test_a_leashed_program_is_the_process_itself(tmp_path: Path) -> None:
    process = subprocess.Popen(leashed(SLEEP))
    with contextlib.suppress(OSError):
        wait_until(lambda: b"time.sleep(60)" in Path(f"/proc/{process.pid}/cmdline").read_bytes())
    process.kill()
    assert process.wait() == -signal.SIGKILL
