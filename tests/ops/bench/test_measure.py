"""Taking samples."""

from __future__ import annotations

import sys

import pytest

from common.errors import UserError
from ops.bench.measure import child, in_turns, timed
from ops.bench.model import Sample


def test_the_runs_take_turns() -> None:
    order: list[str] = []

    def run(name: str) -> Sample:
        order.append(name)
        return Sample(1.0)

    in_turns({"a": lambda: run("a"), "b": lambda: run("b")}, repeats=2, warmups=1)
    assert order == ["a", "b"] * 3


def test_a_warm_up_does_not_count() -> None:
    walls = iter([100.0, 1.0, 2.0])
    (taken,) = in_turns({"a": lambda: Sample(next(walls))}, repeats=2, warmups=1)
    assert [sample.wall_s for sample in taken.samples] == [1.0, 2.0]


def test_a_child_s_memory_is_its_own() -> None:
    small = child([sys.executable, "-c", "pass"])
    large = child([sys.executable, "-c", "x = bytearray(100_000_000); x[::4096] = b'x' * len(x[::4096])"])
    assert 90 < large.peak_mb - small.peak_mb < 130


def test_a_child_s_waiting_is_wall_clock_time_and_not_processor_time() -> None:
    sample = child([sys.executable, "-c", "import time; time.sleep(0.5)"])
    assert sample.wall_s >= 0.5 > sample.cpu_s


def test_a_child_that_fails_is_no_sample() -> None:
    with pytest.raises(UserError, match="exit code 3: why"):
        child([sys.executable, "-c", "import sys; sys.stderr.write('why'); sys.exit(3)"])


def test_a_child_keeps_compiled_modules_whatever_the_environment_says() -> None:
    code = "import sys; sys.exit(sys.dont_write_bytecode)"
    child([sys.executable, "-c", code], env={"PYTHONDONTWRITEBYTECODE": "1"})


def test_a_call_is_timed() -> None:
    assert timed(lambda: None).wall_s < 1.0
