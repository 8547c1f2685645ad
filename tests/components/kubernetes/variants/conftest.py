"""A door with the real Envoy before servers that can be told to fail or to be late, and clients that speak TLS."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.contracts import serving
from components.contracts.apart import Apart
from components.contracts.door import DoorSpec
from components.contracts.services import ServiceSpec
from components.kubernetes.gateway.objects import Exposure, door_objects
from components.kubernetes.routes import GRPC_SERVICE, grpc_host, grpc_route, http_host, http_route
from components.kubernetes.variants.routing import (
    fallback_backends,
    fallback_policy,
    filters_of,
    recorder_service,
    routes_of,
)
from localcloud.gateway import Door
from localcloud.gateway.objects import Backends
from tests.components.kubernetes.variants.services import DOOR, SMALL

SERVICE = "tumour-risk"
HOST = http_host(SERVICE, DOOR.domain)
GRPC_HOST = grpc_host(SERVICE, DOOR.domain)
INFER = "/v2/models/tumour_risk/infer"
WORKERS_SECONDS = 0.3
"""Envoy's workers take a new configuration a moment after its main thread, which is who says that it runs."""
GRPC_STATUS = {
    200: grpc.StatusCode.OK,
    400: grpc.StatusCode.INVALID_ARGUMENT,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}
"""What a pod that answers an HTTP request so says over gRPC."""


class Pod(ThreadingHTTPServer):
    """Answers with its own name, over HTTP and gRPC; fails or waits as it is told."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.name = name
        self.status = 200
        self.seconds = 0.0
        self.ids: list[str] = []
        """Of the requests that it got."""
        self._grpc = grpc.server(futures.ThreadPoolExecutor(8))
        self._grpc.add_generic_rpc_handlers((_Calls(self),))
        self._grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def pod(self) -> tuple[str, int, int]:
        return ("127.0.0.1", self.server_port, self._grpc_port)

    def end(self) -> None:
        """Stop both servers."""
        self._grpc.stop(None)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: Envoy hangs up on answers that are late."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        pod = self.server
        assert isinstance(pod, Pod)
        self.rfile.read(int(self.headers["content-length"]))
        pod.ids.append(self.headers["x-request-id"])
        time.sleep(pod.seconds)
        body = json.dumps({"name": pod.name, "headers": dict(self.headers)}).encode()
        self.send_response(pod.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Calls(grpc.GenericRpcHandler):
    def __init__(self, pod: Pod) -> None:
        self._pod = pod

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        sent = dict(handler_call_details.invocation_metadata)

        def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
            self._pod.ids.append(str(sent.get("x-request-id", "")))
            time.sleep(self._pod.seconds)
            code = GRPC_STATUS[self._pod.status]
            if code is not grpc.StatusCode.OK:
                context.abort(code, self._pod.name)
            return self._pod.name.encode()

        return grpc.unary_unary_rpc_method_handler(answer)


@dataclass(frozen=True)
class Answer:
    """What the client got."""

    status: int
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes
    seconds: float

    @property
    def name(self) -> str:
        """The pod's."""
        return json.loads(self.body)["name"]


@dataclass
class Client:
    """One connection to the door."""

    door: Door
    host: str = HOST
    _connection: http.client.HTTPConnection | None = field(default=None)

    def ask(
        self, headers: Mapping[str, str] | None = None, body: bytes = b"{}", path: str = INFER, retry: bool = True
    ) -> Answer:
        connection = self._connection or self._connect()
        started = time.perf_counter()
        try:
            connection.request("POST", path, body, {"Host": self.host, **(headers or {})})
            response = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):  # the door drains connections of old configuration
            self.close()
            if not retry:
                raise
            return self.ask(headers, body, path, retry=False)
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, response.read(), time.perf_counter() - started)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = self.door.listeners[0].port
        connection = http.client.HTTPConnection("127.0.0.1", port)
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = context.wrap_socket(plain, server_hostname=self.host)
        self._connection = connection
        return connection


@contextlib.contextmanager
def connected(door: Door) -> Iterator[Client]:
    """A client with a connection of its own."""
    client = Client(door)
    try:
        yield client
    finally:
        client.close()


@dataclass(frozen=True)
class Called:
    """What a client got over gRPC."""

    code: grpc.StatusCode
    name: str
    """The pod's, of an error too."""
    headers: dict[str, str]
    seconds: float


