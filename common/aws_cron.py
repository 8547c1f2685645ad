"""AWS' schedule expressions: when `cron(0 5 ? * MON *)` and `rate(12 hours)` come due, and for how long nothing is.

Fields and their marks as in the Amazon EventBridge user guide, "Cron expressions reference" (believed, 2026-11-21);
AWS Backup's API reference points to it for `ScheduleExpression`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_DAYS: Final = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_UNITS: Final = {"minute": 1, "hour": 60, "day": 1440}
_SATURDAY, _SUNDAY = 6, 7
_LAST_YEAR: Final = 2199


@dataclass(frozen=True)
class Schedule:
    """When something comes due; made by `parse`."""

    every: timedelta | None
    """Set for a rate."""
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: str = "*"
    months: frozenset[int] = frozenset()
    weekdays: str = "?"
    years: frozenset[int] = frozenset()
    zone: ZoneInfo | None = None

    def times(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Every time after `start` and up to `end`, in order; both must have a zone, and UTC comes back."""
        if self.every is not None:
            at = start + self.every
            while at <= end:
                yield at.astimezone(UTC)
                at += self.every
            return
        zone = self.zone or UTC
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        while day <= last:
            if day.year in self.years and day.month in self.months and self._has(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                        if start < at <= end:
                            yield at.astimezone(UTC)
            day += timedelta(days=1)

    def _has(self, day: date) -> bool:
        if self.days != "?":
            return any(_is_day_of_month(part, day) for part in self.days.split(","))
        return any(_is_weekday(part, day) for part in self.weekdays.split(","))


def parse(text: str, zone: str = "Etc/UTC") -> Schedule:
    """The schedule that an expression means.

    Raises:
        ValueError: it is none, or there is no such time zone; says why.
    """
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text.strip())
    if rate:
        if int(rate[1]) < 1:
            raise ValueError(f"{text!r} never comes due")
        return Schedule(timedelta(minutes=int(rate[1]) * _UNITS[rate[2]]))
    cron = re.fullmatch(r"cron\((.*)\)", text.strip())
    fields = cron[1].split() if cron else []
    if len(fields) != 6:
        raise ValueError(f"{text!r} is neither cron(…) with six fields nor rate(…)")
    minutes, hours, days, months, weekdays, years = (field.upper() for field in fields)
    if (days == "?") == (weekdays == "?"):
        raise ValueError(f"{text!r} must have ? for the day of the month or for the weekday, and not for both")
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone {zone!r}") from None
    _check_days(days, weekdays)
    return Schedule(
        None,
        tuple(sorted(_numbers(minutes, 0, 59))),
        tuple(sorted(_numbers(hours, 0, 23))),
        days,
        frozenset(_numbers(months, 1, 12, _MONTHS)),
        weekdays,
        frozenset(_numbers(years, 1970, _LAST_YEAR)),
        known,
    )


def longest_silence(schedules: Iterable[Schedule], start: datetime, days: int = 400) -> timedelta:
    """The longest time without anything due, from `start` on for so many days, by all schedules together."""
    end = start + timedelta(days=days)
    due = sorted({at for schedule in schedules for at in schedule.times(start, end)})
    marks = [start, *due, end]
    return max(later - earlier for earlier, later in pairwise(marks))


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = low if first == "*" else _number(first, low, high, names or {})
        finish = _number(last, low, high, names or {}) if dash else (high if first == "*" or step else begin)
        if step and (not step.isdigit() or int(step) < 1):
            raise ValueError(f"{part!r} has no possible step")
        found |= set(range(begin, finish + 1, int(step or 1)))
    return found


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text, int(text) if text.isdigit() else -1)
    if not low <= value <= high:
        raise ValueError(f"{text!r} is not from {low} to {high}")
    return value


def _check_days(days: str, weekdays: str) -> None:
    sample = date(2024, 1, 1)
    judge = partial(_is_weekday, day=sample) if days == "?" else partial(_is_day_of_month, day=sample)
    for part in (weekdays if days == "?" else days).split(","):
        judge(part)


def _is_day_of_month(part: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if part == "L":
        return day.day == last
    if part == "LW" or part.endswith("W"):
        wanted = last if part == "LW" else min(_number(part[:-1], 1, 31, {}), last)
        return day == _nearest_workday(day.replace(day=wanted))
    return day.day in _numbers(part, 1, 31)


def _nearest_workday(day: date) -> date:
    """In the same month."""
    if day.isoweekday() == _SATURDAY:
        return day + timedelta(days=-1 if day.day > 1 else 2)
    if day.isoweekday() == _SUNDAY:
        is_last = day.day == calendar.monthrange(day.year, day.month)[1]
        return day + timedelta(days=-2 if is_last else 1)
    return day


def _is_weekday(part: str, day: date) -> bool:
    weekday = day.isoweekday() % 7 + 1  # 1 is Sunday
    if part == "L":
        return weekday == _DAYS["SAT"]
    if "#" in part:
        wanted, _, nth = part.partition("#")
        return weekday == _number(wanted, 1, 7, _DAYS) and (day.day + 6) // 7 == _number(nth, 1, 5, {})
    if part.endswith("L"):
        is_last = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return weekday == _number(part[:-1], 1, 7, _DAYS) and is_last
    return weekday in _numbers(part, 1, 7, _DAYS)
