"""What tests of operators' code share: a bucket that can crash."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from common.target import Target
from components.contracts.recovery import Bound, Part
from ops.drill.model import (
    Cleanup,
    Control,
    Evidence,
    FeatureCheck,
    KeyCheck,
    ObjectCheck,
    Objective,
    Phase,
    RecoveryPoint,
    SettingCheck,
)
from ops.objects.store import ObjectExistsError, ObjectInfo, ObjectMissingError
from ops.serving.golden import GoldenResult, Latency


class CrashError(Exception):
    """The publisher's machine lost power."""


class MemoryStore:
    """A bucket in memory. With `crash_at`, its n-th write fails, before or after it took effect."""

    bucket = "bucket"
    uri = "mem://bucket"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.crash_at: int | None = None
        self.crash_after_effect = False
        self.writes = 0
        self._lock = Lock()

    def _write(self, change: Callable[[], object]) -> None:
        with self._lock:
            self.writes += 1
            crashes = self.crash_at is not None and self.writes >= self.crash_at
            if crashes and not (self.crash_after_effect and self.writes == self.crash_at):
                raise CrashError
            change()
            if crashes:
                raise CrashError

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield ObjectInfo(key, len(self.objects[key]), datetime(2024, 1, 1, tzinfo=UTC))

    def versions(self, prefix: str = "") -> Iterator[ObjectInfo]:
        return self.list(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        return next((item for item in self.list(key) if item.key == key), None)

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissingError(f"{self.uri}/{key}")
        return self.objects[key]

    def get_file(self, key: str, path: Path) -> str:
        data = self.get(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def sha256(self, key: str) -> str:
        return hashlib.sha256(self.get(key)).hexdigest()

    def put(self, key: str, data: bytes, *, only_create: bool = False, sha256: str | None = None) -> None:
        assert sha256 is None or sha256 == hashlib.sha256(data).hexdigest()
        if only_create and key in self.objects:
            raise ObjectExistsError(f"{self.uri}/{key}")
        self._write(lambda: self.objects.__setitem__(key, data))

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        self.put(key, path.read_bytes(), sha256=sha256)

    def copy(self, source_bucket: str, source_key: str, key: str) -> None:
        assert source_bucket == self.bucket
        self.put(key, self.get(source_key))

    def delete(self, key: str) -> None:
        self._write(lambda: self.objects.pop(key, None))


@pytest.fixture
def make_memory_store() -> Callable[[], MemoryStore]:
    return MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def crash() -> type[CrashError]:
    return CrashError


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    """Evidence of a drill that proved the restore."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Evidence(
        drill_id="20260101t000000-ab12",
        stack="dev-aws",
        commit="abc",
        operator="me",
        scenario="loss of the primary region",
        mode="emulated",
        t_failure=start,
        t_start=start,
        phases=(Phase("restore objects", start, start + timedelta(seconds=2)),),
        source={"account": "1", "region": "eu-west-1"},
        target={"account": "1", "region": "eu-central-1"},
        region_separated_km=1090.0,
        recovery_point=RecoveryPoint("arn", start, "vault", "eu-central-1", True),
        rpo=Objective(3600, 5),
        rpo_bounds=(Bound("features", (Part("between recovery points", 40), Part("copy", 15))),),
        rto=Objective(3600, 50),
        objects=ObjectCheck(expected=3, restored=3, bytes=30),
        features=FeatureCheck("t", 2, 2, "h", "h", True, True),
        encryption=(KeyCheck("s3://b", "key", "eu-central-1", True),),
        settings=(SettingCheck("s3://b", "versioning", "Enabled", "Enabled"),),
        app_probe=(
            GoldenResult("http", 114, 0, 1.3e-7, Latency(3.1, 4.5, 7.25), ()),
            GoldenResult("grpc", 114, 0, 1.3e-7, Latency(1.0, 2.0, 3.0), ()),
        ),
        ready_s=3.0,
        throughput={"objects_per_s": 1.5, "mb_per_s": 0.1},
        controls=(Control("a bit flipped", True, "1 different"),),
        cleanup=Cleanup(("bucket b",), ("bucket b",), ()),
        tool_versions={"boto3": "1"},
        manifest_sha256="00",
    )


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
