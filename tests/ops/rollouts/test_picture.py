"""What the picture of a canary shows: the shares, the failed checks, and that a promoted release has all requests."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from ops.rollouts.picture import picture
from ops.rollouts.record import Check, Moment, Record

HALT = "Halt risk.serving advancement error-percent 34.10 > 1"
BAD = Record(
    "canary",
    "1.0.0",
    "1.0.1",
    "failing & slow",
    "rolled back",
    20.0,
    [
        Moment(0.0, {"primary": 100, "canary": 0}, "Progressing"),
        Moment(5.0, {"primary": 80, "canary": 20}, "Progressing"),
        Moment(15.0, {"primary": 100, "canary": 0}, "Failed"),
    ],
    [Check(9.0, "error-percent", 34.1), Check(9.1, "p99-ms", 20.0), Check(13.0, "error-percent", 0.5)],
    [HALT],
)
GOOD = replace(
    BAD,
    fault="",
    verdict="promoted",
    moments=[*BAD.moments[:2], Moment(10.0, {"primary": 100, "canary": 0}, "Finalising")],
    reasons=[],
)


def test_it_is_a_drawing_whatever_a_release_is_called() -> None:
    for records in ([], [BAD], [BAD, GOOD], [Record("canary", "a", "<b>")]):
        ET.fromstring(picture(records))  # noqa: S314 - our own


def test_shares_and_reasons_are_written_on_it() -> None:
    drawn = picture([BAD])
    assert ">20 %<" in drawn and "34.10 &gt; 1" in drawn and "rolled back" in drawn


def test_a_check_that_failed_differs_from_one_that_passed() -> None:
    dots = re.findall(r'r="4" fill="(#[0-9a-f]+)"><title>([^<]+)', picture([BAD]))
    assert len(dots) == 2, "figures of one check are one dot"
    assert dots[0][0] != dots[1][0] and dots[0][1].startswith("error-percent 34.1")


def test_a_promoted_release_has_all_requests_in_the_end() -> None:
    def highest(record: Record) -> float:
        (points,) = re.findall(r'<polygon points="([^"]+)"', picture([record]))
        return min(float(point.partition(",")[2]) for point in points.split())

    assert highest(GOOD) < highest(BAD)
