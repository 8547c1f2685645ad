"""S3 replication: in time, and into a class from which a restore takes minutes."""

from __future__ import annotations

from typing import Final

from components.contracts.recovery import RTC_MINUTES
from policies.checks import (
    all_equal,
    all_of,
    equals,
    failed,
    if_given,
    items,
    not_applicable,
    one_of,
    passed,
    read,
    unreadable,
)
from policies.examples import Hidden, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import same_region
from policies.model import Framework, Judgement, Severity
from policies.tokens import METRIC_ALARM, S3_REPLICATION

family = Family("Replication")

_AT_HAND: Final = ("STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR")
_NO_RULE: Final = "no rule of it is enabled, which is a finding of its own"
_TO: Final = "rules.0.destination"
_WATCHED: Final = {"SourceBucket": "watched", "DestinationBucket": "replica", "RuleId": "everything"}
_UNTOLD: Final = "no alarm counts the objects that everything does not copy"


@family.rule(
    "aws-s3-replicated-in-time",
    Severity.HIGH,
    "S3 replication is timed, measured, and keeps its copies at hand",
    types=(S3_REPLICATION,),
    rationale="Without time control nothing bounds the age of a copy, and an archived one is no copy within the RTO.",
    remedy="Set replicationTime and metrics with 15 minutes, and no storageClass of an archive.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(
            S3_REPLICATION,
            {
                "rules.0.status": "Enabled",
                f"{_TO}.replicationTime": {"status": "Enabled", "time": {"minutes": RTC_MINUTES}},
                f"{_TO}.metrics": {"status": "Enabled"},
            },
            "timed",
        ),
        broken={
            f"{_TO}.replicationTime.status is absent": drop(f"{_TO}.replicationTime"),
            f'{_TO}.replicationTime.status is "Disabled"': put(f"{_TO}.replicationTime.status", "Disabled"),
            f"{_TO}.metrics.status is absent": drop(f"{_TO}.metrics"),
            f'{_TO}.storageClass is "DEEP_ARCHIVE"': put(f"{_TO}.storageClass", "DEEP_ARCHIVE"),
            f'{_TO}.storageClass is "ONEZONE_IA"': put(f"{_TO}.storageClass", "ONEZONE_IA"),
        },
        undecided={"rules is known only to the provider": put("rules", Hidden())},
        accepted={_NO_RULE: put("rules.0.status", "Disabled"), "": put(f"{_TO}.storageClass", "STANDARD_IA")},
    ),
)
def s3_replicated_in_time(config: Resource, _: Inventory) -> Judgement:
    hidden = unreadable(config, "rules", "rules that are timed")
    if hidden:
        return hidden
    rules = [rule for rule in items(config, "rules") if read(config, f"{rule}.status") != "Disabled"]
    if not rules:
        return not_applicable(_NO_RULE)
    return all_of(judged for rule in rules for judged in _timed(config, f"{rule}.destination"))


def _timed(config: Resource, to: str) -> tuple[Judgement, ...]:
    path, minutes = f"{to}.storageClass", f"{to}.replicationTime.time.minutes"
    timed: dict[str, object] = {f"{to}.replicationTime.status": "Enabled", f"{to}.metrics.status": "Enabled"}
    return (
        all_equal(config, timed),
        if_given(config, minutes, lambda: equals(config, minutes, RTC_MINUTES)),
        if_given(config, path, lambda: one_of(config, path, _AT_HAND)),
    )


@family.rule(
    "aws-s3-replication-watched",
    Severity.HIGH,
    "Someone is told when objects are not replicated",
    types=(S3_REPLICATION,),
    rationale="S3 tries a failed object no second time: only a batch job copies it then, and somebody must start it.",
    remedy="Add a MetricAlarm on OperationsFailedReplication for the rule, its source and its destination.",
    frameworks={Framework.NIST_800_53: ("CP-9", "SI-4")},
    examples=lambda: examples(
        given(
            S3_REPLICATION,
            {
                "bucket": "watched",
                "rules.0.status": "Enabled",
                "rules.0.id": "everything",
                f"{_TO}.bucket": "arn:aws:s3:::replica",
            },
            "timed",
        ),
        given(
            METRIC_ALARM,
            {
                "metricName": "OperationsFailedReplication",
                "comparisonOperator": "GreaterThanThreshold",
                "threshold": 0,
                "dimensions": _WATCHED,
            },
            "replication",
        ),
        broken={
            _UNTOLD: (
                without(METRIC_ALARM, "replication"),
                put("metricName", "BytesPendingReplication", METRIC_ALARM, "replication"),
                put("threshold", 100, METRIC_ALARM, "replication"),
                put("dimensions.RuleId", "another", METRIC_ALARM, "replication"),
                put("dimensions.SourceBucket", "another", METRIC_ALARM, "replication"),
            )
        },
        accepted={_NO_RULE: put("rules.0.status", "Disabled")},
    ),
)
def s3_replication_watched(config: Resource, inventory: Inventory) -> Judgement:
    hidden = unreadable(config, "rules", "rules that are watched")
    if hidden:
        return hidden
    rules = [rule for rule in items(config, "rules") if read(config, f"{rule}.status") != "Disabled"]
    if not rules:
        return not_applicable(_NO_RULE)
    return all_of(_watched(config, inventory, rule) for rule in rules)


def _watched(config: Resource, inventory: Inventory, rule: str) -> Judgement:
    name = read(config, f"{rule}.id")
    wanted = {
        "SourceBucket": read(config, "bucket"),
        "DestinationBucket": str(read(config, f"{rule}.destination.bucket")).removeprefix("arn:aws:s3:::"),
        "RuleId": name,
    }
    for alarm in inventory.of_type(METRIC_ALARM):
        counts = (
            read(alarm, "metricName") == "OperationsFailedReplication"
            and read(alarm, "comparisonOperator") == "GreaterThanThreshold"
            and read(alarm, "threshold") in (0, "0")
        )
        # Where it is published: in the source's region (S3 user guide, "Using S3 Replication metrics": believed).
        near = same_region(alarm, config)
        if counts and near and all(read(alarm, f"dimensions.{key}") == value for key, value in wanted.items()):
            return passed()
    return failed("", f"no alarm counts the objects that {name} does not copy", "an alarm on the first one")
