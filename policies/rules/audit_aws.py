"""Audit on AWS: accesses to models and features and all connections are recorded, and the record is locked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from components.contracts.vocabulary import OptOut
from policies.buckets import (
    given_to_s3_logs,
    holds_access_logs,
    holds_audit_records,
    receives_audit_records,
    s3_companion,
)
from policies.checks import (
    all_equal,
    all_of,
    at_least,
    best_of,
    failed,
    is_hidden,
    is_masked,
    items,
    not_applicable,
    one_of,
    passed,
    read,
    unknown,
)
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, region_in
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import CLOUDTRAIL, DYNAMODB_TABLE, FLOW_LOG, S3_BUCKET, S3_OBJECT_LOCK, VPC

family = Family("Audit on AWS")

_MODE, _DAYS = "rule.defaultRetention.mode", "rule.defaultRetention.days"
_FOR_LOGS = "it holds logs: its own accesses are no one's data"
_NO_RECORDS = "no trail and no flow logs are written to it"
_NO_TRAIL = "no trail logs its data events"
_AWAY = "the network lies in the backup region: no machine runs in it before a restore"
_NO_FLOWS = "the network has no flow logs"
_S3_SELECTOR = [
    {"field": "eventCategory", "equals": ["Data"]},
    {"field": "resources.type", "equals": ["AWS::S3::Object"]},
    {"field": "resources.ARN", "startsWiths": ["arn:aws:s3:::models/"]},
]
_TABLE_SELECTOR = [
    {"field": "eventCategory", "equals": ["Data"]},
    {"field": "resources.type", "equals": ["AWS::DynamoDB::Table"]},
    {"field": "resources.ARN", "equals": ["arn:aws:dynamodb:eu-west-1:111122223333:table/features"]},
]
_TRAIL = {
    "s3BucketName": "audit",
    "isMultiRegionTrail": True,
    "enableLogFileValidation": True,
    "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/5f3c",
    "advancedEventSelectors": [{"fieldSelectors": _S3_SELECTOR}, {"fieldSelectors": _TABLE_SELECTOR}],
}
_ARN_VALUES = "advancedEventSelectors.0.fieldSelectors.2.startsWiths"


_SELECTED = frozenset(("eventCategory", "resources.type", "resources.ARN"))
"""Fields by which a selector says what it is about; every other one leaves some of its events out."""


def _selected(trail: Resource, kind: str) -> Iterator[tuple[str, str]]:
    """How a trail names resources of a type, for reads and writes alike: operator and ARN; no ARN is every one."""
    for selector in items(trail, "advancedEventSelectors"):
        listed = [read(trail, field) for field in items(trail, f"{selector}.fieldSelectors")]
        if not all(isinstance(field, Mapping) for field in listed):
            continue
        fields = {str(field.get("field")): field for field in listed}
        category, kinds = (fields.get(name, {}).get("equals") for name in ("eventCategory", "resources.type"))
        if category != ["Data"] or kinds != [kind] or not _SELECTED.issuperset(fields):
            continue
        arns = fields.get("resources.ARN", {"startsWiths": [""]})
        for operator in ("equals", "startsWiths"):
            values = arns.get(operator)
            yield from ((operator, str(value)) for value in (values if isinstance(values, list) else ()))


def _logged(inventory: Inventory, kind: str, arn: str, exact: str) -> Judgement:
    """Whether some trail logs the data events of the resource whose ARN begins as `arn`, and matches `exact`."""
    trails = tuple(inventory.of_type(CLOUDTRAIL))
    for trail in trails:
        for operator, value in _selected(trail, kind):
            if re.fullmatch(exact, value) if operator == "equals" else arn.startswith(value):
                return passed(f"{trail.name} logs them")
    path = "advancedEventSelectors"
    if any(is_masked(trail, path) or is_hidden(read(trail, path)) for trail in trails):
        return unknown(path, "a selector for it")
    return failed("", _NO_TRAIL, "a trail that logs its data events")


@family.rule(
    "aws-s3-data-events",
    Severity.MEDIUM,
    "A trail logs who reads and writes the objects of S3 buckets, in all regions",
    types=(S3_BUCKET,),
    rationale="Access logs are delivered by best effort and cannot be locked: a trail's data events can.",
    remedy="Name the bucket in an advanced event selector of a trail of all regions.",
    frameworks={Framework.AWS_FSBP: ("S3.22", "S3.23"), Framework.NIST_800_53: ("AU-12",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(CLOUDTRAIL, _TRAIL),
        broken={
            _NO_TRAIL: (
                both(without(CLOUDTRAIL), plus(given(CLOUDTRAIL, {**_TRAIL, "advancedEventSelectors": []}))),
                put(_ARN_VALUES, ["arn:aws:s3:::other/"], on=CLOUDTRAIL),
                put(
                    "advancedEventSelectors.0.fieldSelectors.3",
                    {"field": "readOnly", "equals": ["false"]},
                    on=CLOUDTRAIL,
                ),
            ),
        },
        undecided={
            "advancedEventSelectors is known only to the provider": (
                put("advancedEventSelectors", Hidden(), on=CLOUDTRAIL),
                put(f"{_ARN_VALUES}.0", Hidden(), on=CLOUDTRAIL),
            )
        },
        accepted={
            _FOR_LOGS: given_to_s3_logs("models"),
        },
    ),
)
def s3_data_events(bucket: Resource, inventory: Inventory) -> Judgement:
    if holds_access_logs(bucket, inventory) or holds_audit_records(bucket, inventory):
        return not_applicable(_FOR_LOGS)
    arn = f"arn:aws:s3:::{read(bucket, 'bucket')}/"
    return _logged(inventory, "AWS::S3::Object", arn, re.escape(arn))


@family.rule(
    "aws-dynamodb-data-events",
    Severity.MEDIUM,
    "A trail logs who reads and writes DynamoDB tables",
    types=(DYNAMODB_TABLE,),
    rationale="Without data events nobody can say who read patients' features, or changed them.",
    remedy="Name the table in an advanced event selector of a trail, or opt out of the fleet's own reads only.",
    frameworks={Framework.NIST_800_53: ("AU-12",)},
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"name": "features"}),
        given(CLOUDTRAIL, _TRAIL),
        broken={_NO_TRAIL: put("advancedEventSelectors.1.fieldSelectors.2.equals", ["x"], on=CLOUDTRAIL)},
        accepted={
            "the stack opted out of its fleet's own reads: a reason of twenty letters": setting(
                "opt_outs", {"feature_read_events": "a reason of twenty letters"}
            )
        },
    ),
)
def dynamodb_data_events(table: Resource, inventory: Inventory) -> Judgement:
    reason = SettingsView.of(inventory.settings).opt_outs.get(OptOut.FEATURE_READ_EVENTS)
    if reason:
        return not_applicable(f"the stack opted out of its fleet's own reads: {reason}")
    place = re.escape(region_in(table)) or "[a-z0-9-]+"
    exact = rf"arn:aws[a-z-]*:dynamodb:{place}:\d{{12}}:table/{re.escape(str(read(table, 'name')))}"
    return _logged(inventory, "AWS::DynamoDB::Table", "", exact)


family.require(
    "aws-trail-verifiable",
    Severity.MEDIUM,
    "Trails cover all regions and can be verified",
    type=CLOUDTRAIL,
    inputs={"isMultiRegionTrail": (True, False), "enableLogFileValidation": (True, False)},
    rationale="The copy of the models lies in another region, and a log that can be changed unseen proves nothing.",
    remedy="Set isMultiRegionTrail and enableLogFileValidation.",
    frameworks={
        Framework.AWS_FSBP: ("CloudTrail.4",),
        Framework.CHECKOV: ("CKV_AWS_36", "CKV_AWS_67"),
    },
)


@family.rule(
    "aws-vpc-flow-logs",
    Severity.MEDIUM,
    "Flow logs of the whole network go to a bucket of the stack",
    types=(VPC,),
    rationale="Flow logs say who connected, and what was turned away; in CloudWatch they cannot be locked.",
    remedy='Add a FlowLog with trafficType "ALL" and logDestinationType "s3".',
    frameworks={Framework.AWS_FSBP: ("EC2.6",), Framework.CHECKOV: ("CKV2_AWS_11",)},
    examples=lambda: examples(
        given(VPC),
        given(FLOW_LOG, {"vpcId": Output(VPC), "trafficType": "ALL", "logDestinationType": "s3"}),
        broken={
            _NO_FLOWS: without(FLOW_LOG),
            'trafficType is "REJECT"': put("trafficType", "REJECT", on=FLOW_LOG),
            'logDestinationType is "cloud-watch-logs"': put("logDestinationType", "cloud-watch-logs", on=FLOW_LOG),
            "logDestinationType is absent": drop("logDestinationType", on=FLOW_LOG),
        },
        accepted={_AWAY: setting("backup.region", "eu-west-1")},
    ),
)
def vpc_flow_logs(vpc: Resource, inventory: Inventory) -> Judgement:
    if region_in(vpc) == SettingsView.of(inventory.settings).backup_region:
        return not_applicable(_AWAY)
    wanted = {"trafficType": "ALL", "logDestinationType": "s3"}
    logs = companions(inventory, vpc, "vpcId", (), FLOW_LOG)
    return best_of(all_equal(log, wanted) for log in logs) if logs else failed("", _NO_FLOWS, "flow logs of it")


@family.rule(
    "aws-audit-records-locked",
    Severity.HIGH,
    "What trails and flow logs write is locked for as long as logs are kept",
    types=(S3_BUCKET,),
    rationale="Whoever breaks in removes the traces first: a lock leaves them until their time is over.",
    remedy='Add a BucketObjectLockConfiguration for log_retention_days, in production with the mode "COMPLIANCE".',
    frameworks={Framework.NIST_800_53: ("AU-9", "AU-11"), Framework.CHECKOV: ("CKV_AWS_143",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "audit"}, "audit"),
        given(CLOUDTRAIL, _TRAIL),
        given(S3_OBJECT_LOCK, {"bucket": "audit", _MODE: "COMPLIANCE", _DAYS: 365}),
        broken={
            "the bucket has no object lock": without(S3_OBJECT_LOCK),
            f'{_MODE} is "GOVERNANCE"': put(_MODE, "GOVERNANCE", on=S3_OBJECT_LOCK),
            f"{_DAYS} is 89": put(_DAYS, 89, on=S3_OBJECT_LOCK),
        },
        accepted={
            _NO_RECORDS: put("s3BucketName", "other", on=CLOUDTRAIL),
            "": both(setting("environment", "dev"), put(_MODE, "GOVERNANCE", on=S3_OBJECT_LOCK)),
        },
    ),
)
def audit_records_locked(bucket: Resource, inventory: Inventory) -> Judgement:
    if not receives_audit_records(bucket, inventory):
        return not_applicable(_NO_RECORDS)
    settings = SettingsView.of(inventory.settings)
    modes = ("COMPLIANCE",) if settings.production else ("COMPLIANCE", "GOVERNANCE")

    def locked(lock: Resource, _: Inventory) -> Judgement:
        return all_of((one_of(lock, _MODE, modes), at_least(lock, _DAYS, settings.log_retention_days, "days")))

    return s3_companion(bucket, inventory, S3_OBJECT_LOCK, "object lock", locked)
