"""What alarms on AWS say: in time, by the right number, and somebody hears it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from policies.checks import ABSENT, PASS, all_of, expect, failed, if_given, is_hidden, not_applicable, read, shown
from policies.examples import Hidden, Output, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.model import Framework, Judgement, Severity

family = Family("What alarms on AWS say")

_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_PLAN: Final = "aws:backup/plan:Plan"
_TOPIC: Final = "aws:sns/topic:Topic"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_MORE: Final = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")
_LESS: Final = ("LessThanThreshold", "LessThanOrEqualToThreshold")
_DAY_SECONDS: Final = 86_400
_OTHER: Final = "no alarm of which the rule knows what it should say"
_SI4: Final = {Framework.NIST_800_53: ("SI-4", "CP-9")}


@dataclass(frozen=True)
class _Says:
    """How an alarm on a metric is to be set: more than so much is bad, or too little is."""

    most: float = 0
    least: float = 0
    statistics: tuple[str, ...] = ("Sum", "SampleCount", "Maximum")

    @property
    def missing(self) -> bool:
        """Whether silence is what it waits for."""
        return self.least > 0


_KNOWN: Final[Mapping[tuple[str, str], _Says]] = {
    ("AWS/Backup", "NumberOfBackupJobsFailed"): _Says(),
    ("AWS/Backup", "NumberOfBackupJobsExpired"): _Says(),
    ("AWS/Backup", "NumberOfBackupJobsAborted"): _Says(),
    ("AWS/Backup", "NumberOfCopyJobsFailed"): _Says(),
    ("AWS/Backup", "NumberOfBackupJobsCompleted"): _Says(least=1, statistics=("Sum",)),
    ("AWS/S3", "OperationsFailedReplication"): _Says(),
    ("AWS/DynamoDB", "ReadThrottleEvents"): _Says(most=100),
}
"""Metrics by their names in the services' own guides ("AWS Backup metrics", "Amazon S3 CloudWatch metrics", "DynamoDB
metrics", believed, 2026-11-22)."""
_NEEDED: Final = ("NumberOfBackupJobsFailed", "NumberOfBackupJobsExpired", "NumberOfBackupJobsCompleted")


def _set(metric: str, **more: object) -> dict[str, object]:
    told = {"namespace": "AWS/Backup", "metricName": metric, "dimensions": {"BackupVaultName": "primary"}}
    rings = {
        "statistic": "Sum",
        "period": 3600,
        "evaluationPeriods": 1,
        "comparisonOperator": _MORE[0],
        "threshold": 0,
    }
    return {**told, **rings, **more}


_SILENT: Final = {"comparisonOperator": _LESS[0], "threshold": 1, "treatMissingData": "breaching"}


@family.rule(
    "aws-alarms-say-it",
    Severity.HIGH,
    "Alarms on backups, copies and look-ups ring at the first fault, and within a day",
    types=(_ALARM,),
    rationale="An alarm that waits for a million failures, a month, or the opposite looks like one that watches.",
    remedy="Compare in the metric's direction, with the smallest threshold, within a day; count silence as a fault "
    "where something should come.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(_ALARM, _set("NumberOfBackupJobsFailed"), "rings"),
        broken={
            "threshold is 1000000": put("threshold", 1000000),
            'comparisonOperator is "LessThanThreshold"': put("comparisonOperator", "LessThanThreshold"),
            'statistic is "Minimum"': put("statistic", "Minimum"),
            "evaluationPeriods is 700": put("evaluationPeriods", 700),
        },
        undecided={"threshold is known only to the provider": put("threshold", Hidden())},
        accepted={_OTHER: put("metricName", "Another")},
    ),
)
def alarms_say_it(alarm: Resource, _: Inventory) -> Judgement:
    says = _KNOWN.get((str(read(alarm, "namespace")), str(read(alarm, "metricName"))))
    if says is None:
        return not_applicable(_OTHER)
    operators = _LESS if says.missing else _MORE
    bound, required = (says.least, "at least") if says.missing else (says.most, "at most")

    def near(value: float) -> bool:
        return float(value) >= bound if says.missing else float(value) <= bound

    period = read(alarm, "period")
    seconds = period if isinstance(period, int | float) else _DAY_SECONDS
    silence = expect(alarm, "treatMissingData", "breaching", lambda v: v == "breaching") if says.missing else PASS
    return all_of(
        (
            expect(alarm, "comparisonOperator", " or ".join(operators), lambda v: v in operators),
            expect(alarm, "threshold", f"{required} {bound:g}", near),
            expect(alarm, "evaluationPeriods", "within a day", lambda v: float(v) * seconds <= _DAY_SECONDS),
            if_given(
                alarm, "statistic", lambda: expect(alarm, "statistic", "no least one", lambda v: v in says.statistics)
            ),
            silence,
        )
    )


