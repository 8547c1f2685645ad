"""Checks side by side: a slow, a refused or a faulty one becomes one unknown finding and takes nothing with it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest

from common.console import Steps
from ops.preflight.model import Check, Finding, Report, Status, Unread, missing, ok
from ops.preflight.report import as_text
from ops.preflight.runner import AT_ONCE, run_checks


def good() -> list[Finding]:
    return [ok("a thing", "there")]


def test_what_does_not_answer_in_time_is_unknown_and_the_rest_is_told(steps: Steps) -> None:
    never = threading.Event()

    def hang() -> list[Finding]:
        never.wait()
        return []

    answered = run_checks([Check("zones", "slow", hang), Check("zones", "good", good)], steps, limit_seconds=0.3)
    never.set()
    assert [[f.status for f in check.findings] for check in answered] == [[Status.UNKNOWN], [Status.OK]]
    assert "no answer within" in answered[0].findings[0].detail


def test_a_refusal_halfway_keeps_what_was_found_before(steps: Steps) -> None:
    def half() -> Iterator[Finding]:
        yield ok("first", "there")
        raise Unread("eks:DescribeCluster is denied", "Allow it.")

    (check,) = run_checks([Check("zones", "half", half)], steps)
    assert [(f.subject, f.status) for f in check.findings] == [("first", Status.OK), ("half", Status.UNKNOWN)]


def test_a_fault_in_one_check_is_told_and_loses_no_other(steps: Steps) -> None:
    def fault() -> list[Finding]:
        raise KeyError("answer")

    answered = run_checks([Check("zones", "faulty", fault), Check("zones", "good", good)], steps)
    told = answered[0].findings[0]
    assert (told.status, answered[1].findings[0].status) == (Status.UNKNOWN, Status.OK)
    assert told.detail.startswith("a fault in Seawall itself: KeyError")


def test_a_check_that_finds_nothing_to_ask_says_so(steps: Steps) -> None:
    (check,) = run_checks([Check("zones", "zones", list)], steps)
    assert [f.status for f in check.findings] == [Status.NOT_APPLICABLE]


def test_answers_keep_the_order_of_the_questions(steps: Steps) -> None:
    titles = [f"check {number}" for number in range(3 * AT_ONCE)]
    answered = run_checks([Check("zones", title, good) for title in titles], steps)
    assert [check.title for check in answered] == titles


def test_progress_says_how_each_check_ended(steps: Steps, printed: io.StringIO) -> None:
    run_checks([Check("zones", "quotas", lambda: [ok("a", "x"), missing("b", "y", "Do it.")])], steps)
    assert "quotas: 1 ok, 1 missing" in printed.getvalue()


@pytest.mark.parametrize("status", [Status.MISSING, Status.UNKNOWN])
def test_what_is_missing_or_unknown_needs_a_remedy(status: Status) -> None:
    with pytest.raises(ValueError, match="without a remedy"):
        Finding("a", status, "b")


def report_of(*findings: Finding) -> Report:
    from ops.preflight.model import Answered

    return Report("dev-aws", "111122223333", "me", (Answered("zones", "things", findings, 0.1),))


UNKNOWN = Finding("a", Status.UNKNOWN, "denied", "Allow it.")


@pytest.mark.parametrize(
    ("finding", "strict", "lenient"),
    [
        (ok("a", "there"), 0, 0),
        (Finding("a", Status.NOT_APPLICABLE, "later"), 0, 0),
        (missing("a", "gone", "Make it."), 1, 1),
        (UNKNOWN, 1, 0),
    ],
)
def test_unknown_counts_as_found_unless_it_is_allowed(finding: Finding, strict: int, lenient: int) -> None:
    report = report_of(finding)
    assert (report.exit_code(allow_unknown=False), report.exit_code(allow_unknown=True)) == (strict, lenient)


def test_the_text_names_each_remedy_once_with_all_it_helps() -> None:
    text = as_text(report_of(UNKNOWN, Finding("b", Status.UNKNOWN, "denied", "Allow it.")))
    assert text.count("Allow it.") == 1
    assert "? a, b" in text
    assert "NOT READY" in text
