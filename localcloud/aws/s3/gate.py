"""What S3 does around moto's: refused keys, wrong checksums, log targets, replication."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import xmltodict

from localcloud.aws.answers import Answer, Application, Environ, StartResponse, headers_of, read_body, run, s3_error
from localcloud.aws.iam.door import CALLER, DENIED
from localcloud.aws.iam.judge import Caller, Judge, key_context
from localcloud.aws.s3 import integrity, public_access
from localcloud.aws.s3.call import ObjectCall
from localcloud.aws.s3.replicator import Replicator, status_of
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision


class S3Gate:
    """S3 with what moto lacks before and after it."""

    def __init__(self, state: AwsState, moto: Application, judge: Judge) -> None:
        _leave_permissions_to_the_door()
        self._state = state
        self._moto = moto
        self._judge = judge
        self.replicator = Replicator(state)

    def call(self, environ: Environ, _region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        call = ObjectCall.of(environ)
        if call.method == "GET" and not call.key and "replication" in call.query:
            told = self._replication_xml(call.bucket)
            if told is not None:
                return Answer("200 OK", "application/xml", told).send(start_response)
        body = read_body(environ) if call.method in ("PUT", "POST") else b""
        if call.method == "PUT" and not call.key and "logging" in call.query:
            return self.put_logging(call, body).send(start_response)
        if not call.key:
            refusal = self._changed(call, body)
            if refusal:
                return refusal.send(start_response)
        refusal = self.before(call, headers_of(environ), body, environ[CALLER])
        if refusal:
            return refusal.send(start_response)
        _denied.set(environ.get(DENIED, frozenset()))
        status, headers, chunks = run(self._moto, environ)
        start_response(status, [*headers, *self.after(call, status).items()])
        return chunks

    def _changed(self, call: ObjectCall, body: bytes) -> Answer | None:
        """Refuse a change of versions or replication that S3 refuses."""
        allowed = self.replicator.may_change(call.method, call.bucket, call.query, body)
        if allowed:
            return None
        wrong = "409 Conflict", "InvalidBucketState"
        status, code = wrong if "versioning" in call.query else ("400 Bad Request", "InvalidRequest")
        return s3_error(status, code, allowed.reason, f"/{call.bucket}")

    def _replication_xml(self, bucket_name: str) -> bytes | None:
        """The whole configuration; moto's own answer leaves half of it out."""
        bucket = self._state.bucket(bucket_name)
        configuration = getattr(bucket, "replication", None)
        return xmltodict.unparse({"ReplicationConfiguration": configuration}).encode() if configuration else None

    def before(self, call: ObjectCall, headers: Mapping[str, str], body: bytes, caller: Caller) -> Answer | None:
        """Refuse what S3 refuses and moto lets through."""
        public = public_access.refusal(self._state, call, headers, body)
        if public or not call.is_data:
            return public
        if call.method == "GET" and "uploadId" not in call.query:
            return self._unreadable(caller, call.bucket, call.key, call.query.get("versionId"))
        if call.method not in ("PUT", "POST"):
            return None
        wrong = integrity.check(headers, body)
        if wrong:
            return s3_error("400 Bad Request", wrong.code, wrong.message, f"/{call.bucket}/{call.key}")
        upload, bucket = call.query.get("uploadId"), self._state.bucket(call.bucket)
        if upload and bucket is not None and upload not in bucket.multiparts:  # moto's own answer is a 500 (5.2.5)
            message = "The specified multipart upload does not exist. It may have been aborted or completed."
            return s3_error("404 Not Found", "NoSuchUpload", message, f"/{call.bucket}/{call.key}")
        source = headers.get("x-amz-copy-source")
        if source:
            bucket, _, rest = source.lstrip("/").partition("/")
            key, _, version = rest.partition("?versionId=")
            refused = self._unreadable(caller, bucket, key, version or None)
            if refused:
                return refused
        return self._unwritable(caller, call, headers)

    def put_logging(self, call: ObjectCall, body: bytes) -> Answer:
        """PutBucketLogging; moto's own fails on a policy of the target bucket that names every principal."""
        bucket = self._state.bucket(call.bucket)
        resource = f"/{call.bucket}"
        if bucket is None:
            return s3_error("404 Not Found", "NoSuchBucket", "The specified bucket does not exist", resource)
        asked = ((xmltodict.parse(body).get("BucketLoggingStatus")) or {}).get("LoggingEnabled")
        decision = logging_allowed(asked, self._state.bucket((asked or {}).get("TargetBucket", "")), bucket)
        if not decision:
            return s3_error("400 Bad Request", "InvalidTargetBucketForLogging", decision.reason, resource)
        bucket.logging = {**asked, "TargetPrefix": asked.get("TargetPrefix") or ""} if asked else {}
        return Answer("200 OK", "application/xml", b"")

    def after(self, call: ObjectCall, status: str) -> dict[str, str]:
        """Note a write for replication; headers to add to the answer."""
        if not status.startswith("2"):
            return {}
        if call.method in ("GET", "HEAD") and call.is_data:
            found = status_of(self._version(call.bucket, call.key, call.query.get("versionId")))
            return {"x-amz-replication-status": found} if found else {}
        is_write = call.method in ("PUT", "POST", "DELETE") and call.is_data
        is_part = "partNumber" in call.query or "uploads" in call.query
        if is_write and not is_part and "versionId" not in call.query:
            self.replicator.written(call.bucket, call.key)
        elif call.method == "POST" and not call.key and "delete" in call.query:
            self.replicator.written(call.bucket, None)
        return {}

    def _version(self, bucket_name: str, key: str, version_id: str | None) -> Any:
        bucket = self._state.bucket(bucket_name)
        versions = bucket.keys.getlist(key, []) if bucket else []
        if version_id is None:
            return versions[-1] if versions else None
        return next((v for v in versions if v.version_id == version_id), None)

    def _unreadable(self, caller: Caller, bucket_name: str, key: str, version_id: str | None) -> Answer | None:
        version = self._version(bucket_name, key, version_id)
        bucket = self._state.bucket(bucket_name)
        if bucket is None or not str(getattr(version, "encryption", "")).startswith("aws:kms"):
            return None
        use = KeyUse(
            getattr(version, "kms_key_id", None),
            bucket.region_name,
            f"{bucket_name}/{key}",
            bool(getattr(version, "bucket_key_enabled", False)),
            ("kms:Decrypt",),
        )
        return self._refused_key(caller, use)

    def _unwritable(self, caller: Caller, call: ObjectCall, headers: Mapping[str, str]) -> Answer | None:
        bucket = self._state.bucket(call.bucket)
        if bucket is None:
            return None
        default = (bucket.encryption or {}).get("Rule") or {}
        rule = default.get("ApplyServerSideEncryptionByDefault") or {}
        algorithm = headers.get("x-amz-server-side-encryption") or rule.get("SSEAlgorithm") or ""
        if not algorithm.startswith("aws:kms"):
            return None
        key_id = headers.get("x-amz-server-side-encryption-aws-kms-key-id") or rule.get("KMSMasterKeyID")
        with_bucket_key = headers.get("x-amz-server-side-encryption-bucket-key-enabled") or default.get(
            "BucketKeyEnabled"
        )
        # The parts of an upload are decrypted and put together (S3 user guide, "Multipart upload API and
        # permissions", awsdocs/amazon-s3-userguide of 2023-06, read 2026-11-21).
        in_parts = "uploads" in call.query or "uploadId" in call.query
        actions = ("kms:GenerateDataKey", "kms:Decrypt") if in_parts else ("kms:GenerateDataKey",)
        is_on = str(with_bucket_key).lower() == "true"
        use = KeyUse(key_id, bucket.region_name, f"{call.bucket}/{call.key}", is_on, actions)
        return self._refused_key(caller, use)

    def _refused_key(self, caller: Caller, use: KeyUse) -> Answer | None:
        if not use.key_id:
            return None  # AWS's own key
        key, resource = self._state.key(use.key_id, use.region), f"/{use.path}"
        if key is None:
            return s3_error(
                "400 Bad Request", "KMS.NotFoundException", f"Key '{use.key_id}' does not exist", resource
            )
        # The caller's rights come first, as at KMS.
        told = key_context("s3", use.region, {"aws:s3:arn": f"arn:aws:s3:::{use.protects}"})
        for action in use.actions:
            decision = self._judge.decide(caller, action, key.arn, told)
            if not decision:
                return s3_error("403 Forbidden", "AccessDenied", decision.reason, resource)
        if key.key_state == "Disabled":
            return s3_error("400 Bad Request", "KMS.DisabledException", f"{key.arn} is disabled.", resource)
        if key.key_state != "Enabled":
            text = f"{key.arn} is pending deletion."
            return s3_error("400 Bad Request", "KMS.KMSInvalidStateException", text, resource)
        return None