@family.rule(
    "aws-backup-jobs-watched",
    Severity.HIGH,
    "Each vault that a plan writes to has alarms for jobs that fail, expire, or stay away",
    types=(_PLAN,),
    rationale="A backup that fails is noticed when it is needed, unless an alarm tells of it before.",
    remedy="Alarm on the three metrics of AWS/Backup with the vault's name in dimensions.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(_PLAN, {"rules": [{"targetVaultName": "primary"}]}, "plan"),
        *(given(_ALARM, _set(metric), metric) for metric in _NEEDED[:2]),
        given(_ALARM, _set(_NEEDED[2], **_SILENT), _NEEDED[2]),
        broken={
            f"no alarm on {metric} of primary": (
                without(_ALARM, metric),
                put("dimensions.BackupVaultName", "x", _ALARM, metric),
                put("metricName", "NumberOfBackupJobsCreated", _ALARM, metric),
            )
            for metric in _NEEDED
        },
        accepted={"": setting("environment", "dev")},
    ),
)
def backup_jobs_watched(plan: Resource, inventory: Inventory) -> Judgement:
    rules = read(plan, "rules")
    named = {str(r.get("targetVaultName")) for r in rules} if isinstance(rules, list) else set[str]()
    watched = {
        (read(alarm, "metricName"), read(alarm, "dimensions.BackupVaultName"))
        for alarm in inventory.of_type(_ALARM)
        if read(alarm, "namespace") == "AWS/Backup"
    }
    return all_of(
        failed("", f"no alarm on {metric} of {vault}", "an alarm")
        for vault in sorted(named)
        for metric in _NEEDED
        if not is_hidden(vault) and (metric, vault) not in watched
    )


@family.rule(
    "aws-alarms-heard",
    Severity.HIGH,
    "Somebody hears each topic, and all that it says",
    types=(_TOPIC, _SUBSCRIPTION),
    rationale="A topic to which nobody listens, or who listens to a part alone, is no alarm.",
    remedy="Subscribe the settings' address to the topic, without a filter.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(_TOPIC, {"name": "alerts"}, "alerts"),
        given(_SUBSCRIPTION, {"topic": Output(_TOPIC, "alerts"), "endpoint": "a@example.com"}, "alerts"),
        broken={"nobody hears the topic": without(_SUBSCRIPTION, "alerts")},
    ),
)
def alarms_heard(resource: Resource, inventory: Inventory) -> Judgement:
    if resource.type == _SUBSCRIPTION:
        path = "filterPolicy"
        value = read(resource, path)
        return PASS if value in (ABSENT, "", "{}") else failed(path, shown(value), "no filter")
    listening = inventory.of_type(_SUBSCRIPTION)
    name = read(resource, "name")
    heard = any(
        refers_to(inventory, each, "topic", resource) or str(read(each, "topic")).endswith(f":{name}")
        for each in listening
    )
    return PASS if heard else failed("", "nobody hears the topic", "a subscription")
