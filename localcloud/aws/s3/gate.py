"""What S3 does around moto's: refused keys, wrong checksums, log targets, replication."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import xmltodict

from localcloud.aws.answers import Answer, Application, Environ, StartResponse, headers_of, read_body, run, s3_error
from localcloud.aws.s3 import bucket_policy, integrity
from localcloud.aws.s3.replicator import Replicator, status_of
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

_SUBRESOURCES = frozenset(
    {"acl", "tagging", "legal-hold", "retention", "torrent", "attributes", "restore", "select", "policy"}
)


@dataclass(frozen=True)
class ObjectCall:
    """A call on one S3 object; `query` holds the flags and values of the query string."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]

    @staticmethod
    def of(environ: Mapping[str, Any]) -> ObjectCall:
        """From a path-style request, the only style that reaches a loopback address."""
        bucket, _, key = str(environ["PATH_INFO"]).lstrip("/").partition("/")
        # WSGI hands the path over as latin-1.
        key = key.encode("latin-1").decode("utf-8", errors="replace")
        query = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).items()}
        return ObjectCall(environ["REQUEST_METHOD"], bucket, key, query)

    @property
    def is_data(self) -> bool:
        """Whether it carries an object's bytes, and not a property of an object."""
        return bool(self.key) and not self._has(_SUBRESOURCES)

    def _has(self, names: Iterable[str]) -> bool:
        return any(name in self.query for name in names)


class S3Gate:
    """S3 with what moto lacks before and after it."""

    def __init__(self, state: AwsState, moto: Application) -> None:
        bucket_policy.install()
        self._state = state
        self._moto = moto
        self._conditional = Lock()
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
        refusal = self.before(call, headers_of(environ), body)
        if refusal:
            return refusal.send(start_response)
        is_conditional = call.method in ("PUT", "POST") and {"if-match", "if-none-match"} & headers_of(environ).keys()
        # Moto compares and writes in two steps, and its server has many threads.
        with self._conditional if is_conditional else nullcontext():
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

    def before(self, call: ObjectCall, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Refuse what S3 refuses and moto lets through."""
        if not call.is_data:
            return None
        if call.method == "GET" and "uploadId" not in call.query:
            return self._unreadable(call.bucket, call.key, call.query.get("versionId"))
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
            refused = self._unreadable(bucket, key, version or None)
            if refused:
                return refused
        return self._unwritable(call, headers)

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

    def _unreadable(self, bucket_name: str, key: str, version_id: str | None) -> Answer | None:
        version = self._version(bucket_name, key, version_id)
        bucket = self._state.bucket(bucket_name)
        if bucket is None or not str(getattr(version, "encryption", "")).startswith("aws:kms"):
            return None
        return self._refused_key(getattr(version, "kms_key_id", None), bucket.region_name, f"/{bucket_name}/{key}")

    def _unwritable(self, call: ObjectCall, headers: Mapping[str, str]) -> Answer | None:
        bucket = self._state.bucket(call.bucket)
        if bucket is None:
            return None
        rule = ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
        algorithm = headers.get("x-amz-server-side-encryption") or rule.get("SSEAlgorithm") or ""
        if not algorithm.startswith("aws:kms"):
            return None
        key_id = headers.get("x-amz-server-side-encryption-aws-kms-key-id") or rule.get("KMSMasterKeyID")
        return self._refused_key(key_id, bucket.region_name, f"/{call.bucket}/{call.key}")

    def _refused_key(self, key_id: str | None, region: str, resource: str) -> Answer | None:
        if not key_id:
            return None  # AWS's own key
        key = self._state.key(key_id, region)
        if key is None:
            code, text = "KMS.NotFoundException", f"Key '{key_id}' does not exist"
        elif key.key_state == "Disabled":
            code, text = "KMS.DisabledException", f"{key.arn} is disabled."
        elif key.key_state != "Enabled":
            code, text = "KMS.KMSInvalidStateException", f"{key.arn} is pending deletion."
        else:
            return None
        return s3_error("400 Bad Request", code, text, resource)


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
