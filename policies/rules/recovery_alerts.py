"""Alerts on Google Cloud that tell of copies which fail: of each transfer, each export, and by the store itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from policies.checks import ABSENT, failed, is_hidden, items, passed, read, unknown
from policies.examples import Hidden, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_ALERT, SCHEDULER_JOB, TRANSFER_JOB

family = Family("Alerts of recovery")

_METRIC: Final = "storagetransfer.googleapis.com/transferjob/error_count"
_NO_EXPORT: Final = "it exports nothing"
_ERRORS: Final = re.compile(r"severity\s*>=\s*\"?(ERROR|WARNING|NOTICE|INFO|DEBUG|DEFAULT)\b")
_LESS: Final = re.compile(
    r"\bNOT\b|severity\s*(<|=[^>]|>\s*\"?(ERROR|CRITICAL))|severity\s*>=\s*\"?(CRITICAL|ALERT|EMERG)"
)
_LONGEST_S: Final = 3600.0
_SI4: Final = {Framework.NIST_800_53: ("CP-9", "SI-4")}
_AT: Final = "conditions.0.conditionThreshold"
_LOGGED: Final = "conditions.0.conditionMatchedLog.filter"


@family.rule(
    "gcp-transfer-failures-told",
    Severity.HIGH,
    "Someone is told when a transfer job fails to copy an object",
    types=(TRANSFER_JOB,),
    rationale="A job that copies all but one object runs each hour, and the replica lacks what was not copied.",
    remedy="Add an alert policy on the job's transferjob/error_count above 0.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(TRANSFER_JOB, {"name": "transferJobs/told"}, "told"),
        given(
            GCP_ALERT,
            {
                _AT: {
                    "filter": f'metric.type="{_METRIC}" AND resource.labels.job_id="told"',
                    "comparison": "COMPARISON_GT",
                    "thresholdValue": 0,
                    "duration": "0s",
                }
            },
            "errors-told",
        ),
        broken={
            "no alert counts the errors of told": (
                without(GCP_ALERT, "errors-told"),
                put(f"{_AT}.thresholdValue", 1000, GCP_ALERT, "errors-told"),
                put(f"{_AT}.comparison", "COMPARISON_LT", GCP_ALERT, "errors-told"),
                put(f"{_AT}.duration", "82800s", GCP_ALERT, "errors-told"),
                put(
                    f"{_AT}.filter",
                    f'metric.type="{_METRIC}" AND resource.labels.job_id="x"',
                    GCP_ALERT,
                    "errors-told",
                ),
            )
        },
        undecided={"name is known only to the provider": put("name", Hidden())},
    ),
)
def gcp_transfer_failures_told(job: Resource, inventory: Inventory) -> Judgement:
    name = read(job, "name")
    if is_hidden(name):
        return unknown("name", "a name that an alert counts the errors of")
    short = str(name).rpartition("/")[2]
    if _any_condition(inventory, lambda alert, at: _counts_errors(alert, f"{at}.conditionThreshold", short)):
        return passed()
    return failed("", f"no alert counts the errors of {short}", f"an alert on {_METRIC} above 0")


def _any_condition(inventory: Inventory, holds: Callable[[Resource, str], bool]) -> bool:
    return any(holds(alert, at) for alert in inventory.of_type(GCP_ALERT) for at in items(alert, "conditions"))


def _counts_errors(alert: Resource, at: str, name: str) -> bool:
    text, count = str(read(alert, f"{at}.filter")), read(alert, f"{at}.trigger.count")
    least = any(
        "MIN" in str(read(alert, f"{path}.{key}"))
        for path in items(alert, f"{at}.aggregations")
        for key in ("perSeriesAligner", "crossSeriesReducer")
    )
    return (
        _METRIC in text
        and _names(text, name)
        and read(alert, f"{at}.comparison") == "COMPARISON_GT"
        and read(alert, f"{at}.thresholdValue") in (ABSENT, 0, "0")
        and _seconds(read(alert, f"{at}.duration")) <= _LONGEST_S
        and count in (ABSENT, 1, "1")
        and not least
    )


def _seconds(value: Any) -> float:
    try:
        return float(str(value).removesuffix("s"))
    except ValueError:
        return 0.0 if value is ABSENT else float("inf")


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


@family.rule(
    "gcp-export-failures-told",
    Severity.HIGH,
    "Someone is told when an export cannot be started, or fails",
    types=(SCHEDULER_JOB,),
    rationale="A call that is refused, and an export that fails, leave a line in a log that nobody reads.",
    remedy="Add alert policies on the job's errors in the log, and on those of the store's ExportInstance.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(
            SCHEDULER_JOB,
            {
                "name": "told-export",
                "httpTarget.uri": "https://redis.googleapis.com/v1/projects/p/locations/r/instances/told-store:export",
            },
            "told",
        ),
        given(GCP_ALERT, {_LOGGED: 'resource.labels.job_id="told-export" AND severity>=ERROR'}, "start-told"),
        given(
            GCP_ALERT,
            {_LOGGED: 'methodName="ExportInstance" AND resourceName="x/instances/told-store" AND severity>=ERROR'},
            "export-told",
        ),
        broken={
            "no alert reads the errors of told-export": (
                without(GCP_ALERT, "start-told"),
                put(_LOGGED, 'resource.labels.job_id="another" AND severity>=ERROR', GCP_ALERT, "start-told"),
                put(_LOGGED, 'resource.labels.job_id="told-export" AND severity=INFO', GCP_ALERT, "start-told"),
                put(_LOGGED, 'NOT resource.labels.job_id="told-export" AND severity>=ERROR', GCP_ALERT, "start-told"),
            ),
            "no alert reads the errors of ExportInstance of told-store": without(GCP_ALERT, "export-told"),
        },
        undecided={"httpTarget.uri is known only to the provider": put("httpTarget.uri", Hidden())},
        accepted={_NO_EXPORT: put("httpTarget.uri", "https://example.googleapis.com/v1/x")},
    ),
)
def gcp_export_failures_told(job: Resource, inventory: Inventory) -> Judgement:
    uri, name = read(job, "httpTarget.uri"), read(job, "name")
    for path, value in (("httpTarget.uri", uri), ("name", name)):
        if is_hidden(value):
            return unknown(path, "what an alert can name")
    if not str(uri).endswith(":export"):
        return passed(_NO_EXPORT)
    store = str(uri).rpartition("/")[2].removesuffix(":export")
    for words in ((str(name),), ("ExportInstance", store)):
        if not _any_condition(inventory, lambda alert, at, words=words: _reads_errors(alert, at, words)):
            what = " of ".join(words)
            return failed(
                "", f"no alert reads the errors of {what}", "an alert on its log entries of severity>=ERROR"
            )
    return passed()


def _reads_errors(alert: Resource, at: str, words: tuple[str, ...]) -> bool:
    text = str(read(alert, f"{at}.conditionMatchedLog.filter"))
    pause = _seconds(read(alert, "alertStrategy.notificationRateLimit.period"))
    return (
        all(_names(text, word) for word in words)
        and _ERRORS.search(text) is not None
        and _LESS.search(text) is None
        and pause <= 24 * _LONGEST_S
    )
