"""Transfer jobs of Storage Transfer Service: they run often enough, without an end, and take nothing away."""

from __future__ import annotations

from datetime import date
from typing import Final

from components.contracts.recovery import TRANSFER_RUN_MINUTES
from policies.checks import ABSENT, all_of, equals, expect, failed, if_given, one_of, read, shown, unreadable
from policies.examples import Hidden, both, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import TRANSFER_JOB

family = Family("Times of transfers")

_WRITTEN: Final = date(2026, 11, 22)
"""A rule reads no clock: a schedule that has begun when this was written has begun."""
_OPTIONS: Final = "transferSpec.transferOptions"


@family.rule(
    "gcp-transfers-often-enough",
    Severity.HIGH,
    "Transfer jobs run often enough, without an end, and take nothing away",
    types=(TRANSFER_JOB,),
    rationale="A job that ended copies nothing and fails nowhere; one that copies deletions is no way back.",
    remedy="Repeat the job each hour without an end date, overwrite what differs, and delete nothing.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(
            TRANSFER_JOB,
            {
                "status": "ENABLED",
                "schedule.repeatInterval": "3600s",
                "schedule.scheduleStartDate": {"year": 2024, "month": 1, "day": 1},
                f"{_OPTIONS}.overwriteWhen": "DIFFERENT",
            },
            "timed",
        ),
        broken={
            'status is "DISABLED"': put("status", "DISABLED"),
            "schedule is absent": drop("schedule"),
            'schedule.repeatInterval is "7200s"': put("schedule.repeatInterval", "7200s"),
            "schedule.repeatInterval is absent": drop("schedule.repeatInterval"),
            'schedule.scheduleEndDate is {"year": 2030, "month": 1, "day": 1}': put(
                "schedule.scheduleEndDate", {"year": 2030, "month": 1, "day": 1}
            ),
            'schedule.scheduleStartDate is {"year": 2030, "month": 1, "day": 1}': put(
                "schedule.scheduleStartDate.year", 2030
            ),
            f"{_OPTIONS}.deleteObjectsUniqueInSink is true": put(f"{_OPTIONS}.deleteObjectsUniqueInSink", True),
            f"{_OPTIONS}.deleteObjectsFromSourceAfterTransfer is true": put(
                f"{_OPTIONS}.deleteObjectsFromSourceAfterTransfer", True
            ),
            f'{_OPTIONS}.overwriteWhen is "NEVER"': put(f"{_OPTIONS}.overwriteWhen", "NEVER"),
        },
        undecided={"schedule.repeatInterval is known only to the provider": put("schedule.repeatInterval", Hidden())},
        accepted={
            "": (
                drop("status"),
                put("schedule.repeatInterval", "5400s"),
                both(put("schedule.repeatInterval", "7200s"), setting("backup.rpo_minutes", 150)),
            )
        },
    ),
)
def gcp_transfers_often_enough(job: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    most = 60 * (settings.rpo_minutes - TRANSFER_RUN_MINUTES)
    hidden = unreadable(job, "schedule", "a schedule")
    if hidden:
        return hidden
    if read(job, "schedule") is ABSENT:
        return failed("schedule", "absent", "a schedule that repeats")
    interval = expect(
        job, "schedule.repeatInterval", f"at most {most:g}s", lambda v: 0 < float(str(v).removesuffix("s")) <= most
    )
    end = "schedule.scheduleEndDate"
    return all_of(
        (
            if_given(job, "status", lambda: equals(job, "status", "ENABLED")),
            interval,
            if_given(job, end, lambda: failed(end, shown(read(job, end)), "no end")),
            _begun(job),
            *(
                if_given(job, path, lambda path=path: equals(job, path, False))
                for path in (
                    f"{_OPTIONS}.deleteObjectsUniqueInSink",
                    f"{_OPTIONS}.deleteObjectsFromSourceAfterTransfer",
                )
            ),
            if_given(
                job,
                f"{_OPTIONS}.overwriteWhen",
                lambda: one_of(job, f"{_OPTIONS}.overwriteWhen", ("DIFFERENT", "ALWAYS")),
            ),
        )
    )


def _begun(job: Resource) -> Judgement:
    path = "schedule.scheduleStartDate"
    required = f"a day before {_WRITTEN}, so that it has begun"

    def past(value: dict[str, int]) -> bool:
        return date(int(value["year"]), int(value["month"]), int(value["day"])) <= _WRITTEN

    return if_given(job, path, lambda: expect(job, path, required, past))
