"""Measures how much memory a drill takes for large objects: none of them may be held whole."""

from __future__ import annotations

import sys
from typing import Final

from common.paths import repo_root
from ops.bench.bottomless import serving
from ops.bench.measure import child
from ops.bench.model import Result, Sample, Series, Target

LARGE_BYTES: Final = 2 * 2**30
MOST: Final = Target("at most", round(400 * 2**20 / 1e6), "MB")
"""400 MiB."""
PRIMARY: Final = "bench-models"
RESTORED: Final = "bench-restored"
REGION: Final = "eu-central-1"


def measure_memory(bytes_each: int = LARGE_BYTES) -> list[Result]:
    """The peak of one process that does a drill's work on one object of this size and a small one."""
    sample = peak(bytes_each)
    series = Series(f"seawall: a drill's work on {bytes_each // 2**20} MiB", (sample,))
    return [Result("memory of a drill", "peak resident memory", sample.peak_mb, MOST, (series,))]


def peak(bytes_each: int) -> Sample:
    """What a process used that read, copied, compared and controlled an object of this size.

    Raises:
        UserError: a check failed in it.
    """
    with serving({(PRIMARY, "large"): bytes_each, (PRIMARY, "small"): b"small"}) as url:
        command = [sys.executable, "-m", "ops.bench.holding", url, REGION, PRIMARY, RESTORED]
        return child(command, cwd=repo_root())
