"""Parts of S3 buckets that stand where no other rule looks: inline, at access points, in what a policy denies."""

from __future__ import annotations

from typing import Any, Final

from common.iam.meaning import is_vacuous
from policies.buckets import s3_companion, s3_names
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    expect,
    failed,
    is_hidden,
    items,
    not_applicable,
    read,
    shown,
    unknown,
)
from policies.documents import Statement, statements
from policies.examples import Hidden, Output, document, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import refers_to
from policies.model import Framework, Judgement, Severity
from policies.tokens import S3_BUCKET, S3_ENCRYPTION, S3_LOGGING, S3_POLICY, S3_REPLICATION, VPC

family = Family("Parts of S3 buckets")

_POINT: Final = "aws:s3/accessPoint:AccessPoint"
_ACCOUNT: Final = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
_DISKS: Final = "aws:ebs/encryptionByDefault:EncryptionByDefault"
_INLINE: Final = (
    "acl", "corsRules", "grants", "lifecycleRules", "loggings", "objectLockConfiguration", "policy",
    "replicationConfiguration", "requestPayer", "serverSideEncryptionConfiguration", "versioning", "website",
)  # fmt: skip
"""Inputs of the bucket itself that its provider deprecates for resources of their own, which rules read
(registry of the AWS provider, version 7, aws.s3.Bucket, believed, 2026-11-22)."""
_NO_COPY: Final = "nothing is copied into the bucket"
_GONE: Final = ("s3:DeleteObjectVersion",)
_DENIES_NONE: Final = "no statement denies everyone s3:DeleteObjectVersion"
_AU9: Final = {Framework.NIST_800_53: ("AU-9",)}


@family.rule(
    "aws-s3-nothing-inline",
    Severity.HIGH,
    "Buckets are configured by resources of their own, not inline",
    types=(S3_BUCKET,),
    rationale="A lifecycle, a website or a list of rights within the bucket holds beside those that are judged.",
    remedy="Move it into the resource that is made for it.",
    frameworks={Framework.NIST_800_53: ("CM-6",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}, "bare"),
        broken={
            'acl is "public-read"': put("acl", "public-read"),
            'lifecycleRules is [{"enabled": true}]': put("lifecycleRules", [{"enabled": True}]),
            'website is {"indexDocument": "index.html"}': put("website", {"indexDocument": "index.html"}),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden())},
        accepted={"": put("acl", "private")},
    ),
)
def s3_nothing_inline(bucket: Resource, _: Inventory) -> Judgement:
    required = "a resource of its own"
    found = [(path, read(bucket, path)) for path in _INLINE]
    given = [(path, value) for path, value in found if value not in (ABSENT, [], {}) and (path, value) != _PRIVATE]
    return all_of(
        unknown(path, required) if is_hidden(value) else failed(path, shown(value), required) for path, value in given
    )


_PRIVATE: Final = ("acl", "private")


family.require(
    "aws-account-blocks-public",
    Severity.HIGH,
    "Where a stack sets the account's block of public access, it blocks",
    type=_ACCOUNT,
    inputs={
        "blockPublicAcls": (True, False),
        "blockPublicPolicy": (True, False),
        "ignorePublicAcls": (True, False),
        "restrictPublicBuckets": (True, False),
    },
    rationale="The account's block holds for each bucket, also for those of other stacks that forgot their own.",
    remedy="Set all four.",
    frameworks={Framework.AWS_FSBP: ("S3.1",)},
)

family.require(
    "aws-disks-encrypted-by-default",
    Severity.MEDIUM,
    "Where a stack sets the account's default for disks, it encrypts",
    type=_DISKS,
    inputs={"enabled": (True, False)},
    rationale="The default is what every disk has that names no encryption.",
    remedy="Leave enabled out, or set it.",
    frameworks={Framework.AWS_FSBP: ("EC2.7",)},
    safe_by_default=True,
)


@family.rule(
    "aws-s3-points-in-network",
    Severity.HIGH,
    "Access points of buckets are reached from a network alone",
    types=(_POINT,),
    rationale="A point is a second address of the bucket with a policy of its own; one on the internet is open to "
    "whoever has a key.",
    remedy="Name the stack's VPC in vpcConfiguration.",
    frameworks={Framework.NIST_800_53: ("AC-4", "SC-7")},
    examples=lambda: examples(
        given(_POINT, {"bucket": "models", "vpcConfiguration.vpcId": Output(VPC)}, "inside"),
        broken={"vpcConfiguration.vpcId is absent": drop("vpcConfiguration")},
        undecided={"vpcConfiguration.vpcId is known only to the provider": put("vpcConfiguration.vpcId", Hidden())},
    ),
)
def s3_points_in_network(point: Resource, inventory: Inventory) -> Judgement:
    if inventory.linked(point, "vpcConfiguration", VPC):
        return PASS
    return expect(point, "vpcConfiguration.vpcId", "the stack's VPC", bool)


