"""The emulated DynamoDB removes items whose time is over, by the attribute that the table names."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

Clients = Callable[..., Any]


@pytest.mark.parametrize(
    ("enabled", "item", "stays"),
    [
        (True, {"expires_at": {"N": str(int(time.time()) - 60)}}, False),
        (True, {"expires_at": {"N": str(int(time.time()) + 3600)}}, True),
        (True, {"expires_at": {"S": str(int(time.time()) - 60)}}, True),
        (True, {"another": {"N": str(int(time.time()) - 60)}}, True),
        (True, {"expires_at": {"N": "1"}}, True),
        (False, {"expires_at": {"N": str(int(time.time()) - 60)}}, True),
    ],
    ids=["over", "to come", "no number", "another attribute", "over for five years", "not enabled"],
)
def test_an_item_stays_until_its_time_is_over(
    client: Clients, table: Callable[..., str], enabled: bool, item: dict[str, Any], stays: bool, request: Any
) -> None:
    name = "ttl-" + "".join(c for c in request.node.callspec.id if c.isalpha())
    table(name)
    dynamodb = client("dynamodb")
    if enabled:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )
    dynamodb.put_item(TableName=name, Item={"entity_id": {"S": "1"}, **item})
    assert bool(dynamodb.scan(TableName=name)["Items"]) is stays
