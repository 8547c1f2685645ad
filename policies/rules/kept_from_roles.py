"""What the stack keeps is kept from its roles: none removes it, silences it, reads its records or shares it."""

from __future__ import annotations

from typing import Final

from common.iam.meaning import arn_covers, narrows_resource
from common.permissions.dangers import DATA, LETS_DATA_OUT
from policies.aws_holders import DOCUMENT_TYPES
from policies.buckets import holds_access_logs, receives_audit_records, s3_names
from policies.checks import PASS, failed, is_hidden, shown
from policies.examples import Hidden, allow, document, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.rights import Granted, judged_grants, kept_from
from policies.tokens import CLOUDTRAIL, IAM_ROLE_POLICY, METRIC_ALARM, S3_BUCKET

family = Family("Kept from the stack's roles")

_KEEPS: Final = (
    "s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:DeleteBucket",
    "s3:PutBucketObjectLockConfiguration", "s3:BypassGovernanceRetention", "s3:PutEncryptionConfiguration",
    "dynamodb:DeleteTable", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive", "dynamodb:UpdateTable",
    "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors",
    "logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy",
    "ecr:DeleteRepository", "ecr:BatchDeleteImage", "ecr:PutLifecyclePolicy", "ecr:PutImageTagMutability",
    "backup:DeleteBackupVault", "backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle",
    "backup:DeleteBackupVaultLockConfiguration", "eks:DeleteCluster", "eks:UpdateClusterConfig",
    "cloudwatch:DisableAlarmActions", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState", "events:DisableRule", "events:DeleteRule", "events:PutRule", "events:RemoveTargets",
    "sns:DeleteTopic",
)  # fmt: skip
"""Actions that remove what the stack keeps, or what keeps or watches it; who reaches it is another rule's."""
_RECORDS: Final = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject")
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
        given(IAM_ROLE_POLICY, {"policy": document(_READS)}, "writer"),
        given(CLOUDTRAIL, {"name": "calls-of-all", "enableLogging": False}, "calls-of-all"),
        given(METRIC_ALARM, {"name": "late-copy"}, "late-copy"),
        broken={
            "policy.Statement.1.Resource is the plan's calls-of-all with cloudtrail:StopLogging": put(
                "policy.Statement.1",
                allow(Action="cloudtrail:Stop*", Resource="arn:aws:cloudtrail:*:111122223333:trail/calls-of-*"),
            ),
            "policy.Statement.1.Resource is the plan's late-copy with cloudwatch:DisableAlarmActions": put(
                "policy.Statement.1",
                allow(
                    Action="cloudwatch:DisableAlarmActions",
                    Resource="arn:aws:cloudwatch:*:111122223333:alarm:late-*",
                ),
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
    def judge(given: Granted, _: str) -> Judgement:
        return PASS if given.allowed.widest and given.action in DATA else kept_from(inventory, given)

    return judged_grants(inventory, document_, _KEEPS, judge)


@family.rule(
    "aws-iam-audit-apart",
    Severity.HIGH,
    "No role of the stack reads or writes the records of who did what",
    types=DOCUMENT_TYPES,
    rationale="Records that what they tell of can read or overwrite prove nothing, and say where to go next.",
    remedy="Name the buckets that the role is for, without a pattern that covers that of the trail.",
    frameworks={Framework.NIST_800_53: ("AU-9",)},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"policy": document(_READS)}, "reader"),
        given(S3_BUCKET, {"bucket": "who-did-what"}, "who-did-what"),
        given(CLOUDTRAIL, {"s3BucketName": "who-did-what", "enableLogging": False}, "who-did-what"),
        broken={
            "policy.Statement.1.Resource is the records in who-did-what with s3:GetObject": (
                put("policy.Statement.1", allow(Action="s3:GetObject", Resource="arn:aws:s3:::who-*/*")),
                put("policy.Statement.1", allow(Action="s3:GetObject", Resource="arn:aws:s3:::who-did-w*")),
                put("policy.Statement.1", allow(Action="s3:Get*", Resource="arn:aws:s3:::who-did-what/AWSLogs/*")),
            ),
            "policy.Statement.1.Resource is the records in who-did-what with s3:DeleteObject": put(
                "policy.Statement.1", allow(Action="s3:Delete?bject", Resource="arn:aws:s3:::who-did-what/*")
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": (
                without(CLOUDTRAIL, "who-did-what"),
                put("policy.Statement.1", allow(Action="s3:GetObject", Resource="arn:aws:s3:::who-did-what")),
                put("policy.Statement.1", allow(Action="s3:GetObject", Resource="arn:aws:s3:::models-*/*")),
            )
        },
    ),
)
def audit_apart(document_: Resource, inventory: Inventory) -> Judgement:
    buckets = inventory.derived(_record_buckets)

    def judge(given: Granted, _: str) -> Judgement:
        if given.allowed.widest:
            return PASS
        patterns = given.allowed.resources
        name = next((n for n in buckets if any(_holds_objects_of(pattern, n) for pattern in patterns)), "")
        found = f"the records in {name} with {given.action}"
        return failed(f"{given.path}.Resource", found, "buckets without records") if name else PASS

    return judged_grants(inventory, document_, _RECORDS, judge)