@family.rule(
    "aws-s3-logs-within-stack",
    Severity.MEDIUM,
    "Access logs go to another bucket of the stack",
    types=(S3_LOGGING,),
    rationale="Logs in a bucket that nobody planned are read by whoever owns it; in the bucket itself they grow "
    "without end, and go with it.",
    remedy="Name the stack's bucket for access logs in targetBucket.",
    frameworks=_AU9,
    examples=lambda: examples(
        given(S3_LOGGING, {"bucket": "models", "targetBucket": "logs"}, "kept"),
        given(S3_BUCKET, {"bucket": "logs"}, "logs"),
        broken={
            'targetBucket is "elsewhere"': put("targetBucket", "elsewhere"),
            'targetBucket is "models"': put("targetBucket", "models"),
        },
        undecided={"targetBucket is known only to the provider": put("targetBucket", Hidden())},
    ),
)
def s3_logs_within_stack(logging: Resource, inventory: Inventory) -> Judgement:
    path, required = "targetBucket", "another bucket of the stack"
    value = read(logging, path)
    if value is not ABSENT and value == read(logging, "bucket") and not is_hidden(value):
        return failed(path, shown(value), required)
    if any(refers_to(inventory, logging, path, b, *s3_names(b)) for b in inventory.of_type(S3_BUCKET)):
        return PASS
    return unknown(path, required) if is_hidden(value) else failed(path, shown(value), required)


@family.rule(
    "aws-s3-no-client-keys",
    Severity.MEDIUM,
    "Buckets refuse objects under keys that a client keeps",
    types=(S3_ENCRYPTION,),
    rationale="What is written with a key of the writer's own is lost to everybody else: a ransom is asked so.",
    remedy='List "SSE-C" in blockedEncryptionTypes.',
    frameworks={Framework.NIST_800_53: ("SC-12",)},
    examples=lambda: examples(
        given(S3_ENCRYPTION, {"bucket": "models", "rules": [{"blockedEncryptionTypes": ["SSE-C"]}]}, "refuses"),
        broken={
            'rules.0.blockedEncryptionTypes is ["NONE"]': put("rules.0.blockedEncryptionTypes", ["NONE"]),
            "rules.0.blockedEncryptionTypes is absent": drop("rules.0.blockedEncryptionTypes"),
        },
        undecided={
            "rules.0.blockedEncryptionTypes is known only to the provider": put(
                "rules.0.blockedEncryptionTypes", Hidden()
            )
        },
    ),
)
def s3_no_client_keys(encryption: Resource, _: Inventory) -> Judgement:
    return all_of(
        expect(encryption, f"{item}.blockedEncryptionTypes", '"SSE-C" among them', lambda v: "SSE-C" in v)
        for item in items(encryption, "rules")
    )


@family.rule(
    "aws-s3-copy-keeps-versions",
    Severity.HIGH,
    "The bucket that copies go to lets nobody delete a version",
    types=(S3_BUCKET,),
    rationale="The copy is for the day on which somebody deletes: who deletes its versions too deletes all.",
    remedy="Deny everyone s3:DeleteObjectVersion on the copy's objects, without a condition.",
    frameworks={Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "copy"}, "copy"),
        given(S3_REPLICATION, {"bucket": "models", "rules": [{"destination": {"bucket": "arn:aws:s3:::copy"}}]}),
        given(S3_POLICY, {"bucket": "copy", "policy": document(_deny())}),
        broken={
            "the bucket has no bucket policy": without(S3_POLICY),
            _DENIES_NONE: (
                put("policy.Statement", [], S3_POLICY),
                put("policy.Statement.0.Action", "s3:DeleteObject", S3_POLICY),
                put("policy.Statement.0.Resource", "arn:aws:s3:::models/*", S3_POLICY),
                put("policy.Statement.0.Principal", {"AWS": "arn:aws:iam::111122223333:role/x"}, S3_POLICY),
                put("policy.Statement.0.Condition", {"Bool": {"aws:SecureTransport": "false"}}, S3_POLICY),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden(), S3_POLICY)},
        accepted={_NO_COPY: without(S3_REPLICATION)},
    ),
)
def s3_copy_keeps_versions(bucket: Resource, inventory: Inventory) -> Judgement:
    names = [f"arn:aws:s3:::{name}" for name in s3_names(bucket)]
    copied = any(
        refers_to(inventory, copy, f"{item}.destination.bucket", bucket, *names, *s3_names(bucket))
        for copy in inventory.of_type(S3_REPLICATION)
        for item in items(copy, "rules")
    )
    if not copied:
        return not_applicable(_NO_COPY)
    objects = [f"{name}/*" for name in names]

    def denies(policy: Resource, _: Inventory) -> Judgement:
        found = statements(policy, "policy")
        if isinstance(found, Judgement):
            return found
        kept = any(_denies(statement, objects) for statement in found)
        return PASS if kept else failed("", _DENIES_NONE, "a Deny for everyone on the copy's objects")

    return s3_companion(bucket, inventory, S3_POLICY, "bucket policy", denies)


def _denies(statement: Statement, objects: list[str]) -> bool:
    conditions = [c for c in statement.conditions if not is_vacuous(c)]
    everything = any(resource in ("*", *objects) for resource in statement.resources)
    whole = all(statement.acts_on(action) for action in _GONE)
    return not statement.allows and statement.anyone and whole and everything and not conditions


def _deny() -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion", "Resource": "arn:aws:s3:::copy/*"}
