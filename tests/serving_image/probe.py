"""Runs in the serving environment: writes rows with a store's own client, and looks them up as the image does.

Reads one JSON command a line, `{"put": {entity: [text, expires_at]}}` or `{"lookup": [entity]}`, and answers each.
Google's clients are in the serving environment alone, as they are in the container.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

sys.path.insert(0, os.environ["LOOKUP_FOLDER"])

import feature_store as image  # pyright: ignore[reportMissingImports] - its folder is named above


class FirestoreWriter:
    """Documents as `feature_store.py` describes them."""

    def __init__(self) -> None:
        if "FIRESTORE_EMULATOR_HOST" not in os.environ:
            os.environ["FIRESTORE_EMULATOR_HOST"] = serve_firestore_fake()
        from google.cloud import firestore  # pyright: ignore[reportAttributeAccessIssue]

        self.client = firestore.Client(
            project=os.environ["SEAWALL_FEATURES_PROJECT"], database=os.environ["SEAWALL_FEATURES_DATABASE"]
        )

    def put(self, entity: str, text: str, expires_at: int | None) -> None:
        fields: dict[str, Any] = {"features": text}
        if expires_at is not None:
            fields["expires_at"] = datetime.fromtimestamp(expires_at, UTC)
        self.client.collection("features").document(image.firestore_document(entity)).set(fields)


class BigtableWriter:
    """Rows as `feature_store.py` describes them, in a table that is made now; needs BIGTABLE_EMULATOR_HOST."""

    def __init__(self) -> None:
        from google.cloud import bigtable  # pyright: ignore[reportAttributeAccessIssue]

        client = bigtable.Client(project=os.environ["SEAWALL_FEATURES_PROJECT"], admin=True)
        self.table = client.instance(os.environ["SEAWALL_FEATURES_INSTANCE"]).table(
            os.environ["SEAWALL_FEATURES_TABLE"]
        )
        self.table.create(column_families={"f": None})

    def put(self, entity: str, text: str, expires_at: int | None) -> None:
        row = self.table.direct_row(entity.encode())
        row.delete()
        row.set_cell("f", b"features", text.encode())
        if expires_at is not None:
            row.set_cell("f", b"expires_at", str(expires_at).encode())
        row.commit()


def serve_firestore_fake() -> str:
    """An in-memory stand-in for Firestore behind gRPC, for the two calls that rows need; its address.

    No emulator of Firestore can be built here: Google's is a Java program that comes with gcloud.
    """
    import grpc
    from google.cloud.firestore_v1.types import firestore, write  # pyright: ignore[reportMissingImports]

    documents: dict[str, Any] = {}

    def batch_get(request: Any, _context: Any) -> Any:
        for name in request.documents:
            found = {"found": documents[name]} if name in documents else {"missing": name}
            yield firestore.BatchGetDocumentsResponse(**found, read_time=datetime.now(UTC))

    def commit(request: Any, _context: Any) -> Any:
        now = datetime.now(UTC)
        for change in request.writes:
            change.update.create_time = change.update.update_time = now
            documents[change.update.name] = change.update
        results = [write.WriteResult(update_time=now) for _ in request.writes]
        return firestore.CommitResponse(write_results=results, commit_time=now)

    methods = {
        "BatchGetDocuments": grpc.unary_stream_rpc_method_handler(
            batch_get,
            firestore.BatchGetDocumentsRequest.deserialize,
            firestore.BatchGetDocumentsResponse.serialize,
        ),
        "Commit": grpc.unary_unary_rpc_method_handler(
            commit, firestore.CommitRequest.deserialize, firestore.CommitResponse.serialize
        ),
    }
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    KEPT.append(server)
    return f"127.0.0.1:{port}"


KEPT: list[Any] = []
"""Servers of this process, which end with it."""
WRITERS: dict[str, Any] = {"bigtable": BigtableWriter, "firestore": FirestoreWriter}


def main() -> None:
    writer = WRITERS[os.environ["SEAWALL_FEATURES_KIND"]]()
    lookup = image.FeatureLookup(
        image.store_from_environment(os.environ), [0.0, 0.0], image.timeout_s(os.environ), lambda _: None
    )
    for line in sys.stdin:
        command = json.loads(line)
        for entity, (text, expires_at) in command.get("put", {}).items():
            writer.put(entity, text, expires_at)
        found = lookup.lookup(command.get("lookup", []))
        print(json.dumps([[list(each.values), each.outcome] for each in found]), flush=True)


if __name__ == "__main__":
    main()
