"""A drill holds no object whole, however large it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.bench.memory import peak
from ops.bench.transfer import emulator

MIB = 2**20


@pytest.mark.xdist_group("memory")
def test_a_large_object_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    peaks: list[float] = []
    for size in (MIB, 96 * MIB):
        folder = tmp_path / str(size)
        folder.mkdir()
        with emulator(folder) as target:
            peaks.append(peak(target, folder, size).peak_mb)
    small, large = peaks
    assert large - small < 48, f"{large:.0f} MB against {small:.0f} MB: half of the object was held"