@dataclass(frozen=True)
class KeyUse:
    """What S3 asks of KMS in a caller's name."""

    key_id: str | None
    region: str
    path: str
    """`BUCKET/KEY`."""
    has_bucket_key: bool
    actions: tuple[str, ...]

    @property
    def protects(self) -> str:
        """What the encryption context names: the bucket where it has a bucket key, else the object."""
        return self.path.partition("/")[0] if self.has_bucket_key else self.path


_denied: ContextVar[frozenset[str]] = ContextVar("denied", default=frozenset())


def _leave_permissions_to_the_door() -> None:
    """Keep moto from judging bucket policies, whose conditions it does not read; but let it leave out of a request
    to delete several objects those that the caller may not delete."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        del self, action
        return PermissionResult.DENIED if resource in _denied.get() else PermissionResult.PERMITTED

    FakeBucket.get_permission = get_permission


def logging_allowed(asked: Mapping[str, Any] | None, target: Any, source: Any) -> Decision:
    """Whether S3 accepts a target for access logs: it exists, is in the same region, and admits the log service."""
    if not asked:
        return Decision(True, "logging is turned off")
    if target is None:
        return Decision(False, "The target bucket for logging does not exist.")
    if target.region_name != source.region_name:
        return Decision(False, f"The target bucket is in {target.region_name}, not in {source.region_name}.")
    policy = json.loads(target.policy or b"{}")
    wanted = f"arn:aws:s3:::{target.name}/{asked.get('TargetPrefix') or ''}"
    for statement in policy.get("Statement") or []:
        principal = statement.get("Principal")
        services = _listed(principal.get("Service")) if isinstance(principal, Mapping) else []
        if (
            statement.get("Effect") == "Allow"
            and "logging.s3.amazonaws.com" in services
            and "s3:PutObject" in _listed(statement.get("Action"))
            and any(fnmatch.fnmatchcase(wanted, pattern) for pattern in _listed(statement.get("Resource")))
        ):
            return Decision(True, "the target's policy admits the log service")
    return Decision(False, "The target bucket's policy does not let logging.s3.amazonaws.com put objects.")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []
