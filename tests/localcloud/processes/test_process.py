"""Servers and engines never outlive what started them, and a dead one says why."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.processes.process import Interrupt, ServerProcess, free_ports, kept, start_on_free_ports

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
    with pytest.raises(UserError, match="/no/such/server: No such file"):
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
        import subprocess, sys, threading, time
        from localcloud.processes.process import kept
        code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        thread = threading.Thread(target=lambda: subprocess.Popen({command}, start_new_session=True))
        thread.start()
        thread.join()
        time.sleep(60)
        """)
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.fixture(params=["attached", "detached"])
def orphaned(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """A parent whose thread started a kept program and ended, and the program, which may have left its group."""
    commands = {
        "attached": "kept([sys.executable, '-c', code])",
        "detached": "kept(['sh', '-c', 'setsid \"$0\" -c \"$1\" & wait', sys.executable, code])",
    }
    return parent_of(tmp_path, commands[request.param])


def test_a_program_dies_with_a_parent_that_is_killed(orphaned: tuple[subprocess.Popen[str], int]) -> None:
    parent, child = orphaned
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_running(child))


def test_a_program_outlives_the_thread_that_started_it(orphaned: tuple[subprocess.Popen[str], int]) -> None:
    parent, child = orphaned
    time.sleep(0.5)
    alive = is_running(child)
    parent.kill()
    parent.communicate()
    assert alive


@pytest.mark.parametrize("code", [0, 3])
def test_a_kept_program_ends_with_its_own_exit_code(code: int) -> None:
    command = [sys.executable, "-c", f"raise SystemExit({code})"]
    assert subprocess.run(kept(command, interrupt="forward"), check=False).returncode == code


def test_a_kept_program_that_is_killed_ends_as_killed() -> None:
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert subprocess.run(kept(command, interrupt="forward"), check=False).returncode == -signal.SIGKILL


def test_what_a_kept_program_leaves_behind_is_ended() -> None:
    code = f"import subprocess; print(subprocess.Popen({SLEEP!r}, start_new_session=True).pid)"
    done = subprocess.run(
        kept([sys.executable, "-c", code], interrupt="forward"), check=True, capture_output=True, text=True
    )
    assert not is_running(int(done.stdout))


@pytest.mark.parametrize(("interrupt", "code"), [("forward", 7), ("share", 0), ("ignore", 0)])
def test_an_interrupt_is_passed_on_only_when_asked(interrupt: Interrupt, code: int) -> None:
    program = """
        import signal, sys, time
        signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
        print("ready", flush=True)
        time.sleep(1.5)
    """
    command = kept([sys.executable, "-c", textwrap.dedent(program)], interrupt=interrupt)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == code


WILLING = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WILLING}"


@pytest.mark.parametrize("code", [WILLING, STUBBORN], ids=["willing", "stubborn"])
def test_what_a_program_leaves_on_the_disk_goes_when_it_is_ended(code: str, tmp_path: Path) -> None:
    folder, segment = tmp_path / "folder", tmp_path / "segment-1"
    folder.mkdir()
    segment.write_bytes(b"")
    command = kept([sys.executable, "-c", code], grace_seconds=0.3, remove=[folder, tmp_path / "segment-*"])
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        process.wait(20)
    assert not folder.exists() and not segment.exists()


def test_a_program_that_is_asked_to_end_may_end_in_order() -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(5)); print(flush=True); time.sleep(60)"
    with subprocess.Popen(kept([sys.executable, "-c", code], grace_seconds=20), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(20) == 5


def test_the_program_dies_with_a_keeper_that_is_killed() -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen(kept([sys.executable, "-c", code]), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    wait_until(lambda: not is_running(child))


def test_what_a_killed_keeper_leaves_behind_is_ended_with_its_server(tmp_path: Path) -> None:
    left = tmp_path / "left"
    code = (
        "import subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], process_group=0); "
        f"open({str(left)!r}, 'w').write(str(child.pid)); print('listening on 1', flush=True); time.sleep(60)"
    )
    process = ServerProcess(
        "a server", [sys.executable, "-c", code], tmp_path / "log", remedy="none", remove=[tmp_path / "lef*"]
    )
    process.start()
    child = int(left.read_text())
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.stop()
    assert not is_running(child)
    assert not left.exists()


def test_a_port_that_another_program_took_is_tried_around(tmp_path: Path) -> None:
    tried: list[int] = []

    def make(ports: tuple[int, ...]) -> ServerProcess:
        tried.append(ports[0])
        return server(tmp_path, SERVE if len(tried) > 1 else "raise SystemExit('bind: address already in use')")

    process, ports = start_on_free_ports(make)
    process.stop()
    assert len(tried) == 2 and ports == (tried[-1],)


def test_another_failure_is_not_tried_again(tmp_path: Path) -> None:
    tried: list[int] = []

    def make(ports: tuple[int, ...]) -> ServerProcess:
        tried.append(ports[0])
        return server(tmp_path, "raise SystemExit('no disk left')")

    with pytest.raises(UserError, match="no disk left"):
        start_on_free_ports(make)
    assert len(tried) == 1


def test_a_free_port_is_given_once_though_nobody_listens_there_yet() -> None:
    with ThreadPoolExecutor(8) as pool:
        given = [port for ports in pool.map(free_ports, [10] * 200) for port in ports]
    assert len(set(given)) == len(given) == 2000


def test_the_last_free_port_is_found_wherever_the_search_begins() -> None:
    with contextlib.ExitStack() as stack:
        *taken, last = (stack.enter_context(socket.socket()) for _ in range(4))
        for other in (*taken, last):
            other.bind(("127.0.0.1", 0))
        among = [other.getsockname()[1] for other in (*taken, last)]
        last.close()
        assert free_ports(1, among=among) == (among[-1],)


def test_a_port_where_another_program_listens_is_not_given() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(UserError, match="no free port"):
            free_ports(1, among=[taken])
