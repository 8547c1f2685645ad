"""Who reaches a bucket, and how: nobody unnamed, nobody over plain HTTP, and by one system of permissions."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from common.iam.meaning import is_vacuous
from policies.buckets import s3_companion, s3_companions
from policies.checks import PASS, all_equal, all_of, equals, failed, is_hidden, read
from policies.documents import Statement, statements
from policies.examples import Hidden, Text, allow, both, document, examples, given, put, without
from policies.family import Family
from policies.google_iam import BUCKET_GRANTS, members_named
from policies.grants import policy_names_principals
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCS_BUCKET, S3_BUCKET, S3_POLICY, S3_PUBLIC_ACCESS_BLOCK

family = Family("Access to buckets")

_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
_GCS_GRANTS = BUCKET_GRANTS
_FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_BLOCKED: dict[str, object] = dict.fromkeys(_FLAGS, True)
_NARROWS_NOTHING = (
    {"Bool": {"aws:SecureTransport": "true"}},
    {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
)


def _for_everyone(condition: Mapping[str, Any]) -> Mapping[str, Any]:
    return allow(Principal="*", Action="s3:GetObject", Resource="*", Condition=condition)


@family.rule(
    "aws-s3-public-access-blocked",
    Severity.CRITICAL,
    "S3 buckets block all public access",
    types=(S3_BUCKET,),
    rationale="One wrong policy or ACL opens a bucket to the world; the four flags make such a mistake void.",
    remedy="Add a BucketPublicAccessBlock for the bucket with all four flags true.",
    frameworks={
        Framework.AWS_FSBP: ("S3.8",),
        Framework.CHECKOV: ("CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56", "CKV2_AWS_6"),
    },
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_PUBLIC_ACCESS_BLOCK, {"bucket": "models", **_BLOCKED}),
        broken={
            "the bucket has no public access block": without(S3_PUBLIC_ACCESS_BLOCK),
            **{f"{flag} is false": put(flag, False, on=S3_PUBLIC_ACCESS_BLOCK) for flag in _BLOCKED},
        },
    ),
)
def s3_public_access_blocked(bucket: Resource, inventory: Inventory) -> Judgement:
    return s3_companion(
        bucket, inventory, S3_PUBLIC_ACCESS_BLOCK, "public access block", lambda block, _: all_equal(block, _BLOCKED)
    )


family.require(
    "gcp-gcs-public-access-prevented",
    Severity.CRITICAL,
    "Cloud Storage buckets enforce public access prevention",
    type=GCS_BUCKET,
    inputs={"publicAccessPrevention": ("enforced", "inherited")},
    rationale="One wrong binding opens a bucket to the world; prevention makes such a mistake void.",
    remedy='Set publicAccessPrevention to "enforced".',
    frameworks={Framework.CHECKOV: ("CKV_GCP_114",)},
)


@family.rule(
    "aws-s3-no-public-policy",
    Severity.CRITICAL,
    "No S3 bucket policy allows everyone",
    types=(S3_BUCKET,),
    rationale="A grant to every principal publishes models, and lets anyone replace them if it covers writes.",
    remedy="Name the principals in each Allow statement, or bind it with a condition.",
    frameworks={Framework.AWS_FSBP: ("S3.2", "S3.3"), Framework.CHECKOV: ("CKV_AWS_70",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_POLICY, {"bucket": "models", "policy": _deny_plain_http("models")}),
        broken={
            "policy.Statement.1.Principal is everyone, without a condition on who calls": (
                put("policy.Statement.1", allow(Principal="*", Action="s3:GetObject", Resource="*"), on=S3_POLICY),
                *(
                    put("policy.Statement.1", _for_everyone(condition), on=S3_POLICY)
                    for condition in _NARROWS_NOTHING
                ),
                put(
                    "policy.Statement.1",
                    allow(NotPrincipal={"AWS": "arn:aws:iam::1:root"}, Action="s3:GetObject", Resource="*"),
                    on=S3_POLICY,
                ),
            )
        },
        undecided={"policy is known only to the provider": put("policy", Hidden(), on=S3_POLICY)},
        accepted={
            "": put("policy.Statement.1", _for_everyone({"StringEquals": {"aws:SourceVpce": "vpce-1"}}), on=S3_POLICY)
        },
    ),
)
def s3_no_public_policy(bucket: Resource, inventory: Inventory) -> Judgement:
    policies = s3_companions(inventory, bucket, S3_POLICY)
    return all_of(policy_names_principals(policy, "policy") for policy in policies)


@family.rule(
    "gcp-gcs-no-public-grant",
    Severity.CRITICAL,
    "No Cloud Storage grant names everyone",
    types=_GCS_GRANTS,
    rationale="allUsers and allAuthenticatedUsers are anyone with a browser or a Google account.",
    remedy="Grant to service accounts or groups.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_28",)},
    examples=lambda: examples(
        given(
            "gcp:storage/bucketIAMBinding:BucketIAMBinding",
            {"role": "roles/browser", "members": ["serviceAccount:fleet@111122223333.iam.gserviceaccount.com"]},
        ),
        broken={
            'members is "allUsers"': put("members.1", "allUsers"),
            'members is "allAuthenticatedUsers"': put("members.0", "allAuthenticatedUsers"),
        },
        undecided={"members is known only to the provider": put("members.0", Hidden())},
    ),
)
def gcs_no_public_grant(grant: Resource, inventory: Inventory) -> Judgement:
    return members_named(grant, inventory)


@family.rule(
    "aws-s3-tls-only",
    Severity.MEDIUM,
    "S3 buckets refuse plain HTTP",
    types=(S3_BUCKET,),
    rationale="Without the denial a client may send signed requests and data in the clear.",
    remedy="Add a Deny of s3:* for everyone on the bucket and bucket/* where aws:SecureTransport is false.",
    frameworks={Framework.AWS_FSBP: ("S3.5",), Framework.CHECKOV: ("CKV_AWS_379",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(S3_POLICY, {"bucket": "models", "policy": _deny_plain_http("models")}),
        broken={
            "the bucket has no bucket policy": without(S3_POLICY),
            "policy.Statement is 0 statements, none of which denies plain HTTP": put(
                "policy.Statement", [], on=S3_POLICY
            ),
            "policy.Statement is 1 statements, none of which denies plain HTTP": (
                put("policy.Statement.0.Action", "s3:PutObject", on=S3_POLICY),
                put("policy.Statement.0.Action", "s3:GetObject", on=S3_POLICY),
                put("policy.Statement.0.Resource", "arn:aws:s3:::models", on=S3_POLICY),
                put("policy.Statement.0.Resource", "arn:aws:s3:::models/*", on=S3_POLICY),
                put("policy.Statement.0.Resource", ["arn:aws:s3:::models", "arn:aws:s3:::other/*"], on=S3_POLICY),
                put("policy.Statement.0.Principal", {"AWS": "arn:aws:iam::1:root"}, on=S3_POLICY),
                put("policy.Statement.0.Condition", {"Bool": {"aws:SecureTransport": "true"}}, on=S3_POLICY),
                put("policy.Statement.0.Condition.Bool.aws:ViaAWSService", "false", on=S3_POLICY),
                put("policy.Statement.0.Condition.StringEquals", {"aws:PrincipalTag/team": "x"}, on=S3_POLICY),
                # Public as well, which is another rule's finding.
                both(put("policy.Statement.0.Effect", "Allow", on=S3_POLICY)),
            ),
        },
        undecided={"policy is known only to the provider": put("policy", Hidden(), on=S3_POLICY)},
        accepted={"": put("policy.Statement.0.Resource", "*", on=S3_POLICY)},
    ),
)
def s3_tls_only(bucket: Resource, inventory: Inventory) -> Judgement:
    return s3_companion(bucket, inventory, S3_POLICY, "bucket policy", _policy_denies_plain_http)


def _deny_plain_http(bucket: str) -> Text:
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything, "Condition": plain}
    return document(deny)


def _policy_denies_plain_http(policy: Resource, _: Inventory) -> Judgement:
    found = statements(policy, "policy")
    if isinstance(found, Judgement):
        return found
    if any(_denies_plain_http(statement) and _about(policy, statement) for statement in found):
        return PASS
    return failed(
        "policy.Statement",
        f"{len(found)} statements, none of which denies plain HTTP",
        "a Deny of s3:* to everyone on the bucket and its objects where aws:SecureTransport is false",
    )


def _denies_plain_http(statement: Statement) -> bool:
    """Whether a statement denies everybody everything over plain HTTP, under no other condition."""
    meaning = statement.meaning
    insecure = [c for c in meaning.conditions if c.key.lower() == "aws:securetransport"]
    others = [c for c in meaning.conditions if c not in insecure and not is_vacuous(c)]
    denied = [[v.lower() for v in c.values] for c in insecure if c.operator.base == "Bool"] == [["false"]]
    everything = all(
        statement.acts_on(a) for a in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
    )
    return not statement.allows and statement.anyone and everything and denied and not others


def _about(policy: Resource, statement: Statement) -> bool:
    """Whether a statement is about the whole bucket of its policy, itself and its objects."""
    name = read(policy, "bucket")
    if isinstance(name, str) and not is_hidden(name):
        arns = (f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/any")
        return all(any(fnmatchcase(arn, pattern) for pattern in statement.resources) for arn in arns)
    buckets = [pattern for pattern in statement.resources if "/" not in pattern]
    return any(pattern.endswith("*") or f"{pattern}/*" in statement.resources for pattern in buckets)


@family.rule(
    "aws-s3-acls-disabled",
    Severity.MEDIUM,
    "S3 buckets do not use ACLs",
    types=(S3_BUCKET,),
    rationale="ACLs are a second permission system that policies cannot see; a foreign writer may own objects.",
    remedy='Add BucketOwnershipControls with the ownership "BucketOwnerEnforced".',
    frameworks={Framework.AWS_FSBP: ("S3.12",), Framework.CHECKOV: ("CKV2_AWS_65",)},
    examples=lambda: examples(
        given(S3_BUCKET, {"bucket": "models"}),
        given(_OWNERSHIP, {"bucket": "models", "rule.objectOwnership": "BucketOwnerEnforced"}),
        broken={
            "the bucket has no ownership control": without(_OWNERSHIP),
            'rule.objectOwnership is "ObjectWriter"': put("rule.objectOwnership", "ObjectWriter", on=_OWNERSHIP),
        },
    ),
)
def s3_acls_disabled(bucket: Resource, inventory: Inventory) -> Judgement:
    def enforced(ownership: Resource, _: Inventory) -> Judgement:
        return equals(ownership, "rule.objectOwnership", "BucketOwnerEnforced")

    return s3_companion(bucket, inventory, _OWNERSHIP, "ownership control", enforced)


family.require(
    "gcp-gcs-uniform-access",
    Severity.MEDIUM,
    "Cloud Storage buckets do not use ACLs",
    type=GCS_BUCKET,
    inputs={"uniformBucketLevelAccess": (True, False)},
    rationale="Object ACLs are a second permission system that a review of IAM does not see.",
    remedy="Set uniformBucketLevelAccess.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_29",)},
)
