"""What the stack keeps is kept from its own roles: none of them removes it, silences it, or reads its records."""

from __future__ import annotations

from typing import Final

from common.iam.meaning import arn_covers, narrows_resource
from policies.aws_holders import DOCUMENT_TYPES, Holder, holders
from policies.buckets import receives_audit_records, s3_names
from policies.checks import PASS, failed, is_hidden, read
from policies.documents import statements
from policies.examples import Hidden, allow, document, examples, given, put, setting, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.memo import once
from policies.model import Framework, Judgement, Severity
from policies.rights import Granted, judged, reaches
from policies.tokens import CLOUDTRAIL, S3_BUCKET

family = Family("Kept from the stack's roles")

_ROLE: Final = "aws:iam/role:Role"
_ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_EVENTS: Final = "aws:cloudwatch/eventRule:EventRule"
_REMOVES: Final = (
    "s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:DeleteBucket",
    "s3:PutBucketObjectLockConfiguration", "s3:PutEncryptionConfiguration", "s3:PutBucketLogging",
    "dynamodb:DeleteTable", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateTable",
    "dynamodb:ExportTableToPointInTime", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors", "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy",
    "ecr:DeleteRepository", "ecr:BatchDeleteImage", "ecr:PutLifecyclePolicy", "ecr:PutImageTagMutability",
    "backup:DeleteBackupVault", "eks:DeleteCluster", "eks:UpdateClusterConfig", "eks:CreatePodIdentityAssociation",
    "sns:DeleteTopic",
)  # fmt: skip
"""Actions that remove what the stack keeps, or what keeps it."""
_SILENCES: Final = {
    _ALARM: ("alarm", ("cloudwatch:DisableAlarmActions", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm")),
    _EVENTS: ("rule/", ("events:DisableRule", "events:DeleteRule", "events:PutRule", "events:RemoveTargets")),
}
_RECORDS: Final = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")
_POD_WRITES: Final = (
    "s3:PutObject", "s3:DeleteObject", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem", "ecr:PutImage", "ec2:RunInstances", "ec2:TerminateInstances",
    "ec2:ModifySnapshotAttribute", "ec2:CreateTags", "ram:CreateResourceShare", "sts:AssumeRole",
    "autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup", "sns:Publish", "sqs:SendMessage", "events:PutEvents",
    "backup:StartBackupJob", "backup:StartRestoreJob",
)  # fmt: skip
"""Actions by which what a pod is made to do leaves something behind, or takes on more."""
_NARROW: Final = frozenset({"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"})
_READS: Final = allow(Action=["s3:GetObject"], Resource="arn:aws:s3:::models/*")


@family.rule(
    "aws-iam-own-records-kept",
    Severity.HIGH,
    "No role of the stack removes what the stack keeps, or silences what watches it",
    types=DOCUMENT_TYPES,
    rationale="Versions, tables, trails and alarms are there for the day on which a role of the stack is misused.",
    remedy="Leave the action to the deploy role.",
    frameworks={Framework.NIST_800_53: ("AC-6", "AU-9", "CP-9")},
    examples=lambda: examples(
        given(_ROLE_POLICY, {"policy": document(_READS)}, "writer"),
        given(CLOUDTRAIL, {"name": "calls"}, "calls"),
        given(_ALARM, {"name": "late"}, "late"),
        broken={
            "policy.Statement.1.Resource is the plan's calls with cloudtrail:StopLogging": put(
                "policy.Statement.1",
                allow(Action="cloudtrail:Stop*", Resource="arn:aws:cloudtrail:*:111122223333:trail/*"),
            ),
            "policy.Statement.1.Resource is the plan's late with cloudwatch:DisableAlarmActions": put(
                "policy.Statement.1",
                allow(Action="cloudwatch:DisableAlarmActions", Resource="arn:aws:cloudwatch:*:111122223333:alarm:*"),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": put(
                "policy.Statement.1",
                allow(Action="cloudtrail:StopLogging", Resource="arn:aws:cloudtrail:*:111122223333:trail/other"),
            )
        },
    ),
)
def own_records_kept(document_: Resource, inventory: Inventory) -> Judgement:
    if document_.urn in holders(inventory).boundaries:
        return PASS

    def judge(given: Granted, _: str) -> Judgement:
        name = _silenced(inventory, given)
        if not name:
            made = reaches(inventory, given)
            name = made.resource.name if made else ""
        found = f"the plan's {name} with {given.action}"
        return failed(f"{given.path}.Resource", found, "resources that are not the plan's") if name else PASS

    silences = (action for _, actions in _SILENCES.values() for action in actions)
    return judged(inventory, document_, (*_REMOVES, *silences), judge)


def _silenced(inventory: Inventory, given: Granted) -> str:
    """An alarm or an event rule of the plan that the action is allowed on."""
    for token, (kind, actions) in _SILENCES.items():
        if given.action not in actions:
            continue
        for each in inventory.of_type(token):
            ends = f":{kind}:{read(each, 'name')}" if kind == "alarm" else f":{kind}{read(each, 'name')}"
            service = given.action.partition(":")[0]
            account = inventory.settings.get("account")
            arn = f"arn:aws:{service}:{each.region or '*'}:{account}{ends}"
            if any(arn_covers(pattern, arn) for pattern in given.allowed.resources):
                return each.name
    return ""


@family.rule(
    "aws-iam-audit-apart",
    Severity.HIGH,
    "No role of the stack reads or writes the records of who did what",
    types=DOCUMENT_TYPES,
    rationale="Records that what they tell of can read or overwrite prove nothing, and say where to go next.",
    remedy="Name the buckets that the role is for, without a pattern that covers that of the trail.",
    frameworks={Framework.NIST_800_53: ("AU-9",)},
    examples=lambda: examples(
        given(_ROLE_POLICY, {"policy": document(_READS)}, "reader"),
        given(S3_BUCKET, {"bucket": "audit"}, "audit"),
        given(CLOUDTRAIL, {"s3BucketName": "audit"}, "calls"),
        broken={
            "policy.Statement.1.Resource is the records in audit with s3:GetObject": (
                put("policy.Statement.1", allow(Action="s3:GetObject", Resource="arn:aws:s3:::aud*/*")),
                put("policy.Statement.1", allow(Action="s3:Get*", Resource="arn:aws:s3:::audit/AWSLogs/*")),
            )
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": without(CLOUDTRAIL, "calls")},
    ),
)
def audit_apart(document_: Resource, inventory: Inventory) -> Judgement:
    buckets = once(inventory, _record_buckets)

    def judge(given: Granted, _: str) -> Judgement:
        arns = [(name, f"arn:aws:s3:::{name}/x") for name in buckets]
        covered = [
            name
            for name, arn in arns
            for pattern in given.allowed.resources
            if arn_covers(pattern, arn) or pattern.startswith(f"arn:aws:s3:::{name}/")
        ]
        found = f"the records in {covered[0]} with {given.action}" if covered else ""
        return failed(f"{given.path}.Resource", found, "buckets without records") if found else PASS

    return judged(inventory, document_, _RECORDS, judge)


def _record_buckets(inventory: Inventory) -> tuple[str, ...]:
    found = (b for b in inventory.of_type(S3_BUCKET) if receives_audit_records(b, inventory))
    return tuple(str(name) for b in found for name in s3_names(b) if not is_hidden(name))


@family.rule(
    "aws-pods-leave-nothing",
    Severity.HIGH,
    "What pods may do on AWS is to read, and to resize the cluster's own groups",
    types=DOCUMENT_TYPES,
    rationale="Pods face requests: what one of them is made to do must not stay in models, features or images, nor "
    "end in another role.",
    remedy="Give the right to a role that people or workflows take on; bind the autoscaler's to its own tag.",
    frameworks={Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(_ROLE_POLICY, {"role": "fleet", "policy": document(_READS)}, "fleet"),
        given(_ROLE, {"name": "fleet", "assumeRolePolicy": document(_pods())}, "fleet"),
        broken={
            "policy.Statement.1 is s3:PutObject for pods": put(
                "policy.Statement.1", allow(Action="s3:Put*", Resource="arn:aws:s3:::models/*")
            ),
            "policy.Statement.1 is sts:AssumeRole for pods": put(
                "policy.Statement.1", allow(Action="sts:*", Resource="arn:aws:iam::111122223333:role/publisher")
            ),
            "policy.Statement.1 is autoscaling:SetDesiredCapacity for pods": put(
                "policy.Statement.1", allow(Action="autoscaling:SetDesiredCapacity", Resource="*")
            ),
        },
        accepted={
            "": (
                put("role", "publisher"),
                put(
                    "policy.Statement.1",
                    allow(
                        Action="autoscaling:SetDesiredCapacity",
                        Resource="*",
                        Condition={"StringEquals": {"aws:ResourceTag/cluster": "owned"}},
                    ),
                ),
                setting("environment", "dev"),
            )
        },
    ),
)
def pods_leave_nothing(document_: Resource, inventory: Inventory) -> Judgement:
    def judge(given: Granted, path: str) -> Judgement:
        held = holders(inventory).by_document.get((document_.urn, path), ())
        if not any(_of_pods(holder) for holder in held):
            return PASS
        if given.action in _NARROW and narrows_resource(given.allowed.statement.conditions):
            return PASS
        return failed(given.path, f"{given.action} for pods", "rights to read")

    return judged(inventory, document_, _POD_WRITES, judge)


def _of_pods(holder: Holder) -> bool:
    if holder.resource.type != _ROLE:
        return False
    found = statements(holder.resource, "assumeRolePolicy")
    if isinstance(found, Judgement):
        return False
    return any(s.allows and "pods.eks.amazonaws.com" in s.principals for s in found)


def _pods() -> dict[str, object]:
    return allow(Principal={"Service": "pods.eks.amazonaws.com"}, Action=["sts:AssumeRole", "sts:TagSession"])
