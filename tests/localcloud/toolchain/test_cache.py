"""Claims about things that are built once into the cache."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain.cache import Entry, Workshop, build_once, is_built

pytestmark = pytest.mark.usefixtures("own_cache")

ENTRY = Entry("tool", "1.0")
_PATIENCE_SECONDS = 20.0

SLOW_BUILD = """
import os, sys
from localcloud.toolchain.cache import Entry, build_once

def build(shop):
    (shop.result / "half").write_text("half")
    command = ["sh", "-c", f"echo $$ > {sys.argv[1]}.tmp; mv {sys.argv[1]}.tmp {sys.argv[1]}; exec sleep 60"]
    shop.run("sleep", command, cwd=shop.scratch, environment=os.environ)

build_once(Entry("tool", "1.0"), build, title="Build slowly")
"""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {_PATIENCE_SECONDS} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class SlowBuild:
    """A build in another process, caught in the middle."""

    def __init__(self, folder: Path) -> None:
        started = folder / "started"
        self.process = subprocess.Popen([sys.executable, "-c", SLOW_BUILD, str(started)], stderr=subprocess.DEVNULL)
        wait_for(started.is_file, "the start of the slow build")
        self.command_pid = int(started.read_text())

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(_PATIENCE_SECONDS)


@pytest.fixture
def slow_build(tmp_path: Path) -> Iterator[SlowBuild]:
    build = SlowBuild(tmp_path)
    yield build
    build.process.kill()
    build.process.wait()


def write_tool(shop: Workshop) -> None:
    (shop.result / "tool").write_text("whole")


def siblings(entry: Entry) -> list[str]:
    return sorted(path.name for path in entry.path.parent.iterdir())


def test_a_second_call_does_not_build_again(steps: Steps) -> None:
    build_once(ENTRY, write_tool, title="Build", steps=steps)

    def build_again(_: Workshop) -> None:
        raise AssertionError("built twice")

    assert (build_once(ENTRY, build_again, title="Build", steps=steps) / "tool").read_text() == "whole"


def test_a_finished_build_leaves_nothing_beside_the_entry(steps: Steps) -> None:
    def build(shop: Workshop) -> None:
        write_tool(shop)
        (shop.scratch / "objects").mkdir()

    build_once(ENTRY, build, title="Build", steps=steps)
    assert siblings(ENTRY) == [ENTRY.key]


def test_scratch_with_read_only_folders_is_removed(steps: Steps) -> None:
    def build(shop: Workshop) -> None:
        write_tool(shop)
        module = shop.scratch / "module"
        module.mkdir()
        (module / "file").write_text("")
        module.chmod(0o500)

    build_once(ENTRY, build, title="Build", steps=steps)
    assert siblings(ENTRY) == [ENTRY.key]


def test_a_failed_build_leaves_no_entry(steps: Steps) -> None:
    def build(shop: Workshop) -> None:
        write_tool(shop)
        shop.run("fail", ["sh", "-c", "echo the cause; exit 3"], cwd=shop.scratch, environment=os.environ)

    with pytest.raises(UserError):
        build_once(ENTRY, build, title="Build", steps=steps)
    assert siblings(ENTRY) == []


def test_a_failed_command_is_told_with_its_last_lines_and_its_log(steps: Steps) -> None:
    def build(shop: Workshop) -> None:
        shop.run("fail", ["sh", "-c", "echo noise; echo the cause; exit 3"], cwd=shop.scratch, environment=os.environ)

    with pytest.raises(UserError, match=r"exit status 3: noise \| the cause\n") as caught:
        build_once(ENTRY, build, title="Build", steps=steps)
    assert "the cause" in Path(caught.value.where).read_text()


def test_a_program_that_is_missing_is_named(steps: Steps) -> None:
    def build(shop: Workshop) -> None:
        shop.run("start", ["/no/such/program"], cwd=shop.scratch, environment=os.environ)

    with pytest.raises(UserError, match="/no/such/program: No such file"):
        build_once(ENTRY, build, title="Build", steps=steps)


def test_a_result_that_is_not_usable_is_refused(steps: Steps) -> None:
    with pytest.raises(UserError, match="not usable: too heavy"):
        build_once(ENTRY, write_tool, title="Build", steps=steps, problem=lambda _: "too heavy")
    assert siblings(ENTRY) == []


def test_an_entry_that_became_unusable_is_built_again(steps: Steps) -> None:
    def problem(path: Path) -> str | None:
        return None if (path / "tool").exists() else "the tool is gone"

    path = build_once(ENTRY, write_tool, title="Build", steps=steps, problem=problem)
    (path / "tool").unlink()
    build_once(ENTRY, write_tool, title="Build", steps=steps, problem=problem)
    assert is_built(ENTRY, problem)
    assert siblings(ENTRY) == [ENTRY.key]


def test_a_cache_that_cannot_be_written_is_the_users_to_mend(own_cache: Path, steps: Steps) -> None:
    own_cache.write_text("a file where the folder should be")
    with pytest.raises(UserError, match="failed") as caught:
        build_once(ENTRY, write_tool, title="Build", steps=steps)
    assert "SEAWALL_CACHE" in caught.value.remedy


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_an_interrupted_build_leaves_no_entry(slow_build: SlowBuild, how: signal.Signals) -> None:
    slow_build.end(how)
    assert not ENTRY.path.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda how: how.name)
def test_an_interrupted_build_that_can_clean_up_does(slow_build: SlowBuild, how: signal.Signals) -> None:
    slow_build.end(how)
    assert siblings(ENTRY) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with a killed parent")
def test_an_interrupted_build_stops_its_command(slow_build: SlowBuild, how: signal.Signals) -> None:
    slow_build.end(how)
    wait_for(lambda: not is_alive(slow_build.command_pid), "the end of the build's command")


def test_the_build_after_a_killed_one_succeeds_and_clears_its_leftovers(slow_build: SlowBuild, steps: Steps) -> None:
    slow_build.end(signal.SIGKILL)
    assert len(siblings(ENTRY)) == 1, "the killed build left its unfinished folder"
    build_once(ENTRY, write_tool, title="Build", steps=steps)
    assert siblings(ENTRY) == [ENTRY.key]


def test_two_at_once_build_once(steps: Steps) -> None:
    builds: list[int] = []
    started, release = threading.Event(), threading.Event()

    def build(shop: Workshop) -> None:
        builds.append(1)
        started.set()
        release.wait(_PATIENCE_SECONDS)
        write_tool(shop)

    threads = [
        threading.Thread(target=lambda: build_once(ENTRY, build, title="Build", steps=steps)) for _ in range(2)
    ]
    threads[0].start()
    started.wait(_PATIENCE_SECONDS)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
    assert len(builds) == 1


def test_who_waits_for_another_process_is_told(slow_build: SlowBuild, steps: Steps, printed: io.StringIO) -> None:
    waiting = threading.Thread(target=lambda: build_once(ENTRY, write_tool, title="Build", steps=steps))
    waiting.start()
    wait_for(lambda: "waiting for another process" in printed.getvalue(), "the note about waiting")
    slow_build.end(signal.SIGKILL)
    waiting.join(_PATIENCE_SECONDS)
    assert is_built(ENTRY)