class GrpcClient:
    """One channel to the door, which is one connection.

    Args:
        secret: of the door's listener.
    """

    def __init__(self, door: Door, secret: Mapping[str, Any], host: str = GRPC_HOST) -> None:
        trusted = grpc.ssl_channel_credentials(base64.b64decode(secret["data"]["tls.crt"]))
        options = [("grpc.ssl_target_name_override", host), ("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.secure_channel(door.grpc_target, trusted, options)

    def __enter__(self) -> GrpcClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def call(self, headers: Mapping[str, str] | None = None, method: str = f"{GRPC_SERVICE}/ModelInfer") -> Called:
        """One call, whatever comes of it."""
        infer = self._channel.unary_unary(f"/{method}")
        started = time.perf_counter()
        try:
            answer, call = infer.with_call(b"", timeout=20, metadata=tuple((headers or {}).items()))
        except grpc.RpcError as failed:
            assert isinstance(failed, grpc.Call)
            answer, call = (failed.details() or "").encode(), failed
        parts: tuple[Any, ...] = (call.initial_metadata(), call.trailing_metadata())
        told = {str(name): str(value) for part in parts for name, value in part or ()}
        code = call.code()
        assert code is not None
        return Called(code, answer.decode(), told, time.perf_counter() - started)


def certificate() -> dict[str, Any]:
    """The secret of the listener, for any name of the domain."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "door")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"*.{DOOR.domain}")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": DOOR.certificate_secret, "namespace": serving.NAMESPACE},
        "data": {
            "tls.crt": base64.b64encode(made.public_bytes(pem)).decode(),
            "tls.key": base64.b64encode(private).decode(),
        },
    }


def plan(
    spec: ServiceSpec,
    secret: dict[str, Any],
    fallback: tuple[str, int, int] | None = None,
    door: DoorSpec = DOOR,
) -> list[dict[str, Any]]:
    """The objects of the door and of one service, as a plan has them; there is another, `small`, without a route.

    Args:
        fallback: where the fallback's pod answers here, in place of its Service's cluster address and ports.
    """
    routes = routes_of(SERVICE, {SERVICE: spec, "small": SMALL})
    found = [
        secret,
        *door_objects(door, envoy_image="envoy", exposure=Exposure(), apart=Apart(2)),
        http_route(routes, door.domain),
        grpc_route(routes, door.domain),
        *filters_of(SERVICE, spec),
    ]
    if fallback is not None:
        address, *ports = fallback
        backends = fallback_backends(SERVICE, address)
        for each, port in zip(backends, ports, strict=True):
            each["spec"]["endpoints"][0]["ip"]["port"] = port
        found += [*backends, fallback_policy(door, SERVICE, spec.fallback)]
    return found


@dataclass
class Pods:
    """The servers behind the door."""

    stable: Pod
    b: Pod
    small: Pod
    recorder: Pod

    @property
    def backends(self) -> dict[tuple[str, str], list[tuple[str, int, int]]]:
        return {
            (serving.NAMESPACE, SERVICE): [self.stable.pod],
            (serving.NAMESPACE, f"{SERVICE}-b"): [self.b.pod],
            (serving.NAMESPACE, "small"): [self.small.pod],
            (serving.NAMESPACE, recorder_service(SERVICE)): [self.recorder.pod],
        }

    @property
    def all(self) -> tuple[Pod, ...]:
        return (self.stable, self.b, self.small, self.recorder)

    def healthy(self) -> None:
        """As at the start."""
        for pod in self.all:
            pod.status, pod.seconds, pod.ids = 200, 0.0, []


@pytest.fixture(scope="module")
def pods() -> Iterator[Pods]:
    made = Pods(Pod("stable"), Pod("b"), Pod("small"), Pod("recorder"))
    yield made
    for pod in made.all:
        pod.end()


@dataclass
class Laid:
    """The door, and what is laid on it: an update takes seconds."""

    door: Door
    objects: list[dict[str, Any]]
    backends: Backends

    def lay(self, objects: list[dict[str, Any]], backends: Backends) -> None:
        if (objects, backends) != (self.objects, self.backends):
            self.door.update(objects, backends)
            time.sleep(WORKERS_SECONDS)
            self.objects, self.backends = objects, backends


@pytest.fixture
def laid(opened: Laid, pods: Pods) -> Iterator[Laid]:
    """Before pods that do as they should."""
    pods.healthy()
    yield opened
    pods.healthy()
