"""Unix' cron lines, as Cloud Scheduler and Backup for GKE take them: when `30 */8 * * 1-5` comes due.

Fields as in Cloud Scheduler's page "Cron job format and time zone" (believed, 2026-11-22): five of them, Sunday is 0
or 7, and where days of the month and of the week are both named, either of them counts.
"""

from __future__ import annotations

from typing import Final

from common.aws_cron import Schedule
from common.aws_cron import parse as parse_aws

_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = 5


def parse(text: str, zone: str = "Etc/UTC") -> tuple[Schedule, ...]:
    """The schedules that a line means together: two where it names days of the month and of the week.

    Raises:
        ValueError: it is no cron line, or there is no such time zone; says why.
    """
    fields = text.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"{text!r} has not five fields")
    minutes, hours, days, months, weekdays = fields
    if any(mark in field for field in fields for mark in "?LW#"):
        raise ValueError(f"{text!r} has marks that unix' cron does not know")
    by_day = [] if days == "*" and weekdays != "*" else [(days, "?")]
    by_weekday = [] if weekdays == "*" else [("?", ",".join(_weekdays(weekdays)))]
    return tuple(
        parse_aws(f"cron({minutes} {hours} {day} {months} {weekday} *)", zone) for day, weekday in by_day + by_weekday
    )


def _weekdays(field: str) -> list[str]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = 0 if first == "*" else _weekday(first)
        end = 6 if first == "*" or (slash and not dash) else _weekday(last if dash else first)
        if slash and (not step.isdigit() or int(step) < 1):
            raise ValueError(f"{part!r} has no possible step")
        if end < begin:
            raise ValueError(f"{part!r} ends before it begins")
        found |= {day % 7 for day in range(begin, end + 1, int(step or 1))}
    return [_WEEKDAYS[day] for day in sorted(found)]


def _weekday(text: str) -> int:
    number = _WEEKDAYS.index(text.upper()) if text.upper() in _WEEKDAYS else int(text) if text.isdigit() else -1
    if not 0 <= number <= 7:
        raise ValueError(f"{text!r} is no day of the week")
    return number
