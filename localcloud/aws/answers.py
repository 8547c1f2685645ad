"""Answers of the AWS emulator in place of moto's: what a service refuses, as it says so."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from xml.sax.saxutils import escape

_log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class NoAnswerError(Exception):
    """Nothing answers the request: the connection ends without a word."""


class Service(Protocol):
    """One AWS service in front of moto's: answers a request itself, or has moto do so."""

    def call(self, environ: Environ, region: str, start_response: StartResponse, /) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: str
    content_type: str
    body: bytes

    def send(self, start_response: StartResponse) -> list[bytes]:
        """Hand it to the server."""
        headers = [("Content-Type", self.content_type), ("Content-Length", str(len(self.body)))]
        start_response(self.status, headers)
        return [self.body]


def s3_error(status: str, code: str, message: str, resource: str) -> Answer:
    """An error of S3's."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<Resource>{escape(resource)}</Resource></Error>"
    )
    return Answer(status, "application/xml", body.encode())


def query_error(status: str, code: str, message: str) -> Answer:
    """An error of a service that is asked by forms and answers in XML, as IAM and SNS."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        "</Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return Answer(status, "text/xml", body.encode())


def json_error(kind: str, message: str) -> Answer:
    """An error of a service that speaks JSON."""
    body = json.dumps({"__type": kind, "message": message}).encode()
    return Answer("400 Bad Request", "application/x-amz-json-1.0", body)


def operation_of(environ: Environ) -> str:
    """The operation that a JSON request names in its target header."""
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]


def read_body(environ: Environ) -> bytes:
    """The request's body, left readable for moto."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    replace_body(environ, body)
    return body


def replace_body(environ: Environ, body: bytes) -> None:
    """Give moto another body to read."""
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON body; empty if it is none."""
    try:
        loaded = json.loads(body or b"{}")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers, in lower case."""
    return {k[5:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("HTTP_")}


def run(application: Application, environ: Environ) -> tuple[str, list[tuple[str, str]], list[bytes]]:
    """Moto's answer: status, headers, body."""
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        told[:] = [status, list(headers)]

    chunks = list(application(environ, start_response))
    if told[0].startswith("5"):
        _log.error("%s %s: %s %r", environ["REQUEST_METHOD"], environ["PATH_INFO"], told[0], b"".join(chunks)[:500])
    return told[0], told[1], chunks
