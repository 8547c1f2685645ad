"""What DynamoDB does around moto's: tables whose key cannot be used, when each was written to, and what it held."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.aws.answers import (
    Answer,
    Application,
    Environ,
    StartResponse,
    json_error,
    json_object,
    operation_of,
    read_body,
    run,
)
from localcloud.aws.dynamodb.expiry import expire, expired
from localcloud.aws.dynamodb.history import History
from localcloud.aws.iam.door import CALLER
from localcloud.aws.iam.judge import Caller, Judge, key_context
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

_TABLE_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"}
)
_TABLE_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})


class DynamoGate:
    """DynamoDB with what moto lacks before and after it."""

    def __init__(self, state: AwsState, moto: Application, judge: Judge) -> None:
        self._state = state
        self._judge = judge
        self._moto = moto
        self._history = History(state)

    def call(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        operation, body = operation_of(environ), read_body(environ)
        refusal = self.before(operation, region, body, environ[CALLER])
        if refusal:
            return refusal.send(start_response)
        if operation == "RestoreTableToPointInTime":
            return self.restore(region, body).send(start_response)
        status, headers, chunks = run(self._moto, environ)
        self.after(operation, region, body, status, time.time())
        if operation == "DescribeTable" and status.startswith("2"):
            told = self.described(region, body, b"".join(chunks))
            # The original's checksum and length no longer hold.
            headers = [(k, v) for k, v in headers if k.lower() not in ("content-length", "x-amz-crc32")]
            headers.append(("Content-Length", str(len(told))))
            chunks = [told]
        start_response(status, headers)
        return chunks

    def before(self, operation: str, region: str, body: bytes, caller: Caller) -> Answer | None:
        """Refuse to read, write or restore a table whose key cannot be used; keep what a write is about to change."""
        if operation not in _TABLE_READS | _TABLE_WRITES | {"RestoreTableToPointInTime"}:
            return None
        for name in tables_of(body):
            table = self._state.table(region, name)
            if table is not None and self.is_locked_out(table, region):
                return json_error(
                    "com.amazon.coral.service#AccessDeniedException",
                    f"KMS key access denied error: the key of table {table.name} is not enabled.",
                )
            decision = self.may_use_key(caller, table, region) if table is not None else None
            if decision is not None and not decision:
                code = "com.amazon.coral.service#AccessDeniedException"
                return json_error(code, f"KMS key access denied error: {decision.reason}")
            if table is not None and (operation in _TABLE_WRITES or expired(table, time.time())):
                self._history.about_to_write(table, region)
            if table is not None:
                expire(table, time.time())
        return None

    def may_use_key(self, caller: Caller, table: Any, region: str) -> Decision | None:
        """Whether a caller's rights let DynamoDB decrypt the table's key for its items; None without such a key.

        A read or write calls Decrypt in the caller's name, with the table and the account as encryption context: the
        policy of DynamoDB's own key lets in callers through DynamoDB, and the CDK's `grantReadData` grants the
        table's key too (github.com/aws/aws-cdk commit ff8219ba, read 2026-11-21). That a write needs no more is
        believed.
        """
        key_id = (table.sse_specification or {}).get("KMSMasterKeyId")
        key = self._state.key(key_id, region) if key_id else None
        if key is None:
            return None
        told = {"aws:dynamodb:tableName": table.name, "aws:dynamodb:subscriberId": self._state.account}
        return self._judge.decide(caller, "kms:Decrypt", key.arn, key_context("dynamodb", region, told))

    def restore(self, region: str, body: bytes) -> Answer:
        """RestoreTableToPointInTime, whose time moto does not read."""
        table, refusal = self._history.restore(region, json_object(body))
        if refusal is not None:
            return refusal
        told = {"TableDescription": table.describe()["TableDescription"]}
        return Answer("200 OK", "application/x-amz-json-1.0", json.dumps(told, default=str).encode())

    def is_locked_out(self, table: Any, region: str) -> bool:
        """Whether the table's customer-managed key is not enabled, or gone."""
        key_id = (table.sse_specification or {}).get("KMSMasterKeyId")
        if not key_id:
            return False
        key = self._state.key(key_id, region)
        return key is None or key.key_state != "Enabled"

    def after(self, operation: str, region: str, body: bytes, status: str, written_at: float) -> None:
        """Note when a table was written to, for the schedules of plans; take over a new key, as moto does not."""
        if operation == "UpdateTable" and status.startswith("2"):
            self._new_key(region, json_object(body))
        if operation in _TABLE_WRITES and status.startswith("2"):
            for name in tables_of(body):
                self._state.overlay.backup.written[region, name.rsplit("/", 1)[-1]] = written_at
        if operation in ("CreateTable", "DeleteTable") and status.startswith("2"):
            for name in tables_of(body):
                self._history.forget(region, name.rsplit("/", 1)[-1])

    def _new_key(self, region: str, request: Mapping[str, Any]) -> None:
        """A table without encryption of its own, or with AWS' managed key, has no customer's key."""
        table, asked = self._state.table(region, str(request.get("TableName", ""))), request.get("SSESpecification")
        if table is not None and asked:
            table.sse_specification = dict(asked) if asked.get("Enabled") and asked.get("KMSMasterKeyId") else None

    def described(self, region: str, body: bytes, answer: bytes) -> bytes:
        """DescribeTable's answer, with the status that a table with an unusable key has."""
        for name in tables_of(body):
            table = self._state.table(region, name)
            if table is not None and self.is_locked_out(table, region):
                told = json.loads(answer)
                told["Table"]["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
                return json.dumps(told).encode()
        return answer


def tables_of(body: bytes) -> list[str]:
    """The tables that a DynamoDB request names."""
    request = json_object(body)
    for member in ("TableName", "SourceTableName", "SourceTableArn"):
        if member in request:
            return [request[member]]
    items = request.get("RequestItems")
    if isinstance(items, Mapping):
        return list(items)
    found: list[str] = []
    for entry in request.get("TransactItems") or []:
        found += [action["TableName"] for action in entry.values() if "TableName" in action]
    return found
