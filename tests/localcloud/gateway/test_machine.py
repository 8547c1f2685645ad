"""One gateway at a time on a machine: who comes second waits, and nobody waits for the dead."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from common.errors import UserError
from localcloud.gateway import machine
from localcloud.processes.process import free_ports

HOLD = """
import sys, time
from localcloud.gateway.machine import alone
with alone(name=chr(0) + sys.argv[1]):
    print("holds", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def name() -> str:
    return f"\0seawall-test-{secrets.token_hex(6)}"


@contextlib.contextmanager
def held_elsewhere(name: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", HOLD, name[1:]], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"holds\n"
        yield other
        other.kill()


def test_the_second_is_refused_when_the_first_does_not_end(name: str) -> None:
    with (
        held_elsewhere(name),
        pytest.raises(UserError, match="another gateway"),
        machine.alone(name=name, wait_s=0.2),
    ):
        raise AssertionError("held by two")


def test_the_second_runs_when_the_first_was_killed(name: str) -> None:
    with held_elsewhere(name) as other:
        threading.Timer(0.3, other.send_signal, (signal.SIGKILL,)).start()
        with machine.alone(name=name, wait_s=10):
            assert other.wait() == -signal.SIGKILL


def test_threads_of_one_process_take_turns_too(name: str) -> None:
    inside, most = 0, 0

    def run() -> None:
        nonlocal inside, most
        with machine.alone(name=name, wait_s=10):
            inside += 1
            most = max(most, inside)
            time.sleep(0.05)
            inside -= 1

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_port_that_another_program_has_is_named() -> None:
    port = free_ports(1)[0]
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(UserError, match=f"port {port}"):
            machine.await_free(port, wait_s=0.1)
