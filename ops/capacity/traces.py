"""Loads to simulate: a day, a flash crowd, or what a file has."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from common.errors import UserError
from ops.capacity.load import Phase, Profile

DIURNAL: Final = "diurnal"
FLASH_CROWD: Final = "flash-crowd"
COLUMNS: Final = ("seconds", "requests_per_second")
DAY_SECONDS: Final = 86_400
SECONDS_MAX: Final = 14 * DAY_SECONDS
RPS_MAX: Final = 1_000_000
BYTES_MAX: Final = 4 * 2**20
_PIECES: Final = 48
_PEAK_HOUR: Final = 14
_QUIET_PART: Final = 0.25
_BUSY_PART: Final = 0.85
"""Of what all replicas serve: a day that fits, and a crowd that does."""
_CROWD_TIMES: Final = 4


def diurnal(most_rps: float) -> Profile:
    """A day from midnight, lowest at two in the night and highest in the afternoon.

    Args:
        most_rps: what all replicas serve as busy as they should be.
    """
    high, low = _BUSY_PART * most_rps, _QUIET_PART * _BUSY_PART * most_rps

    def rate(hour: float) -> float:
        return low + (high - low) * (1 + math.cos(2 * math.pi * (hour - _PEAK_HOUR) / 24)) / 2

    hours = [24 * piece / _PIECES for piece in range(_PIECES + 1)]
    long = DAY_SECONDS / _PIECES
    return Profile(tuple(Phase("day", long, rate(a), rate(b)) for a, b in pairwise(hours)))


def flash_crowd(least_rps: float, most_rps: float, shrink_seconds: float) -> Profile:
    """A steady load that becomes four times as much within a minute, stays so for 20 minutes, and goes again.

    Args:
        least_rps: what the fewest replicas serve as busy as they should be.
        most_rps: the same of all; the crowd stays within it.
        shrink_seconds: after which replicas go again.
    """
    calm = 0.8 * least_rps
    crowd = max(1.2 * calm, min(_CROWD_TIMES * calm, _BUSY_PART * most_rps))
    return Profile(
        (
            Phase("steady", 1200, calm, calm),
            Phase("rise", 60, calm, crowd),
            Phase("crowd", 1200, crowd, crowd),
            Phase("fall", 600, crowd, calm),
            Phase("after", shrink_seconds + 1800, calm, calm),
        )
    )


def scaled(profile: Profile, peak_rps: float) -> Profile:
    """The same course with another peak; a load of nothing stays so."""
    peak = max(max(p.first_rps, p.last_rps) for p in profile.phases)
    factor = peak_rps / peak if peak else 1.0
    return Profile(tuple(Phase(p.name, p.seconds, factor * p.first_rps, factor * p.last_rps) for p in profile.phases))


def read(path: Path) -> Profile:
    """A trace from a CSV file with the columns `seconds` and `requests_per_second`; between rows it goes evenly.

    Raises:
        UserError: the file is no such trace.
    """
    try:
        if path.stat().st_size > BYTES_MAX:
            raise _refused(path, f"{path.stat().st_size} bytes", f"Keep it to {BYTES_MAX // 2**20} MiB.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        known = f"{DIURNAL} and {FLASH_CROWD}"
        raise UserError(
            f"there is no trace {str(path)!r}", "--trace", f"Name one of {known}, or a CSV file that exists."
        ) from None
    except IsADirectoryError:
        raise _refused(path, "a folder", "Name a CSV file.") from None
    except UnicodeDecodeError:
        raise _refused(path, "not UTF-8", "Save it as a CSV file in UTF-8.") from None
    except OSError as error:
        raise _refused(path, f"it cannot be read: {error.strerror}", "Name a readable CSV file.") from None
    try:
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except csv.Error as error:
        raise _refused(path, str(error), "Write two short numbers on each line.") from None
    if not rows or tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        raise _refused(path, f"its first line is not {','.join(COLUMNS)}", f"Begin it with `{','.join(COLUMNS)}`.")
    points = [_point(path, number, row) for number, row in enumerate(rows[1:], start=2)]
    _check(path, points)
    return Profile(
        tuple(Phase("trace", later - at, rps, next_rps) for (at, rps), (later, next_rps) in pairwise(points))
    )


def _point(path: Path, number: int, row: Sequence[str]) -> tuple[float, float]:
    where = f"line {number}: {','.join(row)[:60]!r}"
    try:
        at, rps = map(float, row)
    except ValueError:
        raise _refused(path, f"{where} is not two numbers", "Write seconds and requests a second.") from None
    if not (math.isfinite(at) and math.isfinite(rps)) or not 0 <= rps <= RPS_MAX:
        raise _refused(path, f"{where} is no rate", f"Write a rate from 0 to {RPS_MAX:,}.")
    return at, rps


def _check(path: Path, points: Sequence[tuple[float, float]]) -> None:
    if len(points) < 2:
        raise _refused(path, f"it has {len(points)} rows", "Give it two at least: where the load begins, and ends.")
    if points[0][0] != 0:
        raise _refused(path, f"it begins at {points[0][0]:g} seconds", "Let it begin at 0.")
    for number, ((at, _), (later, _)) in enumerate(pairwise(points), start=3):
        if later <= at:
            raise _refused(
                path, f"line {number} is at {later:g} seconds, after {at:g}", "Sort it by time, each time once."
            )
    if not 60 <= points[-1][0] <= SECONDS_MAX:
        allowed = f"Let it last from a minute to {SECONDS_MAX // DAY_SECONDS} days."
        raise _refused(path, f"it lasts {points[-1][0]:g} seconds", allowed)
    if not any(rps for _, rps in points):
        raise _refused(path, "it has no request", "Give it a load.")


def _refused(path: Path, what: str, remedy: str) -> UserError:
    return UserError(f"this is no trace: {what}", str(path), remedy)
