"""On AWS: copies that stop and keys that go are told, in time and from afar."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from policies.checks import (
    ABSENT,
    all_equal,
    all_of,
    any_of,
    best_of,
    expect,
    failed,
    passed,
    read,
)
from policies.examples import Hidden, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import far_enough, home_region, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_PLAN, EVENT_RULE, KMS_KEY, METRIC_ALARM

family = Family("Silence on AWS")

_SILENT: dict[str, object] = {"treatMissingData": "breaching", "comparisonOperator": "LessThanThreshold"}
_AT_ONCE: dict[str, object] = {
    "comparisonOperator": "GreaterThanThreshold",
    "statistic": "Sum",
    "period": 300,
    "evaluationPeriods": 1,
}
_ENABLED = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
_COUNTED = {"namespace": "AWS/Events", "metricName": "TriggeredRules"}
_GONE = ("DisableKey", "ScheduleKeyDeletion")
_COPIES = json.dumps({"detail-type": ["Copy Job State Change"], "detail": {"state": ["COMPLETED"]}})
_CP9 = {Framework.NIST_800_53: ("CP-9", "SI-4")}


@family.rule(
    "aws-copies-watched",
    Severity.HIGH,
    "Someone is told when no recovery point reaches the backup region",
    types=(BACKUP_PLAN,),
    rationale="A plan that is disabled or forgotten fails nowhere; an alarm beside it dies with its region.",
    remedy="Alarm in the backup region on copy events that stay away for backup.rpo_minutes.",
    frameworks=_CP9,
    examples=lambda: examples(
        given(BACKUP_PLAN, {"name": "features"}),
        given(
            EVENT_RULE,
            {"name": "copies", "eventPattern": _COPIES},
            "copies",
            away=True,
        ),
        given(
            METRIC_ALARM,
            {
                **_COUNTED,
                **_SILENT,
                "dimensions.RuleName": "copies",
                "threshold": 1,
                "statistic": "Sum",
                "period": 3600,
                "evaluationPeriods": 2,
            },
            "copies",
            away=True,
        ),
        broken={
            "no alarm counts the copies that arrive": (
                without(METRIC_ALARM, "copies"),
                without(EVENT_RULE, "copies"),
                put("dimensions.RuleName", "another", METRIC_ALARM, "copies"),
                put("metricName", "FailedInvocations", METRIC_ALARM, "copies"),
                put("state", "DISABLED", EVENT_RULE, "copies"),
                put("eventPattern", '{"detail-type": ["Backup Job State Change"]}', EVENT_RULE, "copies"),
                put("eventPattern", '{"detail-type": ["Copy Job State Change"]}', EVENT_RULE, "copies"),
            ),
            'copies.treatMissingData is "notBreaching"': put(
                "treatMissingData", "notBreaching", METRIC_ALARM, "copies"
            ),
            'copies.comparisonOperator is "GreaterThanThreshold"': put(
                "comparisonOperator", "GreaterThanThreshold", METRIC_ALARM, "copies"
            ),
            "copies.evaluationPeriods is 6": put("evaluationPeriods", 6, METRIC_ALARM, "copies"),
            "copies.region is in eu-central-1, 1088 km away": setting("backup.min_distance_km", 9000),
        },
        undecided={
            "copies.evaluationPeriods is known only to the provider": put(
                "evaluationPeriods", Hidden(), METRIC_ALARM, "copies"
            )
        },
    ),
)
def copies_watched(plan: Resource, inventory: Inventory) -> Judgement:
    settings = SettingsView.of(inventory.settings)
    alarms = list(_counting(inventory, ("Copy Job State Change",)))
    if not alarms:
        return failed("", "no alarm counts the copies that arrive", "an alarm on events of the backup region")
    return best_of(_far_and_in_time(alarm, settings, home_region(plan, settings)) for alarm in alarms)


def _far_and_in_time(alarm: Resource, settings: SettingsView, home: str) -> Judgement:
    period = read(alarm, "period")
    allowed_s = 60 * settings.rpo_minutes
    judged = all_of(
        (
            all_equal(alarm, _SILENT),
            expect(
                alarm,
                "evaluationPeriods",
                f"periods that add up to at most {settings.rpo_minutes:g} min, rounded up to one",
                lambda count: int(count) > 0 and int(period) > 0 and (int(count) - 1) * int(period) < allowed_s,
            ),
            far_enough(settings, "region", home, region_in(alarm)),
        )
    )
    return replace(judged, problems=tuple(replace(p, path=f"{alarm.name}.{p.path}") for p in judged.problems))


def _counting(inventory: Inventory, words: Sequence[str], region: str = "") -> Iterable[Resource]:
    """Alarms on an event rule of their own region whose pattern has all of `words`, as one in `region` has."""
    rules = {
        (str(read(rule, "name")), region_in(rule))
        for rule in inventory.of_type(EVENT_RULE)
        if all(f'"{word}"' in _text(read(rule, "eventPattern")) for word in words)
        and not _counts_failures(_text(read(rule, "eventPattern")))
        and read(rule, "state") in (ABSENT, *_ENABLED)
    }
    for alarm in inventory.of_type(METRIC_ALARM):
        name, at = str(read(alarm, "dimensions.RuleName")), region_in(alarm)
        counts = all(read(alarm, path) == value for path, value in _COUNTED.items())
        if counts and (name, at) in rules and (name, region or at) in rules:
            yield alarm


def _counts_failures(pattern: str) -> bool:
    """Whether a pattern of AWS Backup's copies takes more than those that are complete."""
    if '"Copy Job State Change"' not in pattern:
        return False
    try:
        told: Any = json.loads(pattern)
    except json.JSONDecodeError:
        return True
    detail = told.get("detail") if isinstance(told, dict) else None
    return not isinstance(detail, dict) or detail.get("state") != ["COMPLETED"]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _soon(alarm: Resource) -> Judgement:
    """Whether an alarm is raised by the first event that it counts."""
    first = expect(alarm, "threshold", "0, or at most 1", lambda events: 0 <= float(events) <= 1)
    return all_of((passed(f"{alarm.name} counts it"), first))


