"""Copies a DynamoDB table's contents out of moto and builds a table anew from such a copy."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import Table as MotoTable

from localcloud.aws.state import AwsState

if TYPE_CHECKING:
    from moto.dynamodb.models.table import Table

_ATTEMPTS = 5


@dataclass(frozen=True)
class TableCopy:
    """What a recovery point holds. Settings such as TTL or point-in-time recovery are no part of it, as at AWS."""

    schema: list[dict[str, Any]]
    attributes: list[dict[str, str]]
    billing_mode: str | None
    throughput: dict[str, Any]
    indexes: list[Any]
    global_indexes: list[Any]
    items: Any


def copy_table(table: Table) -> bytes:
    """The table's schema and items as they are now, pickled."""
    view = TableCopy(
        table.schema,
        table.attr,
        table.billing_mode,
        table.throughput,
        table.indexes,
        table.global_indexes,
        table.items,
    )
    for _ in range(_ATTEMPTS - 1):
        try:
            return pickle.dumps(view)
        except RuntimeError:  # the dictionary was written to meanwhile
            continue
    return pickle.dumps(view)


def restore_table(state: AwsState, region: str, name: str, contents: bytes, key_arn: str | None) -> Table:
    """A new table with the copied schema and items.

    Raises ValueError if a table of that name exists in the region.
    """
    backend = state.backend("dynamodb", region)
    if name in backend.tables:
        raise ValueError(f"table {name} exists already in {region}")
    kept: TableCopy = pickle.loads(contents)  # noqa: S301 - made by `copy_table`, kept in the emulator's own state
    throughput = {k: kept.throughput[k] for k in ("ReadCapacityUnits", "WriteCapacityUnits")}
    table: Any = MotoTable(
        name,
        account_id=state.account,
        region=region,
        schema=kept.schema,
        attr=kept.attributes,
        billing_mode=kept.billing_mode,
        throughput=throughput,
        sse_specification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn} if key_arn else None,
    )
    table.indexes = copy.deepcopy(kept.indexes)
    table.global_indexes = copy.deepcopy(kept.global_indexes)
    table.items = kept.items
    backend.tables[name] = table
    return table
