"""Processes that a demo left running are found and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from ops.demo.leftovers import Process, descendants, end, parse, running, told

REPO = Path(__file__).resolve().parents[3]
_ORPHAN = """
import os, subprocess, sys, time
from ops.demo.leftovers import adopt_orphans, await_none, end, running
adopt_orphans()
subprocess.run([sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"])
left = await_none(0.2)
print([process.command for process in left])
end(left)
print(len(await_none(5.0)))
"""


def process(pid: int, parent: int, command: str = "x") -> Process:
    return Process(pid, parent, "S", command)


def test_descendants_are_found_at_any_depth_and_others_are_not() -> None:
    listed = [process(1, 0), process(5, 1), process(6, 5), process(7, 6), process(8, 1)]
    assert [p.pid for p in descendants(listed, 5)] == [6, 7]


def test_a_listing_is_read_with_spaces_in_commands() -> None:
    assert parse("  12   1 Ss  redis-server --port 0\nnot a line\n 13 12 Z\n") == (
        Process(12, 1, "Ss", "redis-server --port 0"),
        Process(13, 12, "Z", ""),
    )


def test_long_commands_are_cut() -> None:
    assert told([process(3, 1, "y" * 300)], width=10) == "3 (yyyyyyyyyy)"


def test_a_running_child_is_seen_and_an_ended_one_is_not() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child.pid in {p.pid for p in running()}
        end([process(child.pid, os.getpid())])
        child.wait()
        assert child.pid not in {p.pid for p in running()}


def test_ending_what_is_gone_is_no_error() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    end([process(child.pid, os.getpid())])


def test_a_process_whose_parent_ended_is_still_found_and_ended() -> None:
    if sys.platform != "linux":
        return
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", _ORPHAN], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['sleep 60']", "0"]
    assert time.monotonic() - start < 30
