"""What tests of operators' code share: a bucket that can crash."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from common.target import Target
from ops.drill.judging import findings, recorded, verdict
from ops.drill.model import SCHEMA_VERSION, Check
from ops.drill.requirements import REQUIREMENTS
from ops.objects.store import ObjectChangedError, ObjectExistsError, ObjectInfo, ObjectMissingError, Tagged

COMMIT = "0123456789abcdef0123456789abcdef01234567"


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

    def get(self, key: str, version: str | None = None) -> bytes:
        assert version is None
        if key not in self.objects:
            raise ObjectMissingError(f"{self.uri}/{key}")
        return self.objects[key]

    def get_file(self, key: str, path: Path) -> str:
        data = self.get(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    def sha256(self, key: str, version: str | None = None) -> str:
        return hashlib.sha256(self.get(key, version)).hexdigest()

    def get_tagged(self, key: str) -> Tagged:
        data = self.get(key)
        return Tagged(data, hashlib.sha256(data).hexdigest())

    def put(
        self,
        key: str,
        data: bytes,
        *,
        only_create: bool = False,
        only_over: str | None = None,
        sha256: str | None = None,
    ) -> None:
        assert sha256 is None or sha256 == hashlib.sha256(data).hexdigest()
        if only_create and key in self.objects:
            raise ObjectExistsError(f"{self.uri}/{key}")
        if only_over and (key not in self.objects or self.get_tagged(key).tag != only_over):
            raise ObjectChangedError(f"{self.uri}/{key}")
        self._write(lambda: self.objects.__setitem__(key, data))

    def put_file(self, key: str, path: Path, *, sha256: str | None = None) -> None:
        self.put(key, path.read_bytes(), sha256=sha256)

    def copy(self, source_bucket: str, source_key: str, key: str, version: str | None = None) -> None:
        assert source_bucket == self.bucket
        assert version is None
        self.put(key, self.get(source_key))

    def delete(self, key: str) -> None:
        self._write(lambda: self.objects.pop(key, None))

    def purge(self, key: str, version: str) -> None:
        raise NotImplementedError(key, version)


@pytest.fixture
def make_memory_store() -> Callable[[], MemoryStore]:
    return MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def crash() -> type[CrashError]:
    return CrashError


WHOLE = ({"count": 3, "sha256": "00"}, {"count": 3, "sha256": "00", "missing": [], "changed": [], "extra": []})
ANSWERS = {
    "protocol": "http",
    "requests": 114,
    "errors": 0,
    "max_abs_error": 1.3e-7,
    "mismatches": [],
    "passed": True,
    "latency": {"p50_ms": 3.1, "p95_ms": 4.5, "p99_ms": 7.25},
}
MARK = {"written": 9, "newest": 8, "newest_s": 3.0, "safe_s": 4.0, "late_s": 900.0}
GOLDENS = {"sha256": "00", "predictions": 114, "tolerance": 1e-4}
PASSING: dict[str, tuple[Any, Any]] = {
    "same": ("as promised", "as promised"),
    "at most": (3600, 4.0),
    "at least": (400, 1090.0),
    "none": ([], []),
    "whole": WHOLE,
    "rows": ({"at_least": 3}, {"live": 3, "unreadable": [], "overdue": [], "without_end": []}),
    "answers": ({"requests": 114, "tolerance": 1e-4}, ANSWERS),
    "goldens": (GOLDENS, GOLDENS),
    "marks": (
        {"at_most_s": 3600, "kinds": ["objects", "rows"]},
        {"measured_s": 4.0, "kinds": [{"of": of, **MARK} for of in ("objects", "rows")]},
    ),
}
"""By a rule's name: what is expected, and what is found, where the check passes."""


def _failing(name: str, rule: str) -> Check:
    return Check(name, rule, PASSING[rule][0], "a planted fault", name)


@pytest.fixture(scope="session")
def evidence() -> dict[str, Any]:
    """The predicate of a drill that proved the restore."""
    required = REQUIREMENTS["region-lost"]
    checks = [recorded(Check(name, rule, *PASSING[rule], name)) for name, rule in required.checks.items()]
    predicate = {
        "schema_version": SCHEMA_VERSION,
        "drill_id": "20260101t000000-ab12",
        "stack": "dev-aws",
        "commit": COMMIT,
        "program": {
            "commit": COMMIT,
            "uncommitted_changes": False,
            "deployed_sha256": "ab" * 32,
            "resources": 1,
            "differs": [],
        },
        "artefacts": [
            {"name": "release manifest", "digest": {"sha256": "01" * 32}},
            {"name": "golden set", "digest": {"sha256": "02" * 32}},
            {"name": "serving image", "digest": {"sha256": "03" * 32}},
            {"name": "deployed program", "digest": {"sha256": "ab" * 32, "gitCommit": COMMIT}},
        ],
        "operator": "me",
        "scenario": "region-lost",
        "title": "the primary region is lost",
        "mode": "emulated",
        "source": {"account": "1", "region": "eu-west-1"},
        "target": {"account": "1", "region": "eu-central-1"},
        "not_enforced": [["aws:eks/cluster:Cluster", "recorded only"]],
        "t_failure": "2026-01-01T00:00:02+00:00",
        "lost_at_s": 2.0,
        "proven_at_s": 6.0,
        "failure": None,
        "phases": [
            {"name": "lose the primary region", "start": "2026-01-01T00:00:00+00:00", "start_s": 0.0, "seconds": 2.0},
            {"name": "restore objects", "start": "2026-01-01T00:00:02+00:00", "start_s": 2.0, "seconds": 4.0},
        ],
        "checks": checks,
        "controls": [
            {
                "name": name,
                "fault": f"{name} is put in",
                "detected": True,
                "planted": recorded(_failing(check, required.checks[check])),
                "undone": [],
            }
            for name, check in required.controls.items()
        ],
        "service": {"ready_s": 3.0, "answers": [ANSWERS, {**ANSWERS, "protocol": "grpc"}]},
    }
    told = findings(predicate)
    return {**predicate, "findings": list(told), "verdict": verdict(told)}


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
