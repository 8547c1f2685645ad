"""Backends that tell who they are, and the objects of a small door."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from localcloud.gateway import Door

GATEWAY_API = "gateway.networking.k8s.io/v1"
HOST = "risk.models.example"


class Backend(ThreadingHTTPServer):
    """Answers each request with its own name and the request's headers, and counts them."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.name = name
        self.asked = 0

    @property
    def pod(self) -> tuple[str, int, int]:
        """As `open_gateway` wants it."""
        return ("127.0.0.1", self.server_port, self.server_port)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer: two would wait for each other's acknowledgement

    def do_GET(self) -> None:
        backend = self.server
        assert isinstance(backend, Backend)
        backend.asked += 1
        body = json.dumps({"name": backend.name, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def backend() -> Iterator[Callable[[str], Backend]]:
    """Makes backends that end with the test."""
    made: list[Backend] = []

    def make(name: str) -> Backend:
        server = Backend(name)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


def small_door(weights: dict[str, int], **rule: Any) -> list[dict[str, Any]]:
    """A GatewayClass, a Gateway and one HTTPRoute that splits by weight."""
    backends = [{"name": name, "port": 8000, "weight": weight} for name, weight in weights.items()]
    listener = {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": {"from": "Same"}}}
    rules = [{"backendRefs": backends, **rule}]
    return [
        {
            "apiVersion": GATEWAY_API,
            "kind": "GatewayClass",
            "metadata": {"name": "door"},
            "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        },
        {
            "apiVersion": GATEWAY_API,
            "kind": "Gateway",
            "metadata": {"name": "door", "namespace": "serving"},
            "spec": {"gatewayClassName": "door", "listeners": [listener]},
        },
        {
            "apiVersion": GATEWAY_API,
            "kind": "HTTPRoute",
            "metadata": {"name": "risk", "namespace": "serving"},
            "spec": {"parentRefs": [{"name": "door"}], "hostnames": [HOST], "rules": rules},
        },
    ]


def answered(door: Door, times: int) -> Counter[str]:
    """Who answered so many requests, or with which status."""
    counted: Counter[str] = Counter()
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(times):
            answer = session.get(f"{door.http_url}/", headers={"Host": HOST}, timeout=10)
            counted[answer.json()["name"] if answer.ok else str(answer.status_code)] += 1
    return counted
