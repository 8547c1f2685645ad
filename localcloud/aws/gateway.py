"""The WSGI application of the AWS emulator: moto's, gates around S3 and DynamoDB, and AWS Backup's jobs."""

from __future__ import annotations

import io
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import xmltodict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localcloud.aws.backup.api import BackupApi
from localcloud.aws.gates import DynamoGate, KmsGate, ObjectCall, Refusal, S3Gate
from localcloud.aws.s3 import bucket_policy
from localcloud.aws.s3.replicator import Replicator
from localcloud.aws.state import AwsState

_log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Environ = dict[str, Any]

CONTROL_PATH = "/_seawall/"
TOKEN_HEADER = "HTTP_X_SEAWALL_TOKEN"  # noqa: S105 - a header's name


class Gateway:
    """Sends each request to the service that its signature names.

    Args:
        state: moto's models and the overlay.
        token: what a control request must carry, so that only the command that started the emulator saves it.
    """

    def __init__(self, state: AwsState, token: str) -> None:
        bucket_policy.install()
        self._state = state
        self._token = token
        self._moto = _QuickDispatcher(create_backend_app)
        self._replicator = Replicator(state)
        self._s3 = S3Gate(state, self._replicator)
        self._dynamo = DynamoGate(state)
        self._kms = KmsGate(state)
        self._backup = BackupApi(state)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(CONTROL_PATH):
            return self._control(environ, path.removeprefix(CONTROL_PATH), start_response)
        service, region = credential_scope(environ)
        if service == "s3":
            return self._call_s3(environ, start_response)
        if service == "dynamodb":
            return self._call_dynamodb(environ, region, start_response)
        if service == "kms":
            return self._call_kms(environ, region, start_response)
        if service == "backup":
            answer = self._backup.answer(environ, region, _body(environ))
            if answer is not None:
                return _send(start_response, Refusal(answer.status, "application/json", answer.body))
        return self._moto(environ, start_response)

    def _call_s3(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        call = ObjectCall.of(environ)
        if call.method == "GET" and not call.key and "replication" in call.query:
            told = self._replication_xml(call.bucket)
            if told is not None:
                return _send(start_response, Refusal("200 OK", "application/xml", told))
        body = _body(environ) if call.method in ("PUT", "POST") else b""
        if call.method == "PUT" and not call.key and "logging" in call.query:
            return _send(start_response, self._s3.put_logging(call, body))
        refusal = self._s3.before(call, _headers(environ), body)
        if refusal:
            return _send(start_response, refusal)
        status, headers, chunks = _run(self._moto, environ)
        headers += self._s3.after(call, status).items()
        start_response(status, headers)
        return chunks

    def _call_dynamodb(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        body = _body(environ)
        refusal = self._dynamo.before(operation, region, body)
        if refusal:
            return _send(start_response, refusal)
        status, headers, chunks = _run(self._moto, environ)
        self._dynamo.after(operation, region, body, status, time.time())
        if operation == "DescribeTable" and status.startswith("2"):
            told = self._dynamo.described(region, body, b"".join(chunks))
            # The original's checksum and length no longer hold.
            headers = [(k, v) for k, v in headers if k.lower() not in ("content-length", "x-amz-crc32")]
            headers.append(("Content-Length", str(len(told))))
            chunks = [told]
        start_response(status, headers)
        return chunks

    def _call_kms(self, environ: Environ, region: str, start_response: StartResponse) -> Iterable[bytes]:
        operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        body = self._kms.rewritten(_body(environ))
        refusal = self._kms.before(operation, region, body)
        if refusal:
            return _send(start_response, refusal)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return self._moto(environ, start_response)

    def _replication_xml(self, bucket_name: str) -> bytes | None:
        """The whole configuration; moto's own answer leaves half of it out."""
        bucket = self._state.bucket(bucket_name)
        configuration = getattr(bucket, "replication", None)
        return xmltodict.unparse({"ReplicationConfiguration": configuration}).encode() if configuration else None

    def _control(self, environ: Environ, command: str, start_response: StartResponse) -> Iterable[bytes]:
        given = str(environ.get(TOKEN_HEADER, ""))
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return _send(start_response, Refusal("403 Forbidden", "text/plain", b"not for you\n"))
        if command == "save":
            into = parse_qs(environ.get("QUERY_STRING", ""))["into"][0]
            self._replicator.drain()
            self._state.save(Path(into))
            return _send(start_response, Refusal("200 OK", "text/plain", b"saved\n"))
        if command == "settle":
            self._replicator.drain()
            return _send(start_response, Refusal("200 OK", "text/plain", b"settled\n"))
        return _send(start_response, Refusal("404 Not Found", "text/plain", b"no such command\n"))


class _QuickDispatcher(DomainDispatcherApplication):
    """Remembers which application serves what: to find out, moto lists its own folder at each request."""

    def __init__(self, create_app: Any) -> None:
        super().__init__(create_app)
        self._known: dict[tuple[str, str], Any] = {}

    def get_application(self, environ: Environ) -> Any:
        service = credential_scope(environ)[0]
        key = service, str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")[0]
        if key not in self._known:
            self._known[key] = super().get_application(environ)
        return self._known[key]


def credential_scope(environ: Mapping[str, Any]) -> tuple[str, str]:
    """(service, region) of a signed or presigned request; S3 for an anonymous one."""
    text = str(environ.get("HTTP_AUTHORIZATION", ""))
    marker = "Credential="
    if marker not in text:
        text = unquote(str(environ.get("QUERY_STRING", "")))
        marker = "X-Amz-Credential="
    if marker in text:
        scope = text.split(marker, 1)[1].split(",")[0].split("&")[0].split("/")
        if len(scope) >= 5:
            return scope[3].lower(), scope[2]
    return "s3", "us-east-1"


def _body(environ: Environ) -> bytes:
    """The request's body, left readable for moto."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    return {k[5:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("HTTP_")}


def _run(application: Any, environ: Environ) -> tuple[str, list[tuple[str, str]], list[bytes]]:
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        told[:] = [status, list(headers)]

    chunks = list(application(environ, start_response))
    if told[0].startswith("5"):
        _log.error("%s %s: %s %r", environ["REQUEST_METHOD"], environ["PATH_INFO"], told[0], b"".join(chunks)[:500])
    return told[0], told[1], chunks


def _send(start_response: StartResponse, answer: Refusal) -> list[bytes]:
    start_response(answer.status, [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))])
    return [answer.body]
