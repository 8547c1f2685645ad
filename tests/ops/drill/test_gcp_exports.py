"""Why no export comes: the newest attempt since the seed counts, and no older one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ops.drill.gcp_exports import failure, refused

SINCE = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE, AFTER, LATER = (f"2026-11-21T{hour}:00:00Z" for hour in (11, 13, 14))
DENIED: dict[str, Any] = {"code": 7, "message": "denied"}


def export(at: str, instance: str = "features", verb: str = "export", **outcome: Any) -> dict[str, Any]:
    return {"metadata": {"verb": verb, "target": instance, "createTime": at}, **outcome}


@pytest.mark.parametrize(
    ("job", "why"),
    [
        ({"status": DENIED, "lastAttemptTime": AFTER}, "denied"),
        ({"status": {"code": 5}, "lastAttemptTime": AFTER}, "code 5"),
        ({"status": DENIED, "lastAttemptTime": BEFORE}, ""),
        ({"status": {}, "lastAttemptTime": AFTER}, ""),
        ({}, ""),
    ],
)
def test_a_refused_start_is_told(job: dict[str, Any], why: str) -> None:
    assert refused(job, SINCE) == why


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ([export(AFTER, error=DENIED)], "denied"),
        ([export(AFTER, error=DENIED), export(LATER, response={})], ""),
        ([export(AFTER, response={}), export(LATER, error=DENIED)], "denied"),
        ([export(BEFORE, error=DENIED)], ""),
        ([export(AFTER, instance="other", error=DENIED)], ""),
        ([export(AFTER, verb="import", error=DENIED)], ""),
        ([], ""),
    ],
)
def test_the_newest_failed_export_is_told(operations: list[dict[str, Any]], why: str) -> None:
    assert failure(operations, "features", SINCE) == why
