"""What a request to DynamoDB asks for, in IAM's words.

Service authorization reference, "Actions, resources, and condition keys for Amazon DynamoDB" (believed, 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from localcloud.aws.answers import json_object
from localcloud.aws.asks import Ask
from localcloud.aws.state import AwsState

_PARTS: Final = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_NAMES: Final = ("TableName", "TableArn", "ResourceArn", "BackupArn")


def table_asks(state: AwsState, region: str, operation: str, body: bytes) -> list[Ask]:
    """Rights that a request to DynamoDB needs."""
    request = json_object(body)
    batch = request.get("RequestItems")
    if isinstance(batch, Mapping):
        return [Ask(f"dynamodb:{operation}", _table_arn(state, region, name)) for name in batch]
    if isinstance(request.get("TransactItems"), list):
        found = (item for entry in request["TransactItems"] for item in entry.items())
        return [
            Ask(f"dynamodb:{_PARTS.get(part, part)}", _table_arn(state, region, str(each.get("TableName", ""))))
            for part, each in found
        ]
    if operation in ("RestoreTableFromBackup", "RestoreTableToPointInTime"):
        source = request.get("SourceTableArn") or request.get("BackupArn") or request.get("SourceTableName") or ""
        names = [source, request.get("TargetTableName") or ""]
        return [Ask(f"dynamodb:{operation}", _table_arn(state, region, str(name))) for name in names]
    name = next((str(request[k]) for k in _NAMES if k in request), "")
    if not name:
        return [Ask(f"dynamodb:{operation}")]
    arn = _table_arn(state, region, name)
    return [Ask(f"dynamodb:{operation}", f"{arn}/index/{request['IndexName']}" if "IndexName" in request else arn)]


def _table_arn(state: AwsState, region: str, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{state.account}:table/{name}"
