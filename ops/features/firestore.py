"""Rows in a Firestore database, by its REST API.

The calls and their JSON are those of google-cloud-firestore's own REST transport (`firestore_v1`, read 2026-11-21);
the client itself is only in the serving environment. Believed: a commit takes 500 writes at least. Tested through a
gateway from these routes to a stand-in that speaks gRPC, or to FIRESTORE_EMULATOR_HOST; not against the real service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, unquote

from common.gcp_api import GcpApi
from common.target import Target
from components.contracts import serving
from ops.features.rows import Row, in_batches
from ops.features.store import ByIdentity, FeatureStore

COLLECTION: Final = "features"
NAME_PREFIX: Final = "features:"
WRITES_MAX: Final = 500
PAGE_SIZE: Final = "300"


class FirestoreRows(ByIdentity):
    """Implements `ops.features.store.Rows`."""

    def __init__(self, store: FeatureStore, target: Target) -> None:
        project, database = (
            store.environment[name] for name in (serving.FEATURES_PROJECT, serving.FEATURES_DATABASE)
        )
        self._api = GcpApi(target, project)
        self._documents = f"projects/{project}/databases/{database}/documents"

    def read(self) -> dict[str, Row]:
        """By a list of the collection, page by page."""
        listed = self._api.list(
            "firestore", f"v1/{self._documents}/{COLLECTION}", "documents", {"pageSize": PAGE_SIZE}
        )
        names = ((each["name"].rsplit("/", 1)[1], each.get("fields", {})) for each in listed)
        return {
            unquote(name.removeprefix(NAME_PREFIX)): _row(fields)
            for name, fields in names
            if name.startswith(NAME_PREFIX)
        }

    def fetch(self, entities: Sequence[str]) -> dict[str, Row]:
        """In batches of documents, by their names."""
        found: dict[str, Row] = {}
        for start in range(0, len(entities), int(PAGE_SIZE)):
            names = [self._name(entity) for entity in entities[start : start + int(PAGE_SIZE)]]
            for answer in self._api.stream("firestore", f"v1/{self._documents}:batchGet", {"documents": names}):
                if "found" in answer:
                    name = str(answer["found"]["name"]).rsplit("/", 1)[1]
                    found[unquote(name.removeprefix(NAME_PREFIX))] = _row(answer["found"].get("fields", {}))
        return found

    def write(self, rows: Mapping[str, Row]) -> None:
        """In commits, each whole or not at all."""
        for batch in in_batches(rows.items(), WRITES_MAX):
            writes = [{"update": self._document(entity, row)} for entity, row in batch]
            self._api.post("firestore", f"v1/{self._documents}:commit", {"writes": writes})

    def _document(self, entity: str, row: Row) -> Mapping[str, Any]:
        fields: dict[str, Any] = {"features": {"stringValue": row.features}}
        if row.expires_at is not None:
            fields["expires_at"] = {"timestampValue": datetime.fromtimestamp(row.expires_at, UTC).isoformat()}
        return {"name": self._name(entity), "fields": fields}

    def _name(self, entity: str) -> str:
        return f"{self._documents}/{COLLECTION}/{NAME_PREFIX}{quote(entity, safe='')}"


def _row(fields: Mapping[str, Any]) -> Row:
    expires = fields.get("expires_at", {}).get("timestampValue")
    at = int(datetime.fromisoformat(expires).timestamp()) if expires else None
    return Row(fields.get("features", {}).get("stringValue", ""), at)
