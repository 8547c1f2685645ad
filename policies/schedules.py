"""How long nothing comes due by a stack's schedules, whatever the day on which they are judged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from common.aws_cron import Schedule, longest_silence
from common.aws_cron import parse as parse_aws
from common.unix_cron import parse as parse_unix

_START: Final = datetime(2023, 12, 1, tzinfo=UTC)
_DAYS: Final = 460
"""A leap day, a year's end, and both changes of the clock, twice: a rule reads no clock of its own."""
_EVERY_YEAR: Final = 200


class Line(NamedTuple):
    """A schedule as a resource states it."""

    text: str
    zone: str
    unix: bool
    """Whether it is unix' cron, and not AWS'."""


def silence_minutes(lines: Iterable[Line]) -> int:
    """The longest time without anything due, by all of the lines together.

    Raises:
        ValueError: a line cannot be read, or ends in some year; says why.
    """
    return _silence(tuple(sorted(set(lines))))


@lru_cache(maxsize=1024)
def _silence(lines: tuple[Line, ...]) -> int:
    schedules = [schedule for line in lines for schedule in _schedules(line)]
    if not schedules:
        raise ValueError("nothing is ever due")
    return math.ceil(longest_silence(schedules, _START, _DAYS).total_seconds() / 60)


def _schedules(line: Line) -> tuple[Schedule, ...]:
    if line.unix:
        return parse_unix(line.text, line.zone)
    schedule = parse_aws(line.text, line.zone)
    if schedule.every is None and len(schedule.years) < _EVERY_YEAR:
        raise ValueError(f"{line.text!r} names years, and ends with them")
    return (schedule,)
