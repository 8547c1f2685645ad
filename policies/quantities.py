"""Quantities as Kubernetes writes them: `250m`, `8Gi`, `1e3`."""

from __future__ import annotations

import re
from typing import Final

_WRITTEN: Final = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)(?P<unit>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?")
_POWERS: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = "KMGTPE"


def quantity(value: object) -> float | None:
    """A quantity as a number; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _WRITTEN.fullmatch(str(value))
    if not found:
        return None
    number, unit = float(found["number"]), found["unit"] or ""
    if unit in _POWERS:
        return number * 10.0 ** _POWERS[unit]
    if unit.endswith("i"):
        return number * 1024.0 ** (_BINARY.index(unit[0]) + 1)
    return number * 10.0 ** int(unit[1:]) if unit else number
