"""HTTP for the Google Cloud emulator: requests and responses as plain values, and a threaded keep-alive server.

Google's error bodies: https://cloud.google.com/apis/design/errors and, for Cloud Storage's `errors[].reason`,
https://cloud.google.com/storage/docs/json_api/v1/status-codes.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote

BLOCK_BYTES: Final = 256 * 1024
MAX_JSON_BYTES: Final = 10 * 1024 * 1024
_JSON: Final = "application/json; charset=UTF-8"

_STATUS_NAMES: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    416: "OUT_OF_RANGE",
    424: "UNAVAILABLE",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
}
_STATUS_CODES: Final[Mapping[str, int]] = {  # google.rpc.Code
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "FAILED_PRECONDITION": 9,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}


class ApiError(Exception):
    """A refusal with an HTTP code, a message, and where the API has one a `reason`.

    Args:
        code: HTTP status.
        message: what the client is told; never holds a secret.
        status: the google.rpc name; by default the one that belongs to `code`.
        reason: `errors[].reason` of Cloud Storage.
    """

    def __init__(self, code: int, message: str, *, status: str | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS_NAMES.get(code, "UNKNOWN")
        self.reason = reason

    def body(self) -> dict[str, Any]:
        """The JSON error body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.reason:
            error["errors"] = [{"domain": "global", "reason": self.reason, "message": self.message}]
        return {"error": error}

    def rpc_status(self) -> dict[str, Any]:
        """The `google.rpc.Status` of a failed operation."""
        return {"code": _STATUS_CODES.get(self.status, 2), "message": self.message}


def not_found(what: str, name: str) -> ApiError:
    """A 404 that names what is missing."""
    return ApiError(404, f"{what} {name} not found.", reason="notFound")


class Reader(Protocol):
    """Where a request's body is read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class BoundedBody:
    """A body of `length` bytes; a connection that ends before is an error, so that no truncated body is stored."""

    def __init__(self, source: Reader, length: int) -> None:
        self._source = source
        self.remaining = length

    def read(self, size: int = -1, /) -> bytes:
        wanted = self.remaining if size < 0 else min(size, self.remaining)
        if wanted == 0:
            return b""
        data = self._source.read(wanted)
        if not data:
            raise ApiError(400, "The request's body ended before its Content-Length.", reason="badRequest")
        self.remaining -= len(data)
        return data


class EmptyBody:
    """No body."""

    def read(self, _size: int = -1, /) -> bytes:
        return b""


@dataclass(frozen=True)
class Principal:
    """Who asks, as IAM knows them."""

    member: str
    """As policies name it: `serviceAccount:a@p.iam.gserviceaccount.com`."""
    also: frozenset[str] = frozenset()
    """Other members that it is."""

    @property
    def members(self) -> frozenset[str]:
        """All members that it is."""
        return self.also | {self.member}


OPERATOR: Final = Principal("the operator")
"""Whoever shows no token: to them the local cloud belongs, and they may do everything."""


def service_account(email: str) -> Principal:
    """A service account, or a service agent."""
    return Principal(f"serviceAccount:{email}")


@dataclass
class Request:
    """One HTTP request. `path` is as sent, percent-encoded; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Reader = field(default_factory=EmptyBody)
    length: int = 0
    """Of the body in bytes."""
    principal: Principal = OPERATOR

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object. Raises ApiError (400)."""
        data = read_all(self.body, MAX_JSON_BYTES)
        if not data.strip():
            return {}
        try:
            value = json.loads(data)
        except ValueError as e:
            raise ApiError(400, f"The request's body is not JSON: {e}.", reason="parseError") from e
        if not isinstance(value, dict):
            raise ApiError(400, "The request's body is not a JSON object.", reason="parseError")
        return value


@dataclass
class Response:
    """One HTTP response; `body` is bytes, or blocks whose total is `length`."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterator[bytes] = b""
    length: int | None = None

    @staticmethod
    def of(value: Any, status: int = 200) -> Response:
        """A JSON response."""
        return Response(status, [("Content-Type", _JSON)], json.dumps(value, separators=(",", ":")).encode())


def read_all(body: Reader, limit: int) -> bytes:
    """The whole body. Raises ApiError (400) if it is longer than `limit` bytes."""
    parts: list[bytes] = []
    total = 0
    while block := body.read(BLOCK_BYTES):
        total += len(block)
        if total > limit:
            raise ApiError(400, f"The request's body is longer than {limit} bytes.", reason="uploadTooLarge")
        parts.append(block)
    return parts[0] if len(parts) == 1 else b"".join(parts)


Handler = Callable[..., Response]


class Routes:
    """Finds the function for a method and path, by regular expressions over the whole path."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Call `handler(request, **named_groups)` for paths of this pattern; what the groups match comes decoded."""
        self._routes.append((method, re.compile(pattern), handler))

    def handle(self, request: Request, path: str) -> Response:
        """Answer the request. Raises ApiError (404, 405)."""
        known = False
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if found and method == request.method:
                return handler(request, **{name: unquote(part) for name, part in found.groupdict().items()})
            known = known or found is not None
        if known:
            raise ApiError(405, f"{request.method} is not supported for {path}.", reason="methodNotAllowed")
        raise ApiError(404, f"The local cloud has no method for {request.method} {path}.", reason="notFound")


Application = Callable[[Request], Response]


class FrontServer(ThreadingHTTPServer):
    """Serves an application on loopback, on a port that the system picks."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, application: Application) -> None:
        super().__init__(("127.0.0.1", 0), FrontHandler)
        self.application = application

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        # HTTPServer's own looks the host's name up, which may wait for a name server.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class FrontHandler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: FrontServer  # type: ignore[assignment]

    def _serve(self) -> None:
        if "transfer-encoding" in self.headers:
            self.close_connection = True
            message = "The local cloud takes bodies with a Content-Length only."
            self._answer(Response.of(ApiError(411, message, reason="required").body(), 411))
            return
        request = self._request()
        try:
            response = self.server.application(request)
        except ApiError as e:
            response = Response.of(e.body(), e.code)
        except Exception as e:
            # Not a 500, which Google's clients repeat for minutes: it would fail the same way each time.
            response = Response.of(ApiError(501, f"{type(e).__name__}: {e}", status="INTERNAL").body(), 501)
            self.log_error("%s %s: %s: %s", self.command, request.path, type(e).__name__, e)
        self._drain(request)
        self._answer(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length") or 0)
        body = BoundedBody(self.rfile, length) if length else EmptyBody()
        pairs = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        method = headers.get("x-http-method-override", self.command)
        return Request(method, path, pairs, headers, body, length)

    def _drain(self, request: Request) -> None:
        """Read what a refused request still sends, or hang up if it is much."""
        try:
            for _ in range(64):
                if not request.body.read(BLOCK_BYTES):
                    return
        except (ApiError, OSError):
            pass
        self.close_connection = True

    def _answer(self, response: Response) -> None:
        length = len(response.body) if isinstance(response.body, bytes) else response.length
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        elif response.status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            self.wfile.flush()
        elif isinstance(response.body, bytes):
            self.wfile.write(response.body)
            self.wfile.flush()
        else:
            for block in response.body:
                self.wfile.write(block)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: their paths may hold a signed address."""

    def log_error(self, format: str, *args: Any) -> None:
        super().log_message(format, *args)
