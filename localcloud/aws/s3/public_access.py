"""What S3 refuses for the public's sake: public policies and ACLs where they are blocked, ACLs where they are off.

Amazon S3 user guide, "Blocking public access to your Amazon S3 storage" and "Controlling ownership of objects and
disabling ACLs for your bucket" (believed, 2026-11-21). A public policy that is already there is made ineffective by
`is_restricted`. Of the account's own block nothing is known here: it is only recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.iam import Policy, PolicyError, parse
from common.iam.public import is_public
from localcloud.aws.answers import Answer, s3_error
from localcloud.aws.iam.linked import missing_principal
from localcloud.aws.s3.call import ObjectCall
from localcloud.aws.state import AwsState

_PUBLIC_ACLS: Final = frozenset({"public-read", "public-read-write", "authenticated-read"})
_OWNERS_ACLS: Final = frozenset({"private", "bucket-owner-full-control"})
_GROUPS: Final = ("http://acs.amazonaws.com/groups/global/AllUsers", "AuthenticatedUsers")
_GRANTS: Final = ("x-amz-grant-read", "x-amz-grant-write", "x-amz-grant-full-control", "x-amz-grant-read-acp")


def refusal(state: AwsState, call: ObjectCall, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Why S3 refuses a policy or an ACL; None for any other request."""
    bucket, resource = state.bucket(call.bucket), f"/{call.bucket}/{call.key}".rstrip("/")
    if bucket is None or call.method not in ("PUT", "POST"):
        return None
    if "policy" in call.query and not call.key:
        return _policy(state, bucket, body, resource)
    acl = headers.get("x-amz-acl", "")
    grants = " ".join(headers.get(name, "") for name in _GRANTS) + (
        body.decode("utf-8", "replace") if "acl" in call.query else ""
    )
    if not acl and not grants.strip():
        return None
    if _acls_are_off(bucket) and acl not in _OWNERS_ACLS:
        text = "The bucket does not allow ACLs"
        return s3_error("400 Bad Request", "AccessControlListNotSupported", text, resource)
    public = acl in _PUBLIC_ACLS or any(group in grants for group in _GROUPS)
    if public and _flag(bucket, "block_public_acls"):
        return s3_error(
            "403 Forbidden", "AccessDenied", "public ACLs are prevented by the BlockPublicAcls setting", resource
        )
    return None


def is_restricted(bucket: Any, policy: Policy) -> bool:
    """Whether a bucket's policy is public and its block leaves it to AWS services and the own account alone."""
    return _flag(bucket, "restrict_public_buckets") and is_public(policy)


def _policy(state: AwsState, bucket: Any, body: bytes, resource: str) -> Answer | None:
    try:
        policy = parse(body)
    except PolicyError as e:
        return s3_error("400 Bad Request", "MalformedPolicy", str(e), resource)
    absent = missing_principal(state, body.decode())
    if absent:
        return s3_error("400 Bad Request", "MalformedPolicy", f"Invalid principal in policy: {absent}", resource)
    if _flag(bucket, "block_public_policy") and is_public(policy):
        text = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access"
        return s3_error("403 Forbidden", "AccessDenied", text, resource)
    return None


def _flag(bucket: Any, name: str) -> bool:
    block = bucket.public_access_block
    return block is not None and str(getattr(block, name)).lower() == "true"


def _acls_are_off(bucket: Any) -> bool:
    """Object ownership is `BucketOwnerEnforced`, the default since 2023."""
    return bucket.ownership_rule in (None, "BucketOwnerEnforced")