def _holds_objects_of(pattern: str, bucket: str) -> bool:
    """Whether a pattern of `Resource` covers some of a bucket's objects."""
    within = "/" in pattern or "*" in pattern
    return within and arn_covers(pattern.split("/", 1)[0], f"arn:aws:s3:::{bucket}")


def _record_buckets(inventory: Inventory) -> tuple[str, ...]:
    found = (
        bucket
        for bucket in inventory.of_type(S3_BUCKET)
        if receives_audit_records(bucket, inventory) or holds_access_logs(bucket, inventory)
    )
    return tuple(
        name for bucket in found for name in s3_names(bucket) if isinstance(name, str) and not is_hidden(name)
    )


@family.rule(
    "aws-iam-shares-named",
    Severity.HIGH,
    "No role of the stack shares or copies what it is not given by name",
    types=DOCUMENT_TYPES,
    rationale="One call shares every disk, table or image with another account, and no policy of the data says so.",
    remedy="Leave the action out, or name the ARNs that it is for.",
    frameworks={Framework.NIST_800_53: ("AC-4", "AC-6")},
    examples=lambda: examples(
        given(IAM_ROLE_POLICY, {"policy": document(_READS)}, "shares-nothing"),
        broken={
            f'policy.Statement.1.Resource is "*" with {action}, which {LETS_DATA_OUT[action]}': put(
                "policy.Statement.1", allow(Action=pattern, Resource="*")
            )
            for action, pattern in {
                "ec2:ModifySnapshotAttribute": "ec2:Modify?napshotAttribute",
                "ram:CreateResourceShare": "ram:CreateResourceShare",
                "dynamodb:ExportTableToPointInTime": "dynamodb:Export*",
                "logs:PutSubscriptionFilter": "LOGS:PutSubscriptionFilter",
            }.items()
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={
            "": put(
                "policy.Statement.1",
                allow(
                    Action="backup:StartCopyJob",
                    Resource="*",
                    Condition={"StringEquals": {"aws:ResourceTag/team": "serving"}},
                ),
            )
        },
    ),
)
def shares_named(document_: Resource, inventory: Inventory) -> Judgement:
    def judge(given: Granted, _: str) -> Judgement:
        widest = given.allowed.widest
        if not widest or narrows_resource(given.allowed.statement.conditions):
            return PASS
        found = f"{shown(widest)} with {given.action}, which {LETS_DATA_OUT[given.action]}"
        return failed(f"{given.path}.Resource", found, "the ARNs of what it is for")

    return judged_grants(inventory, document_, LETS_DATA_OUT, judge)
