"""Unix' cron lines come due when cron says they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.aws_cron import longest_silence
from common.unix_cron import parse

START = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("line", "hours"),
    [
        ("0 * * * *", 1),
        ("30 */8 * * *", 8),
        ("0 0 * * *", 24),
        ("0 0 * * 0", 7 * 24),
        ("0 0 * * 7", 7 * 24),
        ("0 0 * * SUN", 7 * 24),
        ("0 0 * * 1-5", 3 * 24),
        ("0 0 * * MON-FRI", 3 * 24),
        ("0 0 * * 5-7", 5 * 24),
        ("0 0 * * */2", 2 * 24),
        ("0 0 * * 1,2,3,4,5,6", 2 * 24),
        ("0 0 1,16 * *", 16 * 24),
        ("0 0 1 * 1", 7 * 24),
    ],
)
def test_the_longest_silence_of_a_line_is_what_its_fields_say(line: str, hours: int) -> None:
    assert longest_silence(parse(line), START) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "line", ["", "* * * *", "0 0 ? * *", "0 0 L * *", "0 0 * * 8", "0 0 * * 5-2", "every 24 hours"]
)
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(line)


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse("0 0 * * *", "Mars/Olympus")
