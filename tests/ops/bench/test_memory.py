"""A drill holds no object whole, however large it is."""

from __future__ import annotations

from ops.bench.memory import peak

MIB = 2**20
LARGE_MIB = 192


def test_a_large_object_takes_no_more_memory_than_a_small_one() -> None:
    small, large = (peak(size).peak_mb for size in (MIB, LARGE_MIB * MIB))
    assert large - small < LARGE_MIB / 2, f"{large:.0f} MB against {small:.0f} MB: half of the object was held"
