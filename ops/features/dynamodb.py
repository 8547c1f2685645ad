"""Rows in a DynamoDB table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.aws_api import aws_session
from common.errors import UserError
from common.target import Target
from components.contracts import serving
from ops.features.rows import Row
from ops.features.store import ByIdentity, FeatureStore

_TIMEOUT_S = 10
KEYS_MAX = 100
"""Most keys that DynamoDB takes in one BatchGetItem (its API reference in botocore 1.44.5, read 2026-11-21)."""
ATTEMPTS = 8


class DynamoDBRows(ByIdentity):
    """Implements `ops.features.store.Rows`."""

    def __init__(self, store: FeatureStore, target: Target) -> None:
        self._name = store.name
        self._emulator = target.aws_endpoint_url
        resource: Any = aws_session(target).resource(
            "dynamodb",
            region_name=store.region,
            endpoint_url=target.aws_endpoint_url,
            config=Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"mode": "standard"}),
        )
        self._table = resource.Table(store.name)

    def read(self) -> dict[str, Row]:
        """By a scan with consistent reads."""
        found: dict[str, Row] = {}
        start: dict[str, Any] = {}
        with self._refusals():
            while True:
                page = self._table.scan(ConsistentRead=True, **start)
                found |= {item["entity_id"]: _row(item) for item in page["Items"]}
                if "LastEvaluatedKey" not in page:
                    return found
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def fetch(self, entities: Sequence[str]) -> dict[str, Row]:
        """In batches; keys that the table had no time for are asked for again."""
        found: dict[str, Row] = {}
        for start in range(0, len(entities), KEYS_MAX):
            keys = [{"entity_id": entity} for entity in entities[start : start + KEYS_MAX]]
            asked: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
            for attempt in range(ATTEMPTS):
                with self._refusals():
                    answer = self._table.meta.client.batch_get_item(RequestItems=asked)
                found |= {item["entity_id"]: _row(item) for item in answer["Responses"].get(self._name, [])}
                asked = answer.get("UnprocessedKeys")
                if not asked:
                    break
                time.sleep(0.05 * 2**attempt)
            else:
                raise UserError("the table is throttled", f"table {self._name}", "Run the command again later.")
        return found

    def write(self, rows: Mapping[str, Row]) -> None:
        """In batches."""
        with self._refusals(), self._table.batch_writer() as batch:
            for entity, row in rows.items():
                expiry = {} if row.expires_at is None else {"expires_at": row.expires_at}
                batch.put_item(Item={"entity_id": entity, "features": row.features, **expiry})

    def variables(self) -> Mapping[str, str]:
        """The emulator's address in the place of the network's own endpoint, which resolves in the network alone."""
        return {serving.DYNAMODB_ENDPOINT: self._emulator} if self._emulator else {}

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise UserError(
                f"DynamoDB refused: {error}",
                f"table {self._name}",
                "Check that the stack is up and that the credentials may use its feature store.",
            ) from error


def _row(item: Mapping[str, Any]) -> Row:
    expires = item.get("expires_at")
    return Row(str(item.get("features", "")), int(expires) if expires is not None else None)
