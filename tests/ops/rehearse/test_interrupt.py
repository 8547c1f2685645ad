"""Whoever interrupts a rehearsal is left with no process of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from common.errors import EXIT_INTERRUPTED

pytestmark = [pytest.mark.cluster, pytest.mark.engine]

MARK = "SEAWALL_TEST_MARK"
START_SECONDS = 300.0
END_SECONDS = 60.0


def marked(mark: str) -> dict[int, str]:
    """The processes that were started, by whatever way, by the one with this mark in its environment."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"{MARK}={mark}".encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found by /proc")
def test_an_interrupted_rehearsal_leaves_no_process(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    command = [sys.executable, "-c", "from ops.cli import main; main()", "rehearse", "dev-gcp"]
    options = ["--only", "placing", "--out", str(tmp_path)]
    environment = {**os.environ, MARK: mark}
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, *options], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            limit = time.monotonic() + START_SECONDS
            while not any("kube-scheduler" in line for line in marked(mark).values()):
                assert running.poll() is None and time.monotonic() < limit, (tmp_path / "log").read_text()
                time.sleep(0.2)
            assert any("etcd" in line for line in marked(mark).values())
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to every process of the foreground
            code = running.wait(END_SECONDS)
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
    limit = time.monotonic() + END_SECONDS
    while marked(mark) and time.monotonic() < limit:
        time.sleep(0.2)
    assert marked(mark) == {} and code == EXIT_INTERRUPTED
    assert "was written" in (tmp_path / "log").read_text()