@family.rule(
    "aws-keys-watched",
    Severity.HIGH,
    "Someone is told when a key is disabled or scheduled for deletion",
    types=(KMS_KEY,),
    rationale="A key that goes takes everything under it along, first silently and then for good.",
    remedy="Match DisableKey and ScheduleKeyDeletion by an event rule in the key's region, and alarm on it.",
    frameworks={Framework.AWS_FSBP: ("KMS.3",), Framework.NIST_800_53: ("SI-4",)},
    examples=lambda: examples(
        given(KMS_KEY),
        given(EVENT_RULE, {"name": "keys", "eventPattern": json.dumps({"detail": {"eventName": _GONE}})}, "keys"),
        given(
            EVENT_RULE,
            {"name": "keys", "eventPattern": json.dumps({"detail": {"eventName": _GONE}})},
            "keys-away",
            away=True,
        ),
        given(
            METRIC_ALARM, {**_COUNTED, **_AT_ONCE, "dimensions.RuleName": "keys", "threshold": 0}, "keys", away=True
        ),
        broken={
            "no alarm counts what is done to keys of eu-west-1": (
                without(METRIC_ALARM, "keys"),
                without(EVENT_RULE, "keys"),
                without(EVENT_RULE, "keys-away"),
                put("dimensions.RuleName", "another", METRIC_ALARM, "keys"),
                put("eventPattern", '{"detail": {"eventName": ["DisableKey"]}}', EVENT_RULE, "keys-away"),
            )
        },
    ),
)
def keys_watched(key: Resource, inventory: Inventory) -> Judgement:
    region = home_region(key, SettingsView.of(inventory.settings))
    required = "an alarm on an event rule that matches " + " and ".join(_GONE)
    return any_of(
        (_soon(alarm) for alarm in _counting(inventory, _GONE, region)),
        otherwise=failed("", f"no alarm counts what is done to keys of {region}", required),
    )
