"""Runs a preflight's checks side by side and within a limit of time, so that one slow answer holds up nothing."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Final

from common.console import Steps
from ops.preflight.model import Answered, Check, Finding, Status, Unread, not_applicable, unknown

AT_ONCE: Final = 8
WHOLE_SECONDS: Final = 120.0
"""Longest that all checks together may take; each request has a shorter limit of its own."""

_Result = tuple[int, Answered | BaseException]


def run_checks(
    checks: Sequence[Check], steps: Steps, *, limit_seconds: float = WHOLE_SECONDS
) -> tuple[Answered, ...]:
    """The findings of each check, in the order of `checks`; what did not end in time is unknown.

    A check that the cloud did not let read is one unknown finding; a fault of a check's own code is one too, so
    that the others' answers are not lost with it.
    """
    results: queue.Queue[_Result] = queue.Queue()
    places = threading.Semaphore(AT_ONCE)
    begun = time.monotonic()
    for number, check in enumerate(checks):
        # Daemons: a call that hangs must not hold the command when it ends.
        threading.Thread(target=_work, args=(number, check, places, results), daemon=True).start()
    done: dict[int, Answered] = {}
    while len(done) < len(checks):
        left = limit_seconds - (time.monotonic() - begun)
        try:
            number, result = results.get(timeout=max(left, 0.001))
        except queue.Empty:
            break
        if isinstance(result, BaseException):
            raise result
        done[number] = result
        steps.note(_progress(result))
    return tuple(done.get(number, _late(check, limit_seconds)) for number, check in enumerate(checks))


def _work(number: int, check: Check, places: threading.Semaphore, results: queue.Queue[_Result]) -> None:
    with places:
        begun = time.monotonic()
        try:
            findings = answer(check)
        except BaseException as error:
            results.put((number, error))
        else:
            results.put((number, Answered(check.id, check.title, findings, time.monotonic() - begun)))


def answer(check: Check) -> tuple[Finding, ...]:
    """The findings of one check; whatever it runs into becomes an unknown one."""
    found: list[Finding] = []
    try:
        found.extend(check.find())
    except Unread as error:
        found.append(unknown(check.title, error.why, error.remedy))
    except Exception as error:
        said = f"a fault in Seawall itself: {type(error).__name__}: {error}"
        found.append(unknown(check.title, said, "Report it, with the command and this line."))
    return tuple(found) or (not_applicable(check.title, "the stack plans nothing of the kind"),)


def _late(check: Check, limit_seconds: float) -> Answered:
    said = f"no answer within {limit_seconds:.0f} s"
    late = unknown(check.title, said, "Check the network, and run the command again.")
    return Answered(check.id, check.title, (late,), limit_seconds)


def _progress(result: Answered) -> str:
    counts = {status: sum(f.status is status for f in result.findings) for status in Status}
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{result.title}: {said}  {result.seconds:.1f} s"
