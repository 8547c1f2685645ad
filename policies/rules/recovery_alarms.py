"""Alarms on AWS that tell of a recovery in danger: they are there, and ring in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import ABSENT, all_of, equals, expect, failed, is_hidden, items, one_of, passed, read, unknown
from policies.examples import Output, both, examples, given, plus, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import refers_to, same_region
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_PLAN, BACKUP_SELECTION, BACKUP_VAULT, METRIC_ALARM, S3_REPLICATION

family = Family("Alarms of recovery")

_BACKUP, _S3, _EVENTS = "AWS/Backup", "AWS/S3", "AWS/Events"
_FAILURES: Final = ("NumberOfBackupJobsFailed", "NumberOfBackupJobsExpired", "NumberOfCopyJobsFailed")
_COMPLETED: Final = "NumberOfBackupJobsCompleted"
_LATENCY: Final = "ReplicationLatency"
_OTHER: Final = "it counts nothing of a recovery"
_NOBODY: Final = "the settings name nobody to tell"
_SI4: Final = {Framework.NIST_800_53: ("CP-9", "SI-4")}


@family.rule(
    "aws-recovery-alarms-in-time",
    Severity.HIGH,
    "Alarms on backups and replicas ring at the first failure, and at a silence as long as the objective",
    types=(METRIC_ALARM,),
    rationale="An alarm with a threshold that nothing reaches, or that takes silence for health, never rings.",
    remedy="Let failures ring above 0, and completions below 1, missing data breaching, within backup.rpo_minutes.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(
            METRIC_ALARM,
            {
                "namespace": _BACKUP,
                "metricName": _COMPLETED,
                "comparisonOperator": "LessThanThreshold",
                "threshold": 1,
                "statistic": "Sum",
                "period": 3600,
                "evaluationPeriods": 5,
                "treatMissingData": "breaching",
                "dimensions": {"BackupVaultName": "points"},
            },
            "stays-away",
        ),
        given(BACKUP_VAULT, {"name": "points"}, "points"),
        broken={
            'treatMissingData is "notBreaching"': put("treatMissingData", "notBreaching"),
            'comparisonOperator is "GreaterThanThreshold"': put("comparisonOperator", "GreaterThanThreshold"),
            "threshold is 0": put("threshold", 0),
            "evaluationPeriods is 48": put("evaluationPeriods", 48),
            'statistic is "Minimum"': put("statistic", "Minimum"),
            'dimensions.BackupVaultName is "another"': put("dimensions.BackupVaultName", "another"),
            "threshold is 1": put("metricName", _FAILURES[0]),
        },
        accepted={_OTHER: put("namespace", "AWS/EC2")},
    ),
)
def aws_recovery_alarms_in_time(alarm: Resource, inventory: Inventory) -> Judgement:
    for path in ("namespace", "metricName"):
        if is_hidden(read(alarm, path)):
            return unknown(path, "what the alarm counts")
    kind = _kind(alarm)
    if kind == "":
        return passed(_OTHER)
    settings = SettingsView.of(inventory.settings)
    judged = {"silence": _silence, "failure": _failure, "latency": _late}[kind](alarm, settings)
    return all_of((*judged, *_of_a_vault(alarm, inventory)))


def _kind(alarm: Resource) -> str:
    """What an alarm counts: failures, a silence, or how late copies are; empty for anything else."""
    space, metric = read(alarm, "namespace"), read(alarm, "metricName")
    if space == _BACKUP and metric in _FAILURES:
        return "failure"
    if space == _BACKUP and metric == _COMPLETED:
        return "silence"
    if space == _S3 and metric == "OperationsFailedReplication":
        return "failure"
    if space == _S3 and metric == _LATENCY:
        return "silence" if read(alarm, "statistic") == "SampleCount" else "latency"
    if space == _EVENTS and metric == "TriggeredRules":
        return "silence" if read(alarm, "comparisonOperator") == "LessThanThreshold" else "failure"
    return ""


def _silence(alarm: Resource, settings: SettingsView) -> tuple[Judgement, ...]:
    period, allowed_s = read(alarm, "period"), 60 * settings.rpo_minutes
    return (
        equals(alarm, "comparisonOperator", "LessThanThreshold"),
        expect(alarm, "threshold", "1", lambda count: 0 < float(count) <= 1),
        equals(alarm, "treatMissingData", "breaching"),
        one_of(alarm, "statistic", ("Sum", "SampleCount")),
        expect(
            alarm,
            "evaluationPeriods",
            f"periods that add up to at most {settings.rpo_minutes:g} min, rounded up to one",
            lambda count: int(count) > 0 and int(period) > 0 and (int(count) - 1) * int(period) < allowed_s,
        ),
    )


def _failure(alarm: Resource, settings: SettingsView) -> tuple[Judgement, ...]:
    at = read(alarm, "comparisonOperator")
    most = 1 if at == "GreaterThanOrEqualToThreshold" else 0
    return (
        one_of(alarm, "comparisonOperator", ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")),
        expect(alarm, "threshold", f"{most}: the first one", lambda count: 0 <= float(count) <= most),
        one_of(alarm, "statistic", ("Sum", "Maximum")),
        *_at_once(alarm, settings),
    )


def _late(alarm: Resource, settings: SettingsView) -> tuple[Judgement, ...]:
    allowed_s = 60 * settings.rpo_minutes
    return (
        one_of(alarm, "comparisonOperator", ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")),
        expect(alarm, "threshold", f"at most {allowed_s:g} s", lambda seconds: 0 < float(seconds) <= allowed_s),
        equals(alarm, "statistic", "Maximum"),
        *_at_once(alarm, settings),
    )


def _at_once(alarm: Resource, settings: SettingsView) -> tuple[Judgement, ...]:
    points = read(alarm, "datapointsToAlarm")
    path = "evaluationPeriods" if points is ABSENT else "datapointsToAlarm"
    allowed_s = 60 * settings.rpo_minutes
    return (
        expect(alarm, path, "1: the first period", lambda count: int(count) == 1),
        expect(alarm, "period", f"at most {allowed_s:g} s", lambda seconds: 0 < float(seconds) <= allowed_s),
    )


def _of_a_vault(alarm: Resource, inventory: Inventory) -> Iterator[Judgement]:
    if read(alarm, "namespace") == _BACKUP:
        near = [read(vault, "name") for vault in inventory.of_type(BACKUP_VAULT) if same_region(vault, alarm)]
        yield expect(alarm, "dimensions.BackupVaultName", "a vault of the alarm's region", lambda name: name in near)


@family.rule(
    "aws-recovery-alarms-there",
    Severity.HIGH,
    "Backups and replicas that fail, expire or stay away are each counted by an alarm",
    types=(BACKUP_SELECTION, S3_REPLICATION),
    rationale="What nobody counts fails for weeks, and is found when it is needed.",
    remedy="Keep an alarm on each of the metrics, in the region where AWS counts it.",
    frameworks=_SI4,
    examples=lambda: examples(
        given(BACKUP_SELECTION, {"planId": Output(BACKUP_PLAN, "counted")}, "counted"),
        given(BACKUP_PLAN, {"rules.0.targetVaultName": "points"}, "counted"),
        broken={
            f"no alarm counts {_FAILURES[0]} of points": both(
                setting("monitoring", {"alert_email": "team@example.com"}),
                plus(given(METRIC_ALARM, {"namespace": _BACKUP}, "one")),
            )
        },
    ),
)
def aws_recovery_alarms_there(subject: Resource, inventory: Inventory) -> Judgement:
    monitoring = inventory.settings.get("monitoring")
    if not isinstance(monitoring, Mapping) or not monitoring.get("alert_email") or not _counts_any(inventory):
        return passed(_NOBODY)
    if subject.type == S3_REPLICATION:
        return all_of(_replica(subject, inventory))
    plans = [plan for plan in inventory.of_type(BACKUP_PLAN) if refers_to(inventory, subject, "planId", plan)]
    vaults = {str(read(plan, f"{rule}.targetVaultName")) for plan in plans for rule in items(plan, "rules")}
    return all_of(
        _counted(inventory, _BACKUP, metric, {"BackupVaultName": vault}, vault)
        for vault in sorted(vaults)
        for metric in (*_FAILURES, _COMPLETED)
    )


def _counts_any(inventory: Inventory) -> bool:
    return any(read(alarm, "namespace") in (_BACKUP, _S3) for alarm in inventory.of_type(METRIC_ALARM))


def _replica(config: Resource, inventory: Inventory) -> Iterator[Judgement]:
    for rule in items(config, "rules"):
        if read(config, f"{rule}.status") != "Disabled":
            name, target = read(config, f"{rule}.id"), str(read(config, f"{rule}.destination.bucket"))
            wanted = {"RuleId": name, "DestinationBucket": target.removeprefix("arn:aws:s3:::")}
            for statistic in ("SampleCount", "Maximum"):
                yield _counted(inventory, _S3, _LATENCY, wanted, f"{name}, by {statistic}", statistic)


def _counted(
    inventory: Inventory, space: str, metric: str, wanted: Mapping[str, object], of: str, statistic: str = ""
) -> Judgement:
    for alarm in inventory.of_type(METRIC_ALARM):
        if (
            read(alarm, "namespace") == space
            and read(alarm, "metricName") == metric
            and statistic in ("", read(alarm, "statistic"))
            and all(read(alarm, f"dimensions.{key}") == value for key, value in wanted.items())
        ):
            return passed()
    return failed("", f"no alarm counts {metric} of {of}", "an alarm on it")
