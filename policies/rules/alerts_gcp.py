"""Alert policies on Google Cloud that could ring: no threshold out of reach, no wait of days, no constant query."""

from __future__ import annotations

import re
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, equals, expect, failed, if_given, items, read
from policies.examples import Hidden, both, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_ALERT

family = Family("Alerts on Google Cloud")

_THRESHOLD: Final = "conditions.0.conditionThreshold"
_QUERY: Final = "conditionPrometheusQueryLanguage"
_LONGEST_SECONDS: Final = 3600
_COUNTS: Final = re.compile(r"error_count|failed_count|failure")
_RATIOS: Final = re.compile(r"_ratio\b|utilization")
_HIGHEST_RATIO: Final = 0.95


@family.rule(
    "gcp-alerts-can-ring",
    Severity.MEDIUM,
    "Alert policies ring at the first error, before a resource is full, and within the hour",
    types=(GCP_ALERT,),
    rationale="A threshold that is never reached, or a wait of a day, is an alert that looks on and says nothing.",
    remedy="Count errors above 0 and ratios above at most 0.95, wait an hour at most, and ask for a metric.",
    frameworks={Framework.NIST_800_53: ("SI-4",)},
    examples=lambda: examples(
        given(
            GCP_ALERT,
            {
                f"{_THRESHOLD}.filter": 'metric.type="storagetransfer.googleapis.com/transferjob/error_count"',
                f"{_THRESHOLD}.comparison": "COMPARISON_GT",
                f"{_THRESHOLD}.thresholdValue": 0,
                f"{_THRESHOLD}.duration": "0s",
            },
            "notifies",
        ),
        broken={
            f"{_THRESHOLD}.thresholdValue is 1000000": put(f"{_THRESHOLD}.thresholdValue", 1000000),
            f'{_THRESHOLD}.comparison is "COMPARISON_LT"': put(f"{_THRESHOLD}.comparison", "COMPARISON_LT"),
            f'{_THRESHOLD}.duration is "86400s"': put(f"{_THRESHOLD}.duration", "86400s"),
            f"{_THRESHOLD}.thresholdValue is 1.5": both(
                put(f"{_THRESHOLD}.filter", 'metric.type="redis.googleapis.com/stats/memory/usage_ratio"'),
                put(f"{_THRESHOLD}.thresholdValue", 1.5),
            ),
        },
        undecided={
            f"{_THRESHOLD}.thresholdValue is known only to the provider": put(
                f"{_THRESHOLD}.thresholdValue", Hidden()
            )
        },
        accepted={
            "": (
                drop(f"{_THRESHOLD}.thresholdValue"),
                put(f"{_THRESHOLD}.duration", "600s"),
                both(
                    put(f"{_THRESHOLD}.filter", 'metric.type="redis.googleapis.com/stats/memory/usage_ratio"'),
                    put(f"{_THRESHOLD}.thresholdValue", 0.8),
                ),
            )
        },
    ),
)
def alerts_can_ring(alert: Resource, _: Inventory) -> Judgement:
    return all_of(
        judgement
        for condition in items(alert, "conditions")
        for judgement in (
            _threshold(alert, f"{condition}.conditionThreshold"),
            _query(alert, f"{condition}.{_QUERY}"),
        )
    )


def _threshold(alert: Resource, path: str) -> Judgement:
    if read(alert, path) is ABSENT:
        return PASS
    text = str(read(alert, f"{path}.filter"))
    value = f"{path}.thresholdValue"
    judged = [_soon(alert, path)]
    if _COUNTS.search(text) or _RATIOS.search(text):
        highest = 0.0 if _COUNTS.search(text) else _HIGHEST_RATIO
        judged.append(equals(alert, f"{path}.comparison", "COMPARISON_GT"))
        judged.append(if_given(alert, value, lambda: expect(alert, value, f"{highest:g} or less", _upto(highest))))
    return all_of(judged)


def _upto(highest: float) -> Any:
    return lambda value: float(value) <= highest


def _query(alert: Resource, path: str) -> Judgement:
    if read(alert, path) is ABSENT:
        return PASS
    metric = re.search(r"\w\s*[{\[]", str(read(alert, f"{path}.query")))
    constant = failed(f"{path}.query", "a query that asks for no metric", "a metric")
    return all_of((_soon(alert, path), PASS if metric else constant))


def _soon(alert: Resource, path: str) -> Judgement:
    duration, required = f"{path}.duration", "an hour or less"
    return if_given(
        alert,
        duration,
        lambda: expect(alert, duration, required, lambda v: float(str(v).removesuffix("s")) <= _LONGEST_SECONDS),
    )
