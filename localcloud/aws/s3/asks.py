"""What a request to S3 asks for, in IAM's words.

Amazon S3 user guide, "Required permissions for Amazon S3 API operations", and service authorization reference,
"Actions, resources, and condition keys for Amazon S3" (believed, 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import xmltodict

from common.iam.context import Context
from localcloud.aws.asks import Ask, pass_role
from localcloud.aws.s3.call import ObjectCall
from localcloud.aws.state import AwsState

_BUCKET: Final = {
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
"""Subresource of a bucket → what its actions are called after Get and Put."""
_DELETED_BY_NAME: Final = frozenset({"policy", "website"})
"""Subresources whose deletion has an action of its own; of others it is a Put."""
_LISTS: Final = {
    "location": "GetBucketLocation",
    "uploads": "ListBucketMultipartUploads",
    "versions": "ListBucketVersions",
}
_OBJECT: Final = {
    "acl": "ObjectAcl",
    "attributes": "ObjectAttributes",
    "legal-hold": "ObjectLegalHold",
    "retention": "ObjectRetention",
    "tagging": "ObjectTagging",
}
_VERSIONED: Final = frozenset({"ObjectAcl", "ObjectAttributes", "ObjectTagging"})
"""Properties of an object that have actions of their own for a named version."""
_HEADERS: Final = (
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "if-match",
    "if-none-match",
)
"""Headers whose values are condition keys of the same name after `s3:`."""


def s3_asks(state: AwsState, call: ObjectCall, headers: Mapping[str, str], body: bytes) -> list[Ask]:
    """Rights that a request needs."""
    context = _context(call, headers)
    if not call.bucket:
        return [Ask("s3:ListAllMyBuckets", "*", context)]
    arn = f"arn:aws:s3:::{call.bucket}"
    if not call.key:
        return _of_bucket(call, arn, context, body)
    asks = [
        Ask(f"s3:{action}", f"{arn}/{call.key}", {**context, **_tags(state, call)}) for action in _of_object(call)
    ]
    source = unquote(headers.get("x-amz-copy-source", "")).lstrip("/")
    if source and call.method == "PUT":
        path, _, version = source.partition("?versionId=")
        asks.append(Ask("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{path}", context))
    if headers.get("x-amz-bypass-governance-retention", "").lower() == "true":
        asks.append(Ask("s3:BypassGovernanceRetention", f"{arn}/{call.key}", context))
    return asks


def _of_bucket(call: ObjectCall, arn: str, context: Context, body: bytes) -> list[Ask]:
    if call.method == "POST" and "delete" in call.query:
        return [
            Ask(f"s3:DeleteObject{'Version' if version else ''}", f"{arn}/{key}", context)
            for key, version in _deleted(body)
        ]
    listed = next((action for name, action in _LISTS.items() if name in call.query), "")
    if call.method in ("GET", "HEAD") and listed:
        return [Ask(f"s3:{listed}", arn, context)]
    name = next((name for name in _BUCKET if name in call.query), "")
    if not name:
        plain = {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(call.method, "ListBucket")
        return [Ask(f"s3:{plain}", arn, context)]
    verb = "Get" if call.method in ("GET", "HEAD") else "Put"
    if call.method == "DELETE" and name in _DELETED_BY_NAME:
        verb = "Delete"
    asks = [Ask(f"s3:{verb}{_BUCKET[name]}", arn, context)]
    if name == "replication" and call.method == "PUT":
        role = (xmltodict.parse(body).get("ReplicationConfiguration") or {}).get("Role")
        asks += [pass_role(str(role), "s3.amazonaws.com")] if role else []
    return asks


def _of_object(call: ObjectCall) -> list[str]:
    version = "Version" if "versionId" in call.query else ""
    if call.method == "DELETE" and "uploadId" in call.query:
        return ["AbortMultipartUpload"]
    if call.method == "GET" and "uploadId" in call.query:
        return ["ListMultipartUploadParts"]
    name = next((_OBJECT[name] for name in _OBJECT if name in call.query), "")
    if name:
        verb = {"GET": "Get", "HEAD": "Get", "DELETE": "Delete"}.get(call.method, "Put")
        of_version = version and name in _VERSIONED
        action = f"{verb}{name.replace('Object', 'ObjectVersion') if of_version else name}"
        read = f"GetObject{version}"
        return [action, read] if name == "ObjectAttributes" else [action]
    if call.method in ("GET", "HEAD"):
        return [f"GetObject{version}"]
    if call.method == "DELETE":
        return [f"DeleteObject{version}"]
    if call.method == "POST" and "restore" in call.query:
        return ["RestoreObject"]
    return ["GetObject"] if call.method == "POST" and "select" in call.query else ["PutObject"]


def _deleted(body: bytes) -> list[tuple[str, str]]:
    """(key, version) of what a DeleteObjects asks for."""
    found = ((xmltodict.parse(body) if body else {}).get("Delete") or {}).get("Object") or []
    listed = found if isinstance(found, list) else [found]
    return [(str(each.get("Key") or ""), str(each.get("VersionId") or "")) for each in listed]


def _context(call: ObjectCall, headers: Mapping[str, str]) -> Context:
    told: dict[str, Any] = {f"s3:{name}": headers.get(name) for name in _HEADERS}
    told |= {f"s3:{name}": call.query.get(name) for name in ("prefix", "delimiter", "max-keys")}
    lock = "x-amz-object-lock-"
    return {
        **told,
        "s3:VersionId": call.query.get("versionId"),
        "s3:authType": "REST-QUERY-STRING" if "X-Amz-Signature" in call.query else "REST-HEADER",
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "s3:object-lock-mode": headers.get(f"{lock}mode"),
        "s3:object-lock-retain-until-date": headers.get(f"{lock}retain-until-date"),
        "s3:object-lock-legal-hold": headers.get(f"{lock}legal-hold"),
        "s3:DataAccessPointArn": None,
        "s3:DataAccessPointAccount": None,
    }


def _tags(state: AwsState, call: ObjectCall) -> Context:
    """`s3:ExistingObjectTag/…`: the tags of the version that a request names."""
    bucket = state.bucket(call.bucket)
    versions = (bucket.keys.getlist(call.key, []) or []) if bucket is not None else []
    wanted = call.query.get("versionId")
    found: Any = next((v for v in reversed(versions) if wanted in (None, getattr(v, "version_id", None))), None)
    tags = state.backend("s3", "aws").tagger.get_tag_dict_for_resource(found.arn) if hasattr(found, "arn") else {}
    return {"s3:ExistingObjectTag/*": None, **{f"s3:ExistingObjectTag/{k}": str(v) for k, v in tags.items()}}
