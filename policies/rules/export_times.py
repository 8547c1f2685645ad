"""Exports on Google Cloud: taken and copied often enough, and kept, by the stack's own objectives."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Final

from components.contracts.recovery import (
    SCHEDULER_START_MINUTES,
    TRANSFER_INTERVAL_MINUTES,
    TRANSFER_RUN_MINUTES,
    export_minutes,
    hours_by_size,
)
from policies.checks import (
    ABSENT,
    all_of,
    at_least,
    failed,
    is_hidden,
    not_applicable,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, Text, examples, given, put
from policies.exports import Export, exports_of, kept_days
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.schedules import Line, silence_minutes
from policies.settings_view import SettingsView
from policies.tokens import FIRESTORE, GCS_BUCKET, REDIS, SCHEDULER_JOB

family = Family("Times of exports")

_DAY_MINUTES: Final = 1440
_CLOCK_CHANGE_MINUTES: Final = 65
_DAY_SECONDS: Final = 86_400
_NONE: Final = "no job exports it, which is a finding of its own"
_TO: Final = {"outputConfig": {"gcsDestination": {"uri": "gs://exports/all/x.rdb"}}}


@family.rule(
    "gcp-exports-often-enough",
    Severity.HIGH,
    "Exports of feature stores keep the recovery point objective, and stay as long as is promised",
    types=(REDIS, FIRESTORE),
    rationale="What was written since the newest export is lost with the region; an old mistake needs an old export.",
    remedy="Schedule the exports so that gap, start and export fit into backup.rpo_minutes, and keep them by tier.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(REDIS, {"name": "timed"}, "timed"),
        given(
            SCHEDULER_JOB,
            {
                "httpTarget.uri": "https://redis.googleapis.com/v1/projects/p/locations/r/instances/timed:export",
                "httpTarget.body": Text(_TO, lambda request: base64.b64encode(json.dumps(request).encode()).decode()),
                "schedule": "0 * * * *",
                "retryConfig.retryCount": 3,
            },
            "timed",
        ),
        given(
            GCS_BUCKET,
            {
                "name": "exports",
                "location": "europe-north1",
                "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": 35}}],
            },
            "exports",
            away=True,
        ),
        broken={
            "its exports is at most 156 min apart in the backup region": put(
                "schedule", "0 */2 * * *", SCHEDULER_JOB, "timed"
            ),
            "its exports is at most 2976 min apart in the backup region": put(
                "schedule", "0 * * * 1-5", SCHEDULER_JOB, "timed"
            ),
            "its exports is no schedule: 'hourly' has not five fields": put(
                "schedule", "hourly", SCHEDULER_JOB, "timed"
            ),
            "timed.retryConfig.retryCount is 0": put("retryConfig.retryCount", 0, SCHEDULER_JOB, "timed"),
            "its exports is no export of each week, kept 35 days": put(
                "lifecycleRules.0.condition.daysSinceNoncurrentTime", 34, GCS_BUCKET, "exports"
            ),
            "timed is kept 6 days": put(
                "lifecycleRules.0.condition.daysSinceNoncurrentTime", 6, GCS_BUCKET, "exports"
            ),
        },
        undecided={"timed.schedule is known only to the provider": put("schedule", Hidden(), SCHEDULER_JOB, "timed")},
        accepted={
            _NONE: put("paused", True, SCHEDULER_JOB, "timed"),
            "": put("timeZone", "Asia/Kolkata", SCHEDULER_JOB, "timed"),
        },
    ),
)
def gcp_exports_often_enough(store: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    exports = exports_of(inventory, store)
    if not exports:
        return not_applicable(_NONE)
    for export in exports:
        for name in ("schedule", "timeZone", "paused"):
            if is_hidden(read(export.job, name)):
                return unknown(f"{export.job.name}.{name}", "a schedule")
    kept = {
        export.job.urn: kept_days(export.bucket, export.prefix, overwritten=store.type != FIRESTORE)
        for export in exports
    }
    return all_of(
        (
            _in_time(exports, settings),
            *(_retried(export.job) for export in exports),
            *(
                failed(
                    "", f"{export.job.name} is kept {kept[export.job.urn]:g} days", f"{settings.keep_all_days} days"
                )
                for export in exports
                if kept[export.job.urn] < settings.keep_all_days
            ),
            _one_of_each(
                [e for e in exports if kept[e.job.urn] >= settings.keep_daily_days],
                "day",
                settings.keep_daily_days,
                _DAY_MINUTES,
            ),
            _one_of_each(
                [e for e in exports if kept[e.job.urn] >= settings.retention_days],
                "week",
                settings.retention_days,
                7 * _DAY_MINUTES,
            ),
        )
    )


def _line(export: Export) -> Line:
    zone = read(export.job, "timeZone")
    return Line(str(read(export.job, "schedule")), "Etc/UTC" if zone is ABSENT else str(zone), unix=True)


def _in_time(exports: Sequence[Export], settings: SettingsView) -> Judgement:
    required = f"at most {settings.rpo_minutes:g} min, the stack's own objective"
    try:
        gap = silence_minutes(map(_line, exports))
    except ValueError as error:
        return failed("its exports", f"no schedule: {error}", required)
    total = gap + SCHEDULER_START_MINUTES + export_minutes(settings.store_gib)
    if any(export.transfer for export in exports):
        total += TRANSFER_INTERVAL_MINUTES + TRANSFER_RUN_MINUTES + math.ceil(60 * hours_by_size(settings.store_gib))
    if total <= settings.rpo_minutes:
        return passed()
    return failed("its exports", f"at most {total} min apart in the backup region", required)


def _retried(job: Resource) -> Judgement:
    judged = at_least(job, "retryConfig.retryCount", 1, "attempts more")
    return (
        judged
        if not judged.problems
        else failed(f"{job.name}.{judged.problems[0].path}", judged.problems[0].found, judged.problems[0].required)
    )


def _one_of_each(exports: Sequence[Export], what: str, days: int, minutes: int) -> Judgement:
    try:
        gap = silence_minutes(map(_line, exports))
    except ValueError:
        gap = 0 if exports else None
    if gap is not None and gap <= minutes + _CLOCK_CHANGE_MINUTES:
        return passed()
    return failed("its exports", f"no export of each {what}, kept {days} days", f"one, kept {days} days")
