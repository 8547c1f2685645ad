"""What the data-plane tests have: an issuer of tokens, certificates, and backends that misbehave on demand."""

from __future__ import annotations

import base64
import datetime
import json
import socket
import threading
import time
from collections.abc import Mapping
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

DOMAIN = "models.example"
ISSUER = "https://login.example"
AUDIENCE = "models"
_DAY = datetime.timedelta(days=1)


def base64url(data: bytes) -> str:
    """As tokens are written."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens as ES256, and shows its public key."""

    def __init__(self, name: str = ISSUER) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def keys(self) -> str:
        """The key set, as settings hold it."""
        numbers = self._key.public_key().public_numbers()
        x, y = (base64url(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
        return json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "1", "x": x, "y": y}]})

    def token(self, client: str, *, audience: str = AUDIENCE, valid_s: int = 600, **others: Any) -> str:
        """A token of one client, with these other claims; one that is None is left out."""
        known = {"iss": self.name, "aud": audience, "sub": client, "exp": int(time.time()) + valid_s, **others}
        claims = {name: value for name, value in known.items() if value is not None}
        parts = [base64url(json.dumps(part).encode()) for part in ({"alg": "ES256", "kid": "1"}, claims)]
        signature = self._key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(signature)
        return ".".join((*parts, base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))))


class Authority:
    """A private CA that keeps what it issues in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            _builder(subject, self._key)
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, dns_name: str) -> tuple[Path, Path]:
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, dns_name)]), key)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(dns_name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        stem = f"{self._name}-{dns_name.replace('*', 'any')}"
        files = self._folder / f"{stem}.crt", self._folder / f"{stem}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def secret(self, name: str, dns_name: str) -> dict[str, Any]:
        """A TLS secret, as somebody or cert-manager puts it beside the door."""
        certificate, key = self.issue(dns_name)
        data = {"tls.crt": certificate, "tls.key": key}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": "serving"},
            "data": {name: base64.b64encode(file.read_bytes()).decode() for name, file in data.items()},
        }

    def config_map(self, name: str) -> dict[str, Any]:
        """The CA's own certificate, by which clients are known."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "serving"},
            "data": {"ca.crt": self.file.read_text()},
        }


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


@dataclass
class Behaviour:
    """How a backend answers, until it is changed."""

    status: int = 200
    delay_s: float = 0.0
    hangs_up: int = 0
    """So many requests are read and not answered: the connection ends."""


@dataclass
class Seen:
    """What a backend saw."""

    requests: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the last request, names in lower case."""
    calls: tuple[tuple[str, str], ...] = ()
    """Method and path of each request, as they came."""


class Pod(ThreadingHTTPServer):
    """A server of one service: HTTP with behaviour, and gRPC that answers its own name."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.behaviour = Behaviour()
        self.seen = Seen()
        self.called = 0
        self.methods: list[str] = []
        """Of each gRPC call, as it came."""
        self._lock = threading.Lock()
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4))
        self._grpc.add_generic_rpc_handlers((_Calls(self),))
        self._grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> tuple[str, int, int]:
        """As `open_gateway` wants it."""
        return ("127.0.0.1", self.server_port, self._grpc_port)

    def reset(self) -> None:
        """Behave again, and forget."""
        self.behaviour, self.seen, self.called, self.methods = Behaviour(), Seen(), 0, []

    def on_request(self, call: tuple[str, str], headers: Mapping[str, str]) -> Behaviour | None:
        """What to do with a request; None: hang up."""
        with self._lock:
            told = {name.lower(): value for name, value in headers.items()}
            self.seen = Seen(self.seen.requests + 1, told, (*self.seen.calls, call))
            if self.behaviour.hangs_up:
                self.behaviour.hangs_up -= 1
                return None
            return self.behaviour

    def end(self) -> None:
        """Stop both servers."""
        self._grpc.stop(None)
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for each answer: two would wait for each other's acknowledgement

    def do_GET(self) -> None:
        pod = self.server
        assert isinstance(pod, Pod)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        behaviour = pod.on_request((self.command, self.path), dict(self.headers))
        if behaviour is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        time.sleep(behaviour.delay_s)
        body = json.dumps({"name": pod.name}).encode()
        self.send_response(behaviour.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        """Every method is answered alike."""
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def handle(self) -> None:
        """A client that has gone is no error here."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


class _Calls(grpc.GenericRpcHandler):
    def __init__(self, pod: Pod) -> None:
        self._pod = pod

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        self._pod.methods.append(handler_call_details.method)

        def answer(_request: bytes, _context: grpc.ServicerContext) -> bytes:
            self._pod.called += 1
            return self._pod.name.encode()

        return grpc.unary_unary_rpc_method_handler(answer)
