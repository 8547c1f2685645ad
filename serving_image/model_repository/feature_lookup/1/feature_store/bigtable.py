"""Rows in Bigtable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .environment import required
from .rows import FeatureStore, Row


class BigtableStore:
    """Rows in Bigtable; `table` is the data client's."""

    def __init__(self, table: Any, wait_s: float) -> None:
        self._table = table
        self._wait_s = wait_s

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        from google.cloud.bigtable.data import ReadRowsQuery  # pyright: ignore[reportMissingImports]

        keys = [entity.encode() for entity in entity_ids]
        found = self._table.read_rows(
            ReadRowsQuery(row_keys=keys), operation_timeout=self._wait_s, attempt_timeout=self._wait_s
        )
        return {row.row_key.decode(): _bigtable_row(row) for row in found}


def _bigtable_row(row: Any) -> Row:
    cells = {cell.qualifier: cell.value for cell in reversed(row.get_cells("f"))}
    features, expires = cells.get(b"features", b""), cells.get(b"expires_at")
    return Row(features.decode("utf-8", "replace"), float(expires) if expires is not None else None)


def open_bigtable(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    # Only where the store is Bigtable; not in the environment that checks types.
    from google.cloud.bigtable.data import BigtableDataClient  # pyright: ignore[reportMissingImports]

    client = BigtableDataClient(project=required(environment, "SEAWALL_FEATURES_PROJECT"))
    table = client.get_table(
        required(environment, "SEAWALL_FEATURES_INSTANCE"), required(environment, "SEAWALL_FEATURES_TABLE")
    )
    return BigtableStore(table, wait_s)
