"""Rows in a DynamoDB table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.aws_api import aws_session
from common.errors import UserError
from common.target import Target
from ops.features.rows import Row
from ops.features.store import ByIdentity, FeatureStore

_TIMEOUT_S = 10


class DynamoDBRows(ByIdentity):
    """Implements `ops.features.store.Rows`."""

    def __init__(self, store: FeatureStore, target: Target) -> None:
        self._name = store.name
        resource: Any = aws_session(target).resource(
            "dynamodb",
            region_name=store.region,
            endpoint_url=target.aws_endpoint_url,
            config=Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"mode": "standard"}),
        )
        self._table = resource.Table(store.name)

    def read(self) -> dict[str, str]:
        """By a scan with consistent reads."""
        found: dict[str, str] = {}
        start: dict[str, Any] = {}
        with self._refusals():
            while True:
                page = self._table.scan(ConsistentRead=True, **start)
                found |= {item["entity_id"]: item.get("features", "") for item in page["Items"]}
                if "LastEvaluatedKey" not in page:
                    return found
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def write(self, rows: Mapping[str, Row]) -> None:
        """In batches."""
        with self._refusals(), self._table.batch_writer() as batch:
            for entity, row in rows.items():
                expiry = {} if row.expires_at is None else {"expires_at": row.expires_at}
                batch.put_item(Item={"entity_id": entity, "features": row.features, **expiry})

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
