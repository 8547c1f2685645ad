"""Rows in a Bigtable table, by its REST API.

The calls and their JSON are those of google-cloud-bigtable's own REST transport (`bigtable_v2`, read 2026-11-21; its
types say: a cell without a time is of 1970, -1 is the server's time, a request has at most 100,000 mutations). The
client itself is only in the serving environment. Tested through a gateway from these routes to the Go emulator, which
speaks gRPC alone; not measured against the real service, whose public reference describes the same calls as gRPC.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from common.errors import UserError
from common.gcp_api import GcpApi
from common.target import Target
from components.contracts import serving
from ops.features.rows import Row, in_batches
from ops.features.store import ByIdentity, FeatureStore

FAMILY: Final = "f"
ROWS_PER_REQUEST: Final = 10_000
"""Each row is three mutations at most."""
SERVER_TIME: Final = "-1"


class BigtableRows(ByIdentity):
    """Implements `ops.features.store.Rows`."""

    def __init__(self, store: FeatureStore, target: Target) -> None:
        names = (serving.FEATURES_PROJECT, serving.FEATURES_INSTANCE, serving.FEATURES_TABLE)
        project, instance, table = (store.environment[name] for name in names)
        self._api = GcpApi(target, project)
        self._table = f"projects/{project}/instances/{instance}/tables/{table}"

    def read(self) -> dict[str, Row]:
        """By a scan of the newest cells of each row."""
        return self._rows({})

    def fetch(self, entities: Sequence[str]) -> dict[str, Row]:
        """In batches of row keys: the features, then when they expire."""
        found: dict[str, Row] = {}
        for start in range(0, len(entities), ROWS_PER_REQUEST):
            keys = [_base64(entity) for entity in entities[start : start + ROWS_PER_REQUEST]]
            found |= self._rows({"rows": {"rowKeys": keys}})
        return found

    def _rows(self, chosen: Mapping[str, Any]) -> dict[str, Row]:
        features, expiries = self._newest("features", chosen), self._newest("expires_at", chosen)
        return {e: Row(row, int(expiries[e]) if e in expiries else None) for e, row in features.items()}

    def _newest(self, qualifier: str, chosen: Mapping[str, Any]) -> dict[str, str]:
        newest = {
            "chain": {
                "filters": [
                    {"familyNameRegexFilter": FAMILY},
                    {"columnQualifierRegexFilter": _base64(qualifier)},
                    {"cellsPerColumnLimitFilter": 1},
                ]
            }
        }
        answers = self._api.stream("bigtable", f"v2/{self._table}:readRows", {**chosen, "filter": newest})
        return cells(chunk for answer in answers for chunk in answer.get("chunks", []))

    def write(self, rows: Mapping[str, Row]) -> None:
        """In batches; each row as a whole, in place of what it was."""
        for batch in in_batches(rows.items(), ROWS_PER_REQUEST):
            entries = [entry(entity, row) for entity, row in batch]
            answers = self._api.stream("bigtable", f"v2/{self._table}:mutateRows", {"entries": entries})
            results = [result for answer in answers for result in answer.get("entries", [])]
            refused = [result["status"] for result in results if result.get("status", {}).get("code")]
            missed = len(refused) or len(entries) - len(results)
            if missed:
                why = refused[0].get("message") or f"code {refused[0]['code']}" if refused else "no answer for them"
                raise UserError(
                    f"Bigtable did not take {missed} of {len(entries)} rows: {why}",
                    self._table,
                    "Fix what it says and write the rows again: those that it took are only written over.",
                )


def entry(entity: str, row: Row) -> Mapping[str, Any]:
    """The mutations that make a row what it is to be, its older cells removed."""
    cells = {"features": row.features, **({} if row.expires_at is None else {"expires_at": str(row.expires_at)})}
    return {
        "rowKey": _base64(entity),
        "mutations": [
            {"deleteFromRow": {}},
            *(
                {
                    "setCell": {
                        "familyName": FAMILY,
                        "columnQualifier": _base64(qualifier),
                        "timestampMicros": SERVER_TIME,
                        "value": _base64(value),
                    }
                }
                for qualifier, value in cells.items()
            ),
        ],
    }


def cells(chunks: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Row key → value, of rows that have one cell each, which may come in pieces and from the start again."""
    found: dict[str, str] = {}
    key, value = "", b""
    for chunk in chunks:
        if chunk.get("resetRow"):
            key, value = "", b""
            continue
        if chunk.get("rowKey"):
            key, value = b64decode(chunk["rowKey"]).decode(), b""
        value += b64decode(chunk.get("value", ""))
        if chunk.get("commitRow"):
            found[key] = value.decode("utf-8", "replace")
    return found


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
