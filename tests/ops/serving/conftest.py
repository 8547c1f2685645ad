"""Golden sets for tests, and what the tests of a real Triton need."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from common.target import Target
from localcloud.toolchain import ensure_serving_environment
from ops.serving.golden import GoldenPrediction, GoldenSet


@pytest.fixture
def golden() -> GoldenSet:
    return GoldenSet(
        "model",
        1e-4,
        (
            GoldenPrediction("a", (1.0, 2.0), 0.9, "malignant"),
            GoldenPrediction("b", (3.0, 4.0), 0.1, "benign"),
        ),
    )


@pytest.fixture(scope="session")
def serving_python() -> Path:
    """The interpreter of the serving environment; installed now if the cache lacks it."""
    try:
        return ensure_serving_environment()
    except UserError as error:
        pytest.skip(f"no serving environment: {error.what}")


@pytest.fixture(scope="session", autouse=True)
def _quiet_emulator() -> None:
    """A failed test shows its own log, not moto's line for each request."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def serve_memorystore() -> Callable[..., AbstractContextManager[Target]]:
    """Serves Google's two calls for one Redis instance: its description and its AUTH string."""

    @contextmanager
    def serve(instance: str, host: str, port: int, ca_certificate: str, auth: str) -> Iterator[Target]:
        answers: dict[str, Any] = {
            f"/redis/v1/{instance}": {"host": host, "port": port, "serverCaCerts": [{"cert": ca_certificate}]},
            f"/redis/v1/{instance}/authString": {"authString": auth},
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(answers.get(self.path, {"error": {"message": "not found"}})).encode()
                self.send_response(200 if self.path in answers else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Target("local", "emulated", gcp_endpoint_url=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    return serve
