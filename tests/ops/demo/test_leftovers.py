"""Processes that a demo left running are found and ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
_COMMAND = """
import subprocess, sys
from ops.demo.leftovers import adopt_orphans, end_all
adopt_orphans()
{start}
print([name.partition(" ")[2] for name in end_all(0.2)])
print(end_all(5.0))
"""
_CHILD = "subprocess.Popen(['sleep', '60'])"
_ORPHAN = "subprocess.Popen(['sleep', '60'], start_new_session=True)"


def ended(start: str) -> list[str]:
    """What a command that ran `start` had to end: at first, and when asked again."""
    code = _COMMAND.format(start=start)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True, timeout=50
    )
    return done.stdout.splitlines()


def test_a_running_child_is_named_and_ended() -> None:
    assert ended(_CHILD) == ["['(sleep 60)']", "()"]


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")
def test_a_process_whose_parent_ended_is_still_found_and_ended() -> None:
    assert ended(f"subprocess.run([sys.executable, '-c', {f'import subprocess; {_ORPHAN}'!r}])") == [
        "['(sleep 60)']",
        "()",
    ]


def test_a_child_that_has_ended_is_none() -> None:
    assert ended("subprocess.Popen(['true'])") == ["[]", "()"]
