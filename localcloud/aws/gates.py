"""What the emulator does around moto's S3, DynamoDB and KMS: disabled keys, wrong checksums, replication."""

from __future__ import annotations

import base64
import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import xmltodict

from localcloud.aws.backup.plans import Decision
from localcloud.aws.s3 import integrity
from localcloud.aws.s3.replicator import Replicator, status_of
from localcloud.aws.state import AwsState

_SUBRESOURCES = frozenset(
    {"acl", "tagging", "legal-hold", "retention", "torrent", "attributes", "restore", "select", "policy"}
)
_TABLE_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"}
)
_CRYPTOGRAPHY = frozenset(
    {"Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign"}
)
_KEY_ID_BYTES = 36
_TABLE_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})


@dataclass(frozen=True)
class Refusal:
    """An answer in place of moto's."""

    status: str
    content_type: str
    body: bytes


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
    """Checks before and after moto's S3."""

    def __init__(self, state: AwsState, replicator: Replicator) -> None:
        self._state = state
        self._replicator = replicator

    def before(self, call: ObjectCall, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        """Refuse what S3 refuses and moto lets through."""
        if not call.is_data:
            return None
        if call.method == "GET" and "uploadId" not in call.query:
            return self._unreadable(call.bucket, call.key, call.query.get("versionId"))
        if call.method not in ("PUT", "POST"):
            return None
        wrong = integrity.check(headers, body)
        if wrong:
            return _s3_error("400 Bad Request", wrong.code, wrong.message, f"/{call.bucket}/{call.key}")
        source = headers.get("x-amz-copy-source")
        if source:
            bucket, _, rest = source.lstrip("/").partition("/")
            key, _, version = rest.partition("?versionId=")
            refused = self._unreadable(bucket, key, version or None)
            if refused:
                return refused
        return self._unwritable(call, headers)

    def put_logging(self, call: ObjectCall, body: bytes) -> Refusal:
        """PutBucketLogging; moto's own fails on a policy of the target bucket that names every principal."""
        bucket = self._state.bucket(call.bucket)
        resource = f"/{call.bucket}"
        if bucket is None:
            return _s3_error("404 Not Found", "NoSuchBucket", "The specified bucket does not exist", resource)
        asked = ((xmltodict.parse(body).get("BucketLoggingStatus")) or {}).get("LoggingEnabled")
        decision = logging_allowed(asked, self._state.bucket((asked or {}).get("TargetBucket", "")), bucket)
        if not decision:
            return _s3_error("400 Bad Request", "InvalidTargetBucketForLogging", decision.reason, resource)
        bucket.logging = {**asked, "TargetPrefix": asked.get("TargetPrefix") or ""} if asked else {}
        return Refusal("200 OK", "application/xml", b"")

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
            self._replicator.written(call.bucket, call.key)
        elif call.method == "POST" and not call.key and "delete" in call.query:
            self._replicator.written(call.bucket, None)
        return {}

    def _version(self, bucket_name: str, key: str, version_id: str | None) -> Any:
        bucket = self._state.bucket(bucket_name)
        versions = bucket.keys.getlist(key, []) if bucket else []
        if version_id is None:
            return versions[-1] if versions else None
        return next((v for v in versions if v.version_id == version_id), None)

    def _unreadable(self, bucket_name: str, key: str, version_id: str | None) -> Refusal | None:
        version = self._version(bucket_name, key, version_id)
        bucket = self._state.bucket(bucket_name)
        if bucket is None or not str(getattr(version, "encryption", "")).startswith("aws:kms"):
            return None
        return self._refused_key(getattr(version, "kms_key_id", None), bucket.region_name, f"/{bucket_name}/{key}")

    def _unwritable(self, call: ObjectCall, headers: Mapping[str, str]) -> Refusal | None:
        bucket = self._state.bucket(call.bucket)
        if bucket is None:
            return None
        rule = ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
        algorithm = headers.get("x-amz-server-side-encryption") or rule.get("SSEAlgorithm") or ""
        if not algorithm.startswith("aws:kms"):
            return None
        key_id = headers.get("x-amz-server-side-encryption-aws-kms-key-id") or rule.get("KMSMasterKeyID")
        return self._refused_key(key_id, bucket.region_name, f"/{call.bucket}/{call.key}")

    def _refused_key(self, key_id: str | None, region: str, resource: str) -> Refusal | None:
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
        return _s3_error("400 Bad Request", code, text, resource)


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


class DynamoGate:
    """Checks before and after moto's DynamoDB."""

    def __init__(self, state: AwsState) -> None:
        self._state = state

    def before(self, operation: str, region: str, body: bytes) -> Refusal | None:
        """Refuse to read or write a table whose key cannot be used."""
        if operation not in _TABLE_READS | _TABLE_WRITES:
            return None
        for name in tables_of(body):
            table = self._state.table(region, name)
            if table is not None and self.is_locked_out(table, region):
                return _json_error(
                    "com.amazon.coral.service#AccessDeniedException",
                    f"KMS key access denied error: the key of table {table.name} is not enabled.",
                )
        return None

    def is_locked_out(self, table: Any, region: str) -> bool:
        """Whether the table's customer-managed key is not enabled, or gone."""
        key_id = (table.sse_specification or {}).get("KMSMasterKeyId")
        if not key_id:
            return False
        key = self._state.key(key_id, region)
        return key is None or key.key_state != "Enabled"

    def after(self, operation: str, region: str, body: bytes, status: str, written_at: float) -> None:
        """Note when a table was written to, for the backup plans' schedules."""
        if operation in _TABLE_WRITES and status.startswith("2"):
            for name in tables_of(body):
                self._state.overlay.backup.written[region, name.rsplit("/", 1)[-1]] = written_at

    def described(self, region: str, body: bytes, answer: bytes) -> bytes:
        """DescribeTable's answer, with the status that a table with an unusable key has."""
        for name in tables_of(body):
            table = self._state.table(region, name)
            if table is not None and self.is_locked_out(table, region):
                told = json.loads(answer)
                told["Table"]["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
                return json.dumps(told).encode()
        return answer


class KmsGate:
    """Checks before moto's KMS."""

    def __init__(self, state: AwsState) -> None:
        self._state = state

    def rewritten(self, body: bytes) -> bytes:
        """The request with a key's ARN cut to its id, since some of moto's operations know ids alone."""
        request = _json_object(body)
        key_id = str(request.get("KeyId", ""))
        if key_id.startswith("arn:") and ":key/" in key_id:
            return json.dumps({**request, "KeyId": key_id.rsplit("/", 1)[-1]}).encode()
        return body

    def before(self, operation: str, region: str, body: bytes) -> Refusal | None:
        """Refuse to encrypt or decrypt with a key that is not enabled."""
        if operation not in _CRYPTOGRAPHY:
            return None
        request = _json_object(body)
        named = [request.get("KeyId"), request.get("DestinationKeyId"), _key_of(request.get("CiphertextBlob"))]
        for key_id in filter(None, named):
            key = self._state.key(str(key_id), region)
            if key is not None and key.key_state == "Disabled":
                return _json_error("DisabledException", f"{key.arn} is disabled.")
            if key is not None and key.key_state != "Enabled":
                return _json_error("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        return None


def _key_of(ciphertext: object) -> str | None:
    """The key that made a ciphertext: moto writes its id in front."""
    if not isinstance(ciphertext, str):
        return None
    try:
        return base64.b64decode(ciphertext)[:_KEY_ID_BYTES].decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(body or b"{}")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def tables_of(body: bytes) -> list[str]:
    """The tables that a DynamoDB request names."""
    request = _json_object(body)
    if "TableName" in request:
        return [request["TableName"]]
    items = request.get("RequestItems")
    if isinstance(items, Mapping):
        return list(items)
    found: list[str] = []
    for entry in request.get("TransactItems") or []:
        found += [action["TableName"] for action in entry.values() if "TableName" in action]
    return found


def _s3_error(status: str, code: str, message: str, resource: str) -> Refusal:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<Resource>{escape(resource)}</Resource></Error>"
    )
    return Refusal(status, "application/xml", body.encode())


def _json_error(kind: str, message: str) -> Refusal:
    return Refusal(
        "400 Bad Request", "application/x-amz-json-1.0", json.dumps({"__type": kind, "message": message}).encode()
    )
