"""Rows in DynamoDB: batches of keys, and those again that a throttled table leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .environment import required
from .lookup import MAX_CONCURRENT_READS
from .rows import UNREAD, FeatureStore, Row

BATCH_GET_LIMIT = 100
"""Most keys that DynamoDB takes in one BatchGetItem."""
ATTEMPTS = 3
"""How often DynamoDB is asked for keys that it leaves unprocessed."""


class DynamoDBStore:
    """Rows in a DynamoDB table; `client` is boto3's, made with timeouts and without retries."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        rows: dict[str, Row] = {}
        for chunk in _chunks(entity_ids, BATCH_GET_LIMIT):
            request: Any = {
                self._table: {
                    "Keys": [{"entity_id": {"S": entity}} for entity in chunk],
                    "ProjectionExpression": "entity_id, features, expires_at",
                }
            }
            # Throttled keys come back unprocessed: they are asked for again, and what the table still leaves is told
            # as unread, beside the rows that it gave. The caller's deadline bounds the loop, and the client's own
            # timeout each turn of it.
            for attempt in range(ATTEMPTS):
                if attempt:
                    time.sleep(0.01 * 2**attempt)
                answer = self._client.batch_get_item(RequestItems=request)
                for item in answer["Responses"].get(self._table, []):
                    rows[item["entity_id"]["S"]] = _dynamodb_row(item)
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
            for key in (request or {}).get(self._table, {}).get("Keys", []):
                rows[key["entity_id"]["S"]] = UNREAD
        return rows


def _dynamodb_row(item: Mapping[str, Any]) -> Row:
    expires = item.get("expires_at", {}).get("N")
    return Row(item.get("features", {}).get("S", ""), float(expires) if expires is not None else None)


def _chunks(entity_ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(entity_ids), size):
        yield entity_ids[start : start + size]


def open_dynamodb(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    client = _dynamodb_client(required(environment, "SEAWALL_FEATURES_REGION"), wait_s)
    return DynamoDBStore(client, required(environment, "SEAWALL_FEATURES_TABLE"))


def _dynamodb_client(region: str, wait_s: float) -> Any:
    import boto3  # only where the store is DynamoDB
    from botocore.config import Config

    return boto3.client(
        "dynamodb",
        region_name=region,
        config=Config(
            connect_timeout=wait_s,
            read_timeout=wait_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=MAX_CONCURRENT_READS,
        ),
    )
