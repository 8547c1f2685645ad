"""Rows in Firestore: a document each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from .environment import required
from .rows import FeatureStore, Row

FIRESTORE_COLLECTION = "features"


class FirestoreStore:
    """Rows in Firestore; `client` is google-cloud-firestore's."""

    def __init__(self, client: Any, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        collection = self._client.collection(FIRESTORE_COLLECTION)
        names = {firestore_document(entity): entity for entity in entity_ids}
        found = self._client.get_all([collection.document(name) for name in names], retry=None, timeout=self._wait_s)
        return {names[document.id]: _firestore_row(document) for document in found if document.exists}


def firestore_document(entity_id: str) -> str:
    """A document's name, which Firestore wants without a slash, and not as `.`, `..` or `__x__`."""
    return f"features:{quote(entity_id, safe='')}"


def _firestore_row(document: Any) -> Row:
    fields = document.to_dict()
    features, expires = fields.get("features"), fields.get("expires_at")
    return Row(
        features if isinstance(features, str) else "",
        expires.timestamp() if hasattr(expires, "timestamp") else None,
    )


def open_firestore(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    # Only where the store is Firestore; not in the environment that checks types.
    from google.cloud import firestore  # pyright: ignore[reportAttributeAccessIssue]

    client = firestore.Client(
        project=required(environment, "SEAWALL_FEATURES_PROJECT"),
        database=required(environment, "SEAWALL_FEATURES_DATABASE"),
    )
    return FirestoreStore(client, wait_s)
