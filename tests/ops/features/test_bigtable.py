"""Bigtable's REST answers, where the emulator gives them in one way alone: in pieces, and refused in part."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from common.errors import UserError
from common.target import Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from ops.features.bigtable import cells, entry
from ops.features.rows import encode
from ops.features.store import FeatureStore, Rows, open_rows

ROWS = encode({"a": (1.0,), "b": (2.0,)}, ttl_hours=1)
NAMES = {serving.FEATURES_PROJECT: "p", serving.FEATURES_INSTANCE: "i", serving.FEATURES_TABLE: "t"}


def base64(text: bytes) -> str:
    return b64encode(text).decode()


@pytest.fixture
def answering() -> Iterator[Callable[[int, Any], Rows]]:
    """Rows of a table whose every call has the same answer: `answering(status, json)`."""
    servers: list[ThreadingHTTPServer] = []

    def answer(status: int, content: Any) -> Rows:
        body = json.dumps(content).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        target = Target("cloud", "real", gcp_endpoint_url=f"http://127.0.0.1:{servers[-1].server_port}")
        return open_rows(FeatureStore(FeatureStoreKind.BIGTABLE, "i", "r", "i", NAMES), target)

    yield answer
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_value_that_comes_in_pieces_is_put_together() -> None:
    chunks = [{"rowKey": base64(b"a"), "value": base64("[1.0,ä".encode()[:-1]), "valueSize": 8}]
    chunks.append({"value": base64("[1.0,ä".encode()[-1:] + b"]"), "commitRow": True})
    assert cells(chunks) == {"a": "[1.0,ä]"}


def test_a_row_that_begins_again_keeps_nothing_of_its_first_pieces() -> None:
    chunks = [{"rowKey": base64(b"a"), "value": base64(b"[9")}, {"resetRow": True}]
    chunks.append({"rowKey": base64(b"a"), "value": base64(b"[1]"), "commitRow": True})
    assert cells(chunks) == {"a": "[1]"}


def test_a_row_that_was_never_committed_is_not_read() -> None:
    assert cells([{"rowKey": base64(b"a"), "value": base64(b"[1]")}]) == {}


def test_no_cell_is_of_1970_and_so_collected_at_once() -> None:
    written = [m["setCell"]["timestampMicros"] for m in entry("a", ROWS["a"])["mutations"] if "setCell" in m]
    assert written == ["-1", "-1"]


def test_rows_that_it_did_not_take_are_an_error_that_counts_them(answering: Callable[[int, Any], Rows]) -> None:
    full = {"index": "1", "status": {"code": 8, "message": "the table is full"}}
    rows = answering(200, [{"entries": [{"index": "0", "status": {}}]}, {"entries": [full]}])
    with pytest.raises(UserError, match="did not take 1 of 2 rows: the table is full"):
        rows.write(ROWS)


def test_rows_without_an_answer_are_an_error(answering: Callable[[int, Any], Rows]) -> None:
    with pytest.raises(UserError, match="did not take 1 of 2 rows"):
        answering(200, [{"entries": [{"index": "0", "status": {}}]}]).write(ROWS)


def test_a_refusal_in_a_stream_is_a_plain_error(answering: Callable[[int, Any], Rows]) -> None:
    refusal = {"error": {"code": 404, "message": "table not found", "status": "NOT_FOUND"}}
    with pytest.raises(UserError, match="Bigtable refused POST: table not found"):
        answering(404, [refusal]).read()
